"""The video's page, its comments, and the grid of a profile."""

from typing import Any
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import Follow, User
from tiktok_clone.common.errors import not_found
from videos import listing
from videos.models import Status, Video
from videos.representation import Card, is_for_everybody, represent_videos
from videos.views.comments import comments_context, render_comments
from videos.views.pager import after

TILES_PER_PAGE = 24
TABS = ("videos", "liked", "saved")


@require_safe
def video(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """A video with its player, its links for previews, and its first comments.

    Context: `card` (with `author.following` for who is signed in), `own`, `previews` (what
    other sites show of it, None for what is not for everybody), and what
    `videos/_comments.html` shows (`comments` is None for what is not published).
    """
    found = visible_video(request, video_id)
    if found.author.handle != handle:
        return redirect(found)  # renamed, or a guess: one address for each video
    if found.status != Status.READY:  # one's own: how it goes, and retry and delete
        return redirect("upload-status", handle, video_id)
    card = reader_card(request, found)
    context = {
        "card": card,
        "own": request.user.pk == found.author_id,
        "previews": _previews(card) if is_for_everybody(found) else None,
        "comments": None,
    }
    if found.is_published:
        context |= comments_context(request, found)
    return render(request, "videos/video.html", context)


@require_safe
@vary_on_headers("HX-Request")
def video_comments(request: HttpRequest, handle: str, video_id: int) -> HttpResponse:
    """The comments alone for htmx, or a page of their own; `?parent=` shows one thread."""
    return render_comments(request, visible_video(request, video_id))


@require_safe
@vary_on_headers("HX-Request", "X-Fragment")
def profile_videos(request: HttpRequest, handle: str) -> HttpResponse:
    """The grid of a profile: `?tab=videos`, and for the owner `liked` and `saved`.

    Context: `cards`, `person`, `tab`, `own`, `next_url`.
    """
    person = User.objects.visible_to(request.user).filter(handle=handle.lower()).first()
    if person is None:
        raise not_found("person")
    own = person.pk == request.user.pk
    tab = request.GET.get("tab", "videos")
    if tab not in TABS or (tab != "videos" and not own):
        raise not_found("page")
    rows, next_id = after(_tab(tab, person, request), request, TILES_PER_PAGE)
    next_url = None
    if next_id:
        options = urlencode({"tab": tab, "after": next_id})
        next_url = f"{reverse('profile-videos', args=[person.handle])}?{options}"
    context = {
        "cards": represent_videos(rows, request.user.pk),
        "person": person,
        "tab": tab,
        "own": own,
        "next_url": next_url,
    }
    is_fragment = request.headers.get("HX-Request") or request.headers.get("X-Fragment")
    template = "videos/_grid.html" if is_fragment else "videos/profile_videos.html"
    return render(request, template, context)


@require_safe
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Show the keys of the feed, and the switch that turns the single ones off."""
    return render(request, "videos/shortcuts.html")


def visible_video(request: HttpRequest, video_id: int) -> Video:
    """Return a video that the reader may see, loaded for a card; else raise 404."""
    found = Video.objects.visible_to(request.user).for_cards().filter(pk=video_id).first()
    if found is None:
        raise not_found("video")
    return found


def reader_card(request: HttpRequest, found: Video) -> Card:
    """Return a video's card as the reader sees it, `author.following` included."""
    reader = request.user.pk
    card = represent_videos([found], reader)[0]
    if reader is not None:
        follows = Follow.objects.filter(follower=reader, followee=found.author_id)
        card["author"]["following"] = follows.exists()
    return card


def _previews(card: Card) -> dict[str, Any]:
    """Absolute addresses for the tags that other sites read."""
    source = card["sources"][-1] if card["sources"] else None
    oembed = f"{reverse('oembed')}?{urlencode({'url': card['share_url']})}"
    return {
        "image": _absolute(card["poster"]) if card["poster"] else None,
        "video": _absolute(source["url"]) if source else None,
        "source": source,
        "oembed": _absolute(oembed),
    }


def _absolute(url: str) -> str:
    return urljoin(f"{settings.SITE_URL}/", url)


def _tab(tab: str, person: User, request: HttpRequest) -> Any:
    if tab == "videos":
        return listing.videos_of(person, request.user).for_cards()
    engaged = listing.liked_by(person) if tab == "liked" else listing.saved_by(person)
    return engaged.for_cards()
