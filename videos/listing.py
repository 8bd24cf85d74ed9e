"""Which videos the lists of a person hold, for the API and the pages alike."""

from typing import TYPE_CHECKING

from django.db.models import F, QuerySet

from accounts.models import User
from videos.models import Comment, CommentState, Video
from videos.models.video import VideoQuerySet

if TYPE_CHECKING:
    from accounts.models.user import Viewer


def videos_of(person: User, viewer: "Viewer") -> VideoQuerySet:
    """A person's videos that the viewer may see; one's own in every state. Latest first."""
    return Video.objects.visible_to(viewer).filter(author=person).order_by("-id")


def liked_by(user: User) -> VideoQuerySet:
    """Videos that the user likes and may see; `engaged_id` sorts by when, latest first."""
    liked = _visible(user).filter(likes__user=user).annotate(engaged_id=F("likes__id"))
    return liked.order_by("-engaged_id")


def saved_by(user: User) -> VideoQuerySet:
    """Videos that the user saved and may see; `engaged_id` sorts by when, latest first."""
    saved = _visible(user).filter(saves__user=user).annotate(engaged_id=F("saves__id"))
    return saved.order_by("-engaged_id")


def comments_of(video: Video, viewer: "Viewer", parent_id: int | None = None) -> QuerySet[Comment]:
    """The comments under a video, or the replies to one of them, that the viewer may see."""
    comments = Comment.objects.visible_to(viewer).not_muted_by(viewer)
    comments = comments.filter(video=video, parent=parent_id)
    return comments.select_related("author")


def pinned_of(video: Video, viewer: "Viewer") -> QuerySet[Comment]:
    """The comments that stand above the others; the last pinned comes first."""
    return comments_of(video, viewer).exclude(pinned_at=None).order_by("-pinned_at", "-id")


def held_for(author: User) -> QuerySet[Comment]:
    """Comments under somebody's videos that wait for their approval, the latest first."""
    held = Comment.objects.visible_to(author).filter(state=CommentState.HELD)
    return held.filter(video__author=author).select_related("author", "video").order_by("-id")


def _visible(user: User) -> VideoQuerySet:
    return Video.objects.published().visible_to(user)
