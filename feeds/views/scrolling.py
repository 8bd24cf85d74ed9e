"""The pages that scroll: for you, following, friends, everybody's.

With the header `X-Fragment: 1` a scrolling page answers its clips alone, for the script
that appends them; without a script, the same address is a complete page.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import finding
from accounts.models import User
from feeds.options import read_options, seed_of
from feeds.paging import Page, make_page
from feeds.prefetch import prepare_after
from feeds.prepared import take
from feeds.seeds import NOBODY
from tiktok_clone.common.errors import DomainError

CLIPS_PER_PAGE = 10
SUGGESTED = 6
CIRCLES = ("following", "friends")

fresh = cache_control(private=True, no_cache=True)


@require_safe
@fresh
def feed(request: HttpRequest) -> HttpResponse:
    """What is ranked for the reader; everybody's videos for visitors, whose taste nobody knows."""
    return _scroll(request, "for-you" if request.user.is_authenticated else "all")


@require_safe
@fresh
def everybody(request: HttpRequest) -> HttpResponse:
    """Everybody's videos in a shuffled order."""
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


def _scroll(request: HttpRequest, mode: str) -> HttpResponse:
    """Render a page of clips.

    Context: `page`, `next_url` (of the next page here), `tab`, `home_url`, and `suggestions`
    where there is nothing to show.
    """
    context: dict[str, Any] = {"tab": mode, "home_url": request.path}
    page = None
    if mode == "all" or request.user.is_authenticated:
        page = page_for(request, mode, CLIPS_PER_PAGE)
        if page is None:
            return redirect(request.path)
        context |= {"page": page, "next_url": next_url(request, page)}
        if mode in CIRCLES and not page.shown and not page.skip:
            context["suggestions"] = people_to_follow(request)
    else:
        context["page"] = {"mode": mode, "end": True, "results": [], "seed": "", "skip": 0}
    template = "feeds/_articles.html" if is_fragment(request) else "feeds/feed.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["X-Fragment"])
    if page is not None:
        prepare_after(response, request.user.pk, page)
    return response


def page_for(request: HttpRequest, mode: str, limit: int) -> Page | None:
    """Return the page asked for; None for a seed that a person cannot go on with: start anew.

    A script gets the refusal instead, since it must not append another order.
    """
    names = ("order", "seed", "skip")
    options = {name: request.GET[name] for name in names if request.GET.get(name)}
    options |= {"mode": mode, "limit": str(limit)}
    reader = request.user.pk or NOBODY
    try:
        asked = read_options(options)
        page = take(reader, asked) if reader != NOBODY else None
        return page or make_page(request.user, seed_of(asked, reader), asked.skip, asked.limit)
    except DomainError:
        if is_fragment(request):
            raise
        return None


def is_fragment(request: HttpRequest) -> bool:
    """Whether a script asks for a part of the page."""
    return request.headers.get("X-Fragment") == "1"


def next_url(request: HttpRequest, page: Page) -> str | None:
    """Address of the next page here; None at the end."""
    if page.end:
        return None
    return f"{request.path}?{urlencode({'seed': page.seed, 'skip': str(page.next_skip)})}"


def people_to_follow(request: HttpRequest) -> list[User]:
    """Whom the reader might like; for visitors the best known."""
    return finding.suggest(request.user, SUGGESTED)
