"""The pages of the feed: scrolling (feed, following, friends) and browsing (explore, tag, search).

With the header `X-Fragment: 1` a scrolling page answers its clips alone, for the script
that appends them; without a script, the same address is a complete page.
"""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import finding
from accounts.finding import search_people
from accounts.models import User
from feeds.api.views import represent_page
from feeds.options import Asked, read_options
from feeds.paging import Page, make_page
from feeds.search import find_tags
from feeds.seeds import NOBODY
from tiktok_clone.common.errors import DomainError, invalid, not_found
from videos.filters import VideoFilter
from videos.models import Hashtag, Video
from videos.representation import represent_videos
from videos.text import fold_tag
from videos.views.pager import after

CLIPS_PER_PAGE = 10
TILES_PER_PAGE = 24
SUGGESTED = 6
TAGS = 12
FOUND_PEOPLE = 12

fresh = cache_control(private=True, no_cache=True)


@require_safe
@fresh
def feed(request: HttpRequest) -> HttpResponse:
    """Everybody's videos; what who is not signed in sees first, too."""
    return _scroll(request, "all")


@require_safe
@fresh
def following(request: HttpRequest) -> HttpResponse:
    """The newest of the people whom the reader follows, or people to follow."""
    return _scroll(request, "following")


@require_safe
@fresh
def friends(request: HttpRequest) -> HttpResponse:
    """The newest of the reader's friends."""
    return _scroll(request, "friends")


@require_safe
@fresh
def explore(request: HttpRequest) -> HttpResponse:
    """Everybody's videos as a grid. Context: `cards`, `tags`, `people`, `next_url`."""
    asked = _asked(request, "all", TILES_PER_PAGE)
    if asked is None:
        return redirect(request.path)
    page = make_page(request.user, asked.seed, asked.skip, asked.limit)
    context = {
        "cards": page.results,
        "tags": find_tags()[:TAGS],
        "people": _suggestions(request),
        "next_url": _next_url(request, page),
    }
    return render(request, "feeds/explore.html", context)


@require_safe
def tag(request: HttpRequest, name: str) -> HttpResponse:
    """Videos with a hashtag, latest first. Context: `name`, `count`, `cards`, `next_url`."""
    folded = fold_tag(_plain("tag", name))
    if not folded.strip() or "/" in folded:  # folding makes a slash of some signs
        raise not_found("hashtag")
    if folded != name:
        return redirect("tag", folded)
    videos = Video.objects.published().visible_to(request.user)
    grid = _grid(request, VideoFilter({"tag": name}, videos, request=request).qs)
    known = Hashtag.objects.filter(name=name).first()
    context = {"name": name, "count": known.videos_count if known else None}
    return render(request, "feeds/tag.html", context | grid)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Videos, people and hashtags with the words. Context: `q`, `cards`, `people`, `tags`."""
    q = _plain("q", request.GET.get("q", "").strip())
    context: dict[str, Any] = {"q": q, "cards": [], "people": [], "tags": []}
    if q:
        videos = Video.objects.published().visible_to(request.user)
        context |= _grid(request, VideoFilter({"q": q}, videos, request=request).qs, q=q)
        context["people"] = search_people(request.user, q)[:FOUND_PEOPLE]
        context["tags"] = find_tags(q)[:TAGS]
    return render(request, "feeds/search.html", context)


def _scroll(request: HttpRequest, mode: str) -> HttpResponse:
    """Render a page of clips.

    Context: `page` (as in the API), `next_url` (of the next page here), `tab`, `home_url`, and
    `suggestions` where there is nothing to show.
    """
    context: dict[str, Any] = {"tab": mode, "home_url": request.path}
    if mode == "all" or request.user.is_authenticated:
        asked = _asked(request, mode, CLIPS_PER_PAGE)
        if asked is None:
            return redirect(request.path)
        page = make_page(request.user, asked.seed, asked.skip, asked.limit)
        context |= {"page": represent_page(request, page), "next_url": _next_url(request, page)}
        if mode != "all" and not page.results and not asked.skip:
            context["suggestions"] = _suggestions(request)
    else:
        context["page"] = {"mode": mode, "end": True, "results": [], "seed": "", "skip": 0}
    template = "feeds/_articles.html" if _is_fragment(request) else "feeds/feed.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["X-Fragment"])
    return response


def _asked(request: HttpRequest, mode: str, limit: int) -> Asked | None:
    """Read the options; None for a seed that a person cannot go on with: start anew.

    A script gets the refusal instead, since it must not append another order.
    """
    names = ("order", "seed", "skip")
    options = {name: request.GET[name] for name in names if request.GET.get(name)}
    options |= {"mode": mode, "limit": str(limit)}
    try:
        return read_options(options, request.user.pk or NOBODY)
    except DomainError:
        if _is_fragment(request):
            raise
        return None


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("X-Fragment") == "1"


def _next_url(request: HttpRequest, page: Page) -> str | None:
    if page.end:
        return None
    return f"{request.path}?{urlencode({'seed': page.seed, 'skip': str(page.next_skip)})}"


def _suggestions(request: HttpRequest) -> list[User]:
    user = request.user
    return finding.suggest(user, SUGGESTED) if isinstance(user, User) else []


def _plain(field: str, text: str) -> str:
    """Refuse what the database would choke on."""
    if not text.isprintable():
        raise invalid(field, "control_characters", "Remove the control characters.")
    return text


def _grid(request: HttpRequest, videos: "QuerySet[Video]", **options: str) -> dict[str, Any]:
    """Return `cards` and `next_url` of a grid, latest first."""
    rows, next_id = after(videos.for_cards().order_by("-id"), request, TILES_PER_PAGE)  # type: ignore[attr-defined]
    next_url = None
    if next_id:
        next_url = f"{request.path}?{urlencode(options | {'after': str(next_id)})}"
    return {"cards": represent_videos(rows, request.user.pk), "next_url": next_url}
