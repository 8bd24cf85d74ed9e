"""What the reader has watched: the list, and what takes videos out of it."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from feeds import history
from feeds.models import Impression
from feeds.seeds import micros, moment
from feeds.views.browsing import continued
from feeds.views.scrolling import fresh
from tiktok_clone.common.errors import invalid
from videos.text import ID_DIGITS, read_id

ROWS_PER_PAGE = 30
_LATEST = 10**16  # microseconds: the year 2286


@require_safe
@fresh
@login_required
def watched(request: HttpRequest) -> HttpResponse:
    """The latest watch first. Context: `cards` with `watched_at`, and `next_url`."""
    user = cast(User, request.user)
    rows = list(_after(history.history_of(user), request)[: ROWS_PER_PAGE + 1])
    next_url = None
    if len(rows) > ROWS_PER_PAGE:
        rows = rows[:ROWS_PER_PAGE]
        last = f"{micros(rows[-1].last_at)}-{rows[-1].pk}"
        next_url = continued(request, last)
    context = {"cards": history.represent_history(rows, user), "next_url": next_url}
    return render(request, "feeds/history.html", context)


@require_POST
@login_required
def remove(request: HttpRequest, video_id: int) -> HttpResponse:
    """Take one video out, and go back."""
    if len(str(video_id)) <= ID_DIGITS:
        history.forget_watch(cast(User, request.user), video_id)
    messages.success(request, _("Removed from your history."))
    return redirect("history")


@require_POST
@login_required
def clear(request: HttpRequest) -> HttpResponse:
    """Take everything out, and go back."""
    history.forget_everything(cast(User, request.user))
    messages.success(request, _("Your history is empty."))
    return redirect("history")


def _after(rows: "QuerySet[Impression]", request: HttpRequest) -> "QuerySet[Impression]":
    """Continue after `?after=<microseconds>-<id>`."""
    raw = request.GET.get("after", "")
    if not raw:
        return rows
    time, pk = raw.split("-", 1) if "-" in raw else ("", "")
    last_time, last_id = read_id(time), read_id(pk)
    if last_time is None or last_id is None or last_time > _LATEST:
        raise invalid("after", "invalid", "Follow the link of the previous page.")
    at = moment(last_time)
    # The first condition is what the index is read by.
    return rows.filter(Q(last_at__lt=at) | Q(last_at=at, pk__lt=last_id), last_at__lte=at)
