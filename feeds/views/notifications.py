"""What the reader is told of: the list, all of a group, marking as read, switches, bells."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.views.common import safe_next
from accounts.views.people import find
from feeds import bells, inbox, notifications
from feeds.models import Kind
from feeds.notices import lead_of, phrase_of, represent_group, represent_row
from feeds.views.browsing import continued
from feeds.views.scrolling import fresh, is_fragment
from videos.text import ID_DIGITS

GROUPS_PER_PAGE = 20
ROWS_PER_PAGE = 30


@require_safe
@fresh
@login_required
def listed(request: HttpRequest) -> HttpResponse:
    """The latest first; the fragment is the list alone.

    Context: `groups` (as the API has them, with `lead` and `phrase`), `unread`, `next_url`.
    """
    user = cast(User, request.user)
    after = inbox.read_place("after", request.GET.get("after"))
    page, last = inbox.groups(user, after, GROUPS_PER_PAGE)
    context = {
        "groups": [_shown(group) for group in page],
        "unread": inbox.unread(user),
        "next_url": continued(request, inbox.write_place(last) if last else None),
        "is_first": after is None,
    }
    template = "feeds/_notifications.html" if is_fragment(request) else "feeds/notifications.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["X-Fragment"])
    return response


@require_safe
@fresh
@login_required
def group(request: HttpRequest, topic: str) -> HttpResponse:
    """All of a group; notifications.js marks it as read, since it is seen.

    Context: `topic`, `rows` (as the API has them, with `phrase`), `next_url`.
    """
    after = inbox.read_place("after", request.GET.get("after"))
    rows, last = inbox.group_page(cast(User, request.user), topic, after, ROWS_PER_PAGE)
    context = {
        "topic": topic,
        "rows": [represent_row(row) | {"phrase": phrase_of(row)} for row in rows],
        "next_url": continued(request, inbox.write_place(last) if last else None),
    }
    return render(request, "feeds/notification_group.html", context)


@require_POST
@login_required
def mark(request: HttpRequest) -> HttpResponse:
    """Mark a group, one, or all as read, and go back."""
    user = cast(User, request.user)
    ids = [raw for raw in request.POST.getlist("notification") if raw.isdigit()]
    notifications.mark_read(
        user,
        ids=[int(raw) for raw in ids if len(raw) <= ID_DIGITS],
        topics=request.POST.getlist("group"),
        everything="all" in request.POST,
    )
    return redirect(safe_next(request, default="notifications"))


class SwitchesForm(forms.Form):
    """A switch for each kind."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for kind in Kind:
            if kind not in notifications.ALWAYS:
                field = forms.BooleanField(label=kind.label, required=False)
                self.fields[str(kind)] = field


@fresh
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def switches(request: HttpRequest) -> HttpResponse:
    """What the reader wants to be told of."""
    user = cast(User, request.user)
    if request.method == "POST":
        # Switches that are off post nothing, so every POST is a complete answer.
        form = SwitchesForm(request.POST)
        if form.is_valid():
            notifications.set_switches(user, form.cleaned_data)
            messages.success(request, _("Your choices are saved."))
            return redirect("settings-notifications")
    form = SwitchesForm(initial=notifications.switches(user))
    return render(request, "feeds/settings_notifications.html", {"form": form})


@require_POST
@login_required
def bell(request: HttpRequest, handle: str) -> HttpResponse:
    """Switch somebody's bell on or off by `action`, and go back."""
    person = find(request, handle)
    act = bells.switch_off if request.POST.get("action") == "off" else bells.switch_on
    act(cast(User, request.user), person)
    return redirect(safe_next(request, default=person.get_absolute_url()))


def _shown(group: inbox.Group) -> dict[str, Any]:
    words = {"lead": lead_of(group), "phrase": phrase_of(group.rows[0])}
    return represent_group(group) | words
