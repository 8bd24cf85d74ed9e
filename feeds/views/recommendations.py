"""The settings page of one's recommendations."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from feeds import taste
from feeds.views.scrolling import fresh

PAGE = "settings-recommendations"


@require_safe
@fresh
@login_required
def recommendations(request: HttpRequest) -> HttpResponse:
    """Show what was learned and what was refused. Context: `learned`, `refused`."""
    user = cast(User, request.user)
    context = {"learned": taste.learned(user), "refused": taste.refused(user)}
    return render(request, "feeds/settings_recommendations.html", context)


@require_POST
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    """Switch profiling on (field `profiling`) or off."""
    user = cast(User, request.user)
    if request.POST.get("profiling"):
        taste.set_profiling(user, True)
        messages.success(request, _("Your feed learns from what you do, and did before."))
    else:
        gone = taste.set_profiling(user, False)
        messages.success(
            request,
            ngettext(
                "Your feed does not learn from you. What it knew from %(gone)s clip is deleted.",
                "Your feed does not learn from you. What it knew from %(gone)s clips is deleted.",
                gone,
            )
            % {"gone": gone},
        )
    return redirect(PAGE)


@require_POST
@login_required
def reset(request: HttpRequest) -> HttpResponse:
    """Forget what was learned."""
    taste.reset(cast(User, request.user))
    messages.success(request, _("Your recommendations start anew."))
    return redirect(PAGE)


@require_POST
@login_required
def forget(request: HttpRequest, what: str, name: str) -> HttpResponse:
    """Take one hashtag or creator out of what was learned."""
    taste.forget_one(cast(User, request.user), what, name)
    messages.success(request, _("Removed. It comes back only if you go on caring for it."))
    return redirect(PAGE)


@require_POST
@login_required
def allow(request: HttpRequest, what: str, name: str) -> HttpResponse:
    """Take back that one does not want a video, a creator or a hashtag."""
    taste.allow(cast(User, request.user), what, name)
    messages.success(request, _("It may be recommended to you again."))
    return redirect(PAGE)
