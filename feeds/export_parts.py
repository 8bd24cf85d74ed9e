"""What an export holds: the tables of one person, as rows of plain values."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import F, QuerySet

from accounts.models import (
    Block,
    Decision,
    Follow,
    FollowRequest,
    Mute,
    MutedWord,
    Session,
    User,
)
from feeds.models import (
    Affinity,
    Bell,
    Impression,
    Notification,
    NotificationSwitch,
    NotInterested,
    RefusedCreator,
    RefusedTag,
    RemovedTaste,
)
from videos.models import Comment, CommentLike, Like, Rendition, Report, Save, Share, Video

Rows = Iterator[dict[str, Any]]
CHUNK = 500

README = """This is a copy of all that you have here.

profile.json           your account
videos.json            what you posted; the clips are in the folder videos, named by their id
comments.json          what you wrote; likes.json, saves.json, shares.json, comment_likes.json
following.json         whom you follow, and followers.json who follows you
blocks.json, mutes.json, muted_words.json, requests.json
history.json           what you watched, and for how long
affinity.json          what your feed makes of that: how much you seem to care for each video
notifications.json     what you were told of; notification_switches.json what you do not want to be,
                       and bells.json whose new clips you want to be
not_interested.json    clips that you do not want to see; refused_creators.json and
                       refused_hashtags.json of what you want less
removed_tastes.json    what you took out of what your feed knows
reports.json, sessions.json
decisions.json         what moderators decided about you, and your appeals

Times are in UTC, durations in seconds.
"""
PROFILE = (
    "id", "email", "email_verified_at", "handle", "name", "bio", "is_private",
    "findable_by_email", "follows_hidden", "comments_from", "comments_held", "profiling",
    "taste_since", "created_at", "last_login", "followers_count", "following_count",
    "videos_count", "likes_count",
)  # fmt: skip
VIDEO = (
    "id", "caption", "visibility", "comments_from", "comments_held", "status", "created_at",
    "published_at", "duration", "width", "height", "likes_count",
    "comments_count", "saves_count", "shares_count", "views_count", "watch_seconds",
)  # fmt: skip


def _rows(found: QuerySet[Any], *columns: str, **named: Any) -> Rows:
    """Read plain values in chunks; `named` columns are expressions or paths."""
    paths = {name: F(path) if isinstance(path, str) else path for name, path in named.items()}
    yield from found.order_by("pk").values(*columns, **paths).iterator(chunk_size=CHUNK)


def _acts(model: type[Any]) -> Callable[[User], Rows]:
    """Facts of a person and a video."""
    return lambda user: _rows(
        model.objects.filter(user=user),
        "video",
        "created_at",
        author="video__author__handle",
    )


def _people(model: type[Any], own: str, other: str) -> Callable[[User], Rows]:
    """Facts of a person and another one."""
    return lambda user: _rows(
        model.objects.filter(**{own: user}), "created_at", handle=f"{other}__handle"
    )


def _profile(user: User) -> Rows:
    return _rows(User.objects.filter(pk=user.pk), *PROFILE)


def _videos(user: User) -> Rows:
    return _rows(Video.objects.filter(author=user), *VIDEO)


def _comments(user: User) -> Rows:
    found = Comment.objects.filter(author=user)
    columns = ("id", "video", "text", "state", "created_at", "likes_count", "replies_count")
    return _rows(found, *columns, reply_to="parent_id")


def _comment_likes(user: User) -> Rows:
    return _rows(CommentLike.objects.filter(user=user), "comment", "created_at")


def _history(user: User) -> Rows:
    columns = ("video", "times", "seconds", "longest", "completed", "first_at", "last_at")
    found = Impression.objects.filter(user=user)
    return _rows(found, *columns, removed_at="forgotten_at")


def _affinity(user: User) -> Rows:
    found = Affinity.objects.filter(user=user)
    return _rows(found, "video", "strength", "followed", "acted_at")


def _refused_tags(user: User) -> Rows:
    return _rows(RefusedTag.objects.filter(user=user), "created_at", name="hashtag__name")


def _removed_tastes(user: User) -> Rows:
    found = RemovedTaste.objects.filter(user=user)
    return _rows(found, "removed_at", handle="creator__handle", name="hashtag__name")


def _reports(user: User) -> Rows:
    found = Report.objects.filter(user=user)
    return _rows(found, "video", "reason", "text", "created_at")


def _decisions(user: User) -> Rows:
    return _rows(
        Decision.objects.filter(person=user),
        "kind", "subject", "reason", "words", "created_at", "undone_at",
        appeal_text="appeal__text",
        appealed_at="appeal__created_at",
        appeal_state="appeal__state",
        appeal_answer="appeal__answer",
    )  # fmt: skip


def _muted_words(user: User) -> Rows:
    return _rows(MutedWord.objects.filter(user=user), "text", "created_at")


def _sessions(user: User) -> Rows:
    columns = ("kind", "user_agent", "ip", "created_at", "last_used_at", "ended_at")
    return _rows(Session.objects.filter(user=user), *columns)


def _notifications(user: User) -> Rows:
    """As the person may see them: an export tells nobody who blocks them."""
    found = Notification.objects.shown_to(user)
    return _rows(
        found, "kind", "video", "comment", "text", "created_at", "read_at", by="actor__handle"
    )


def _switches(user: User) -> Rows:
    return _rows(NotificationSwitch.objects.filter(user=user), "kind")


PARTS: dict[str, Callable[[User], Rows]] = {
    "profile": _profile,
    "videos": _videos,
    "comments": _comments,
    "likes": _acts(Like),
    "saves": _acts(Save),
    "shares": _acts(Share),
    "comment_likes": _comment_likes,
    "following": _people(Follow, "follower", "followee"),
    "followers": _people(Follow, "followee", "follower"),
    "requests": _people(FollowRequest, "requester", "target"),
    "blocks": _people(Block, "blocker", "blocked"),
    "mutes": _people(Mute, "muter", "muted"),
    "muted_words": _muted_words,
    "history": _history,
    "affinity": _affinity,
    "not_interested": _acts(NotInterested),
    "refused_creators": _people(RefusedCreator, "user", "creator"),
    "refused_hashtags": _refused_tags,
    "removed_tastes": _removed_tastes,
    "reports": _reports,
    "decisions": _decisions,
    "sessions": _sessions,
    "notifications": _notifications,
    "notification_switches": _switches,
    "bells": _people(Bell, "listener", "creator"),
}


def clips_of(user: User) -> Iterator[tuple[str, str]]:
    """Yield the name in the archive and in the store of each clip, in its best rendition."""
    best = (
        Rendition.objects.filter(video__author=user)
        .order_by("video_id", "-rung")
        .distinct("video_id")
    )
    for video_id, name in best.values_list("video_id", "name").iterator(chunk_size=CHUNK):
        yield f"videos/{video_id}.mp4", name
