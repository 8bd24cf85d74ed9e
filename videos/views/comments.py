"""The comments of a video as pages show them: a page of threads with their first replies."""

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import BigIntegerField, ExpressionWrapper, F, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from tiktok_clone.common.errors import not_found
from videos import listing
from videos.models import Comment, Video
from videos.representation import represent_comments, represent_videos
from videos.services import commenting
from videos.text import read_id
from videos.views.pager import after

COMMENTS_PER_PAGE = 20
REPLIES_SHOWN = 3
SORTS = ("newest", "top")
ROOM_FOR_IDS = 2**36  # a sort key holds the likes above the id; both fit into 63 bits


def render_comments(request: HttpRequest, video: Video, **more: Any) -> HttpResponse:
    """Render the comments as htmx wants them, or as a page of their own."""
    card = represent_videos([video], request.user.pk)[0]
    context = {"card": card} | comments_context(request, video) | more
    is_fragment = request.headers.get("HX-Request")
    template = "videos/_comments.html" if is_fragment else "videos/comments.html"
    return render(request, template, context, status=more.get("status", 200))


@require_safe
@login_required
def held(request: HttpRequest) -> HttpResponse:
    """The comments that wait for one's approval. Context: `comments`, each with its `video_url`."""
    author = cast(User, request.user)
    rows, next_id = after(listing.held_for(author), request, COMMENTS_PER_PAGE)
    shown = represent_comments(rows, author.pk)
    for comment, row in zip(shown, rows, strict=True):
        comment["video_url"] = reverse("video", args=[author.handle, row.video_id])
        comment["video_caption"] = row.video.caption
    next_url = f"{request.path}?after={next_id}" if next_id else None
    return render(request, "videos/held.html", {"comments": shown, "next_url": next_url})


def comments_context(request: HttpRequest, video: Video) -> dict[str, Any]:
    """What `videos/_comments.html` shows.

    `comments`: a page of comments as the API shapes them, pinned ones first, each with
    `can_delete` and `can_curate` (hide, approve, pin),
    `replies` (the first few, alike) and `replies_url` (of the whole thread, or None);
    with `?parent=` it is that thread alone, a page of its replies inside.
    `comments_next_url`: where the next page is, or None. `comments_url` and `sort`
    (newest, or top: the most liked first) for the links that change the order. `closed`: why
    the reader may not comment, or empty; `held`: whether what they write waits for approval.
    """
    base = reverse("video-comments", args=[video.author.handle, video.pk])
    raw = request.GET.get("parent", "")
    if raw:
        comments, next_id = _thread(request, video, raw)
        options = {"parent": comments[0]["id"]}
    else:
        comments, next_id = _threads(request, video, base)
        options = {"sort": "top"} if _sort(request) == "top" else {}
    options |= {"after": next_id} if next_id else {}
    return {
        "comments": comments,
        "comments_next_url": f"{base}?{urlencode(options)}" if next_id else None,
        "comments_url": base,
        "sort": _sort(request),
        **_composer(request, video),
    }


def _composer(request: HttpRequest, video: Video) -> dict[str, Any]:
    reader = request.user
    refused = commenting.refusal(reader, video)
    return {
        "closed": refused.message if refused else "",
        "held": not refused and isinstance(reader, User) and commenting.is_held(reader, video),
    }


def _sort(request: HttpRequest) -> str:
    asked = request.GET.get("sort", "")
    return asked if asked in SORTS else SORTS[0]


def _threads(
    request: HttpRequest, video: Video, base: str
) -> tuple[list[dict[str, Any]], int | None]:
    wanted = listing.comments_of(video, request.user).filter(pinned_at=None).order_by("-id")
    if _sort(request) == "top":
        key = F("likes_count") * ROOM_FOR_IDS + F("id")
        # Without the wide type Django takes every position for larger than any key can be.
        wide = ExpressionWrapper(key, output_field=BigIntegerField())
        wanted = wanted.annotate(sort_key=wide).order_by("-sort_key")
    rows, next_id = after(wanted, request, COMMENTS_PER_PAGE)
    if "after" not in request.GET:
        rows = [*listing.pinned_of(video, request.user), *rows]
    replies = _first_replies(request, rows)
    shown = _represent(request, video, rows + replies)
    comments, answers = shown[: len(rows)], shown[len(rows) :]
    for comment in comments:
        comment["replies"] = [answer for answer in answers if answer["parent"] == comment["id"]]
        is_cut = comment["replies_count"] > REPLIES_SHOWN
        comment["replies_url"] = f"{base}?parent={comment['id']}" if is_cut else None
    return comments, next_id


def _thread(
    request: HttpRequest, video: Video, raw: str
) -> tuple[list[dict[str, Any]], int | None]:
    roots = listing.comments_of(video, request.user)
    root = roots.filter(pk=read_id(raw) or 0).first()
    if root is None:
        raise not_found("comment")
    oldest = listing.comments_of(video, request.user, root.pk).order_by("id")
    rows, next_id = after(oldest, request, COMMENTS_PER_PAGE, ascending=True)
    comment, *replies = _represent(request, video, [root, *rows])
    return [comment | {"replies": replies, "replies_url": None}], next_id


def _first_replies(request: HttpRequest, roots: list[Comment]) -> list[Comment]:
    """The first replies of several comments in one query."""
    wanted = [root.pk for root in roots if root.replies_count]
    if not wanted:
        return []
    visible = Comment.objects.visible_to(request.user).not_muted_by(request.user)
    numbered = visible.filter(parent__in=wanted)
    number = Window(RowNumber(), partition_by=F("parent"), order_by="id")
    few = numbered.annotate(number=number).filter(number__lte=REPLIES_SHOWN)
    return list(few.select_related("author").order_by("id"))


def _represent(request: HttpRequest, video: Video, rows: list[Comment]) -> list[dict[str, Any]]:
    reader = request.user.pk
    shown = represent_comments(rows, reader)
    for comment in shown:
        allowed = (comment["author"]["id"], video.author_id)
        comment["can_delete"] = reader is not None and reader in allowed
        comment["can_curate"] = reader == video.author_id
    return shown
