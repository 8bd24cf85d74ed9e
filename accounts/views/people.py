"""Profiles, lists of people, and the acts between two people."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import finding, people, services
from accounts.clients import client_of
from accounts.models import Follow, User
from accounts.views.common import login_required, person_of, private, safe_next
from tiktok_clone.common.errors import DomainError

PAGE = 30
TABS = ("videos", "liked", "saved")


def find(request: HttpRequest, handle: str) -> User:
    """The person of a page; raises `not_found`."""
    return people.find_person(f"@{handle}", viewer(request), client_of(request))


def viewer(request: HttpRequest) -> User | None:
    """Who looks, if anybody is signed in."""
    return request.user if isinstance(request.user, User) else None


@require_safe
def profile(request: HttpRequest, handle: str) -> HttpResponse:
    """A person; the grid is loaded from the videos' own address."""
    person = find(request, handle)
    relation = people.relations(request.user, [person.pk]).get(person.pk, people.Relation())
    is_self = request.user.pk == person.pk
    tab = request.GET.get("tab", "videos")
    context = {
        "person": person,
        "relation": relation,
        "is_self": is_self,
        "tab": tab if is_self and tab in TABS else "videos",
        "tabs": TABS if is_self else TABS[:1],
        "hidden": person.is_private and not is_self and not relation.following,
    }
    return render(request, "accounts/profile.html", context)


@require_safe
def followers(request: HttpRequest, handle: str) -> HttpResponse:
    """Who follows a person."""
    return _list(request, handle, people.followers_of, "follower", "followers")


@require_safe
def following(request: HttpRequest, handle: str) -> HttpResponse:
    """Whom a person follows."""
    return _list(request, handle, people.followed_by, "followee", "following")


def _list(
    request: HttpRequest,
    handle: str,
    rows_of: Callable[[User, Any], "QuerySet[Follow]"],
    side: str,
    kind: str,
) -> HttpResponse:
    person = find(request, handle)
    context: dict[str, Any] = {
        "person": person,
        "kind": kind,
        "removable": kind == "followers" and request.user.pk == person.pk,
    }
    try:
        people.check_can_see_lists(person, request.user)
    except DomainError as error:
        if error.status != 403:
            raise
        return render(request, "accounts/people_list.html", context | {"hidden": error.code})
    page = Paginator(rows_of(person, request.user), PAGE).get_page(request.GET.get("page"))
    persons = [getattr(row, side) for row in page]
    context |= {"rows": with_relations(request, persons), **pager(request, page)}
    return render(request, "accounts/people_list.html", context)


def with_relations(request: HttpRequest, persons: list[User]) -> list[dict[str, Any]]:
    """Rows for the list: the person, and how the reader relates to them."""
    relations = people.relations(request.user, [person.pk for person in persons])
    none = people.Relation()
    return [{"person": person, "relation": relations.get(person.pk, none)} for person in persons]


def pager(request: HttpRequest, page: Any) -> dict[str, str]:
    """Links to the pages before and after."""
    return {
        "next_url": f"?page={page.next_page_number()}" if page.has_next() else "",
        "previous_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
    }


@private
@require_safe
@login_required
def suggestions(request: HttpRequest) -> HttpResponse:
    """People to follow."""
    rows = with_relations(request, finding.suggest(person_of(request), limit=PAGE))
    return render(request, "accounts/suggestions.html", {"rows": rows})


@require_POST
@login_required
def follow(request: HttpRequest, handle: str) -> HttpResponse:
    """Follow or unfollow by `action`, and go back."""
    person = find(request, handle)
    act = services.unfollow if request.POST.get("action") == "unfollow" else services.follow
    try:
        act(person_of(request), person)
    except DomainError as error:
        if error.status in (404, 429):
            raise
        messages.error(request, error.message)
    return redirect(safe_next(request, default=person.get_absolute_url()))


@require_POST
@login_required
def remove_follower(request: HttpRequest, handle: str) -> HttpResponse:
    """Make somebody stop following, and go back."""
    person, user = find(request, handle), person_of(request)
    services.remove_follower(user, person)
    messages.success(request, f"@{person.handle} does not follow you any more.")
    return redirect(safe_next(request, default=reverse("profile-followers", args=[user.handle])))


@require_POST
@login_required
def mute(request: HttpRequest, handle: str) -> HttpResponse:
    """Mute or unmute by `action`, and go back."""
    person = find(request, handle)
    if request.POST.get("action") == "unmute":
        services.unmute(person_of(request), person)
        messages.success(request, f"You come across @{person.handle} again.")
    else:
        services.mute(person_of(request), person)
        messages.success(request, f"You do not come across @{person.handle} any more.")
    return redirect(safe_next(request, default=person.get_absolute_url()))


@require_POST
@login_required
def block(request: HttpRequest, handle: str) -> HttpResponse:
    """Block or unblock by `action`, and go back."""
    person = find(request, handle)
    if request.POST.get("action") == "unblock":
        services.unblock(person_of(request), person)
        messages.success(request, f"@{person.handle} is not blocked any more.")
    else:
        services.block(person_of(request), person)
        messages.success(request, f"You and @{person.handle} do not see each other any more.")
    return redirect(safe_next(request, default=reverse("profile", args=[person.handle])))
