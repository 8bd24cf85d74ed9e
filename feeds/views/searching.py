"""Search: everything at once, each kind by itself, and suggestions while somebody types."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.finding import search_people
from feeds.search import find_tags
from feeds.views.browsing import continued, grid, tags_now
from feeds.views.scrolling import fresh
from tiktok_clone.common.searching import clean_query
from videos.filters import VideoFilter
from videos.models import Video
from videos.relevance import ranked
from videos.views.pager import after

TABS = ("top", "videos", "people", "hashtags")
# How many of each kind stand above the clips in `top`, and on a page of their own.
TOP_PEOPLE, TOP_TAGS = 4, 8
ROWS_PER_PAGE = 30
SUGGESTED_PEOPLE, SUGGESTED_TAGS = 4, 4


@require_safe
@fresh
def search(request: HttpRequest) -> HttpResponse:
    """What has the words.

    Context: `q`, `tab`, `cards`, `people`, `tags`, `next_url`; `more_people`, `more_tags` in
    the tab `top` where there are more; `trending` (tags) where nothing was typed or found.
    """
    q = clean_query("q", request.GET.get("q", ""))
    tab = request.GET.get("tab", "top")
    tab = tab if tab in TABS else "top"
    context: dict[str, Any] = {"q": q, "tab": tab, "cards": [], "people": [], "tags": []}
    if q:
        context |= _FOUND[tab](request, q)
    if not (context["cards"] or context["people"] or context["tags"]):
        context["trending"] = tags_now(request.user)
    return render(request, "feeds/search.html", context)


@require_safe
@fresh
def suggest(request: HttpRequest) -> HttpResponse:
    """A fragment for the search box: some `people` and `tags` that begin so."""
    q = clean_query("q", request.GET.get("q", ""))
    context: dict[str, Any] = {"q": q, "people": [], "tags": []}
    if q:
        context["people"] = search_people(request.user, q)[:SUGGESTED_PEOPLE]
        context["tags"] = find_tags(request.user, q)[:SUGGESTED_TAGS]
    return render(request, "feeds/_suggest.html", context)


def _top(request: HttpRequest, q: str) -> dict[str, Any]:
    people = list(search_people(request.user, q)[: TOP_PEOPLE + 1])
    tags = list(find_tags(request.user, q)[: TOP_TAGS + 1])
    return {
        **_videos(request, q),
        "people": people[:TOP_PEOPLE],
        "more_people": len(people) > TOP_PEOPLE,
        "tags": tags[:TOP_TAGS],
        "more_tags": len(tags) > TOP_TAGS,
    }


def _videos(request: HttpRequest, q: str) -> dict[str, Any]:
    videos = Video.objects.published().visible_to(request.user)
    found = VideoFilter({"q": q}, videos, request=request).qs
    return grid(request, ranked(found, q), q=q, tab="videos")


def _people(request: HttpRequest, q: str) -> dict[str, Any]:
    people, last = after(search_people(request.user, q), request, ROWS_PER_PAGE)
    return {"people": people, "next_url": continued(request, last, q=q, tab="people")}


def _hashtags(request: HttpRequest, q: str) -> dict[str, Any]:
    tags, last = after(find_tags(request.user, q), request, ROWS_PER_PAGE)
    return {"tags": tags, "next_url": continued(request, last, q=q, tab="hashtags")}


_FOUND = {"top": _top, "videos": _videos, "people": _people, "hashtags": _hashtags}
