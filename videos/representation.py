"""The one shape of a video, for the API, for feed cards and for templates.

What every reader sees alike is in `represent_video`, so that it can be cached and
shared; what depends on the reader comes from `reader_state` and is merged in.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import CharField, Value

from accounts.models import User
from tiktok_clone.common.storage import store
from videos.models import Comment, CommentLike, Like, Save, Status, Video, Visibility

SOURCE_TYPE = "video/mp4"
SPRITE_COLUMNS = 10  # as videos.media.stills makes it
Card = dict[str, Any]


def represent_video(video: Video) -> Card:
    """Return what everybody sees of a video, ready for JSON.

    Args:
        video: loaded with `for_cards()`; otherwise each call costs queries.

    Returns:
        `{id, status, progress, reason, caption, author, hashtags, visibility, comments_from,
        comments_held, sources, poster, preview, sprite, subtitles, placeholder, duration, width,
        height, *_count, created_at, published_at, url, share_url}`; times are ISO 8601 in UTC,
        `duration` is in seconds, `bitrate` in bits a second. Sources go from small to large and are
        empty until the video is ready. The sprite `{url, columns}` is a row of stills, each
        from the middle of its part of the clip; `preview` moves.
    """
    path = video.get_absolute_url()
    public = is_for_everybody(video)
    return {
        "id": video.pk,
        "status": str(video.status),
        "progress": video.progress,
        "reason": video.reason or None,
        "reason_code": video.reason_code or None,
        "caption": video.caption,
        "author": represent_author(video.author),
        "hashtags": [tag.name for tag in video.hashtags.all()],
        "visibility": str(video.visibility),
        "comments_from": str(video.comments_from),
        "comments_held": str(video.comments_held),
        "sources": _sources(video, public) if video.status == Status.READY else [],
        "poster": _url(video.poster, public),
        "preview": _url(video.preview, public),
        "sprite": _sprite(video, public),
        "subtitles": _subtitles(video, path),
        "placeholder": video.placeholder or None,
        "duration": video.duration,
        "width": video.width,
        "height": video.height,
        "likes_count": video.likes_count,
        "comments_count": video.comments_count,
        "saves_count": video.saves_count,
        "shares_count": video.shares_count,
        "views_count": video.views_count,
        "created_at": iso(video.created_at),
        "published_at": iso(video.published_at),
        "url": path,
        "share_url": f"{settings.SITE_URL}{path}",
    }


def is_for_everybody(video: Video) -> bool:
    """Whether its files may be served to anybody and cached by anybody."""
    return (
        video.visibility == Visibility.PUBLIC and not video.author.is_private and video.is_published
    )


def poster_url(video: Video) -> str | None:
    """Return the address of a video's poster (its author loaded); None where it has none."""
    return _url(video.poster, is_for_everybody(video))


def represent_author(author: User) -> dict[str, Any]:
    """Return the few public facts shown beside a video or a comment."""
    return {
        "id": author.pk,
        "handle": author.handle,
        "name": author.name,
        "avatar": author.avatar_url,
        "url": author.get_absolute_url(),
    }


def reader_state(user_id: int | None, video_ids: Iterable[int]) -> dict[int, dict[str, bool]]:
    """Return `{video id: {"liked", "saved"}}` of one reader, for every id asked, in one query.

    Nobody signed in (None) gets an empty dict: the answer then has no such fields.
    """
    ids = list(video_ids)
    if user_id is None:
        return {}
    state = {video_id: {"liked": False, "saved": False} for video_id in ids}
    if not ids:
        return state
    liked, saved = (
        model.objects.filter(user=user_id, video__in=ids)
        .order_by()
        .values_list("video_id", Value(kind, output_field=CharField()))
        for model, kind in ((Like, "liked"), (Save, "saved"))
    )
    for video_id, kind in liked.union(saved, all=True):
        state[video_id][kind] = True
    return state


def represent_videos(videos: Iterable[Video], user_id: int | None) -> list[Card]:
    """Return the cards of videos (loaded with `for_cards()`) as one reader sees them."""
    rows = list(videos)
    state = reader_state(user_id, [video.pk for video in rows])
    return [represent_video(video) | state.get(video.pk, {}) for video in rows]


def represent_comments(comments: Iterable[Comment], user_id: int | None) -> list[dict[str, Any]]:
    """Return comments (their authors loaded) as one reader sees them.

    `parent` is the id of the comment replied to; `liked` is there for who is signed in.
    """
    rows = list(comments)
    liked: set[int] = set()
    if user_id is not None and rows:
        likes = CommentLike.objects.filter(user=user_id, comment__in=[row.pk for row in rows])
        liked = set(likes.values_list("comment_id", flat=True))
    return [_comment(row) | ({} if user_id is None else {"liked": row.pk in liked}) for row in rows]


def _comment(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.pk,
        "video": comment.video_id,
        "text": comment.text,
        "author": represent_author(comment.author),
        "parent": comment.parent_id,
        "state": str(comment.state),
        "pinned": comment.pinned_at is not None,
        "likes_count": comment.likes_count,
        "replies_count": comment.replies_count,
        "created_at": iso(comment.created_at),
    }


def iso(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC with a Z, as the REST framework writes it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _url(name: str, public: bool) -> str | None:
    return store(name).url(name, public=public) if name else None


def _sprite(video: Video, public: bool) -> dict[str, Any] | None:
    if not video.sprite:
        return None
    return {"url": _url(video.sprite, public), "columns": SPRITE_COLUMNS}


def _subtitles(video: Video, path: str) -> list[dict[str, str]]:
    """The address changes with the text, so that a player never shows an older one."""
    return [
        {
            "language": row.language,
            "label": row.label,
            "url": f"{path}/subtitles/{row.language}.vtt?v={row.created_at.timestamp():.0f}",
        }
        for row in video.subtitles.all()
    ]


def _sources(video: Video, public: bool) -> list[dict[str, Any]]:
    return [
        {
            "url": _url(rendition.name, public),
            "width": rendition.width,
            "height": rendition.height,
            "type": SOURCE_TYPE,
            "bitrate": rendition.bitrate,
        }
        for rendition in video.renditions.all()
    ]
