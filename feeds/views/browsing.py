"""The pages to look around in: Explore and the hashtags."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.people import mutes_tag
from feeds.prefetch import prepare_after
from feeds.search import find_tags
from feeds.trending import trending_tags, trending_videos
from feeds.views.scrolling import fresh, next_url, page_for, people_to_follow
from tiktok_clone.common.errors import not_found
from tiktok_clone.common.folding import fold_tag
from tiktok_clone.common.searching import clean_query
from videos.filters import VideoFilter
from videos.models import Hashtag, Video
from videos.relevance import ranked
from videos.representation import represent_videos
from videos.views.pager import after

if TYPE_CHECKING:
    from accounts.models.user import Viewer

TILES_PER_PAGE = 24
POPULAR = 12
TAGS = 12


@require_safe
@fresh
def explore(request: HttpRequest) -> HttpResponse:
    """What trends, whom to follow, and everybody's videos as a grid.

    Context: `cards` and `next_url` of the grid; on its first page also `tags`, `popular`
    (cards) and `people`.
    """
    page = page_for(request, "all", TILES_PER_PAGE)
    if page is None:
        return redirect(request.path)
    context: dict[str, Any] = {"cards": page.results, "next_url": next_url(request, page)}
    if not page.skip:
        popular = trending_videos(request.user).for_cards()[:POPULAR]
        context |= {
            "tags": tags_now(request.user),
            "popular": represent_videos(popular, request.user.pk),
            "people": people_to_follow(request),
        }
    response = render(request, "feeds/explore.html", context)
    prepare_after(response, request.user.pk, page)
    return response


@require_safe
def tag(request: HttpRequest, name: str) -> HttpResponse:
    """Videos with a hashtag. Context: `name`, `count`, `tab`, `muted`, `cards`, `next_url`."""
    folded = fold_tag(clean_query("tag", name))
    if not folded.strip() or "/" in folded:  # folding makes a slash of some signs
        raise not_found("hashtag")
    if folded != name:
        return redirect("tag", folded)
    videos = Video.objects.published().visible_to(request.user)
    videos = VideoFilter({"tag": name}, videos, request=request).qs
    tab = "latest" if request.GET.get("tab") == "latest" else "popular"
    if tab == "latest":
        context = grid(request, videos.order_by("-id"), tab=tab)
    else:
        context = grid(request, ranked(videos))
    known = Hashtag.objects.filter(name=name).first()
    context |= {
        "name": name,
        "tab": tab,
        "count": known.videos_count if known else None,
        "muted": mutes_tag(request.user, name),
    }
    return render(request, "feeds/tag.html", context)


def tags_now(viewer: "Viewer") -> list[Hashtag]:
    """Trending hashtags; on a quiet site those that are used most."""
    return list(trending_tags(viewer)[:TAGS]) or list(find_tags(viewer)[:TAGS])


def grid(request: HttpRequest, videos: "QuerySet[Video]", **options: str) -> dict[str, Any]:
    """Return `cards` and `next_url` of a page of tiles; `options` are those of its address."""
    rows, last = after(videos.for_cards(), request, TILES_PER_PAGE)  # type: ignore[attr-defined]
    return {
        "cards": represent_videos(rows, request.user.pk),
        "next_url": continued(request, last, **options),
    }


def continued(request: HttpRequest, last: int | str | None, **options: str) -> str | None:
    """Address of the page after the row with this key; None at the end."""
    if last is None:
        return None
    return f"{request.path}?{urlencode(options | {'after': str(last)})}"
