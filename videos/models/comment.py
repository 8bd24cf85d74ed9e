"""Comments and replies, one level deep."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Exists, OuterRef

from accounts.models import Block, Mute
from tiktok_clone.common.models import Timestamped

if TYPE_CHECKING:
    from accounts.models.user import Viewer


class CommentQuerySet(models.QuerySet["Comment"]):
    """Reads of comments."""

    def visible_to(self, viewer: "Viewer") -> Self:
        """Comments of active people with no block between them and the viewer."""
        comments = self.filter(author__is_active=True, author__deleted_at=None)
        if viewer is None or viewer.pk is None:
            return comments
        return comments.exclude(Exists(Block.objects.between(viewer.pk, OuterRef("author"))))

    def not_muted_by(self, viewer: "Viewer") -> Self:
        """Without what the viewer does not want to come across."""
        if viewer is None or viewer.pk is None:
            return self
        return self.exclude(Exists(Mute.objects.filter(muter=viewer.pk, muted=OuterRef("author"))))


class Comment(Timestamped):
    """A text under a video; a reply has a parent, which is never itself a reply."""

    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="comments")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="comments", db_index=False
    )
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")
    text = models.CharField(max_length=1000)
    likes_count = models.PositiveIntegerField(default=0)
    replies_count = models.PositiveIntegerField(default=0)

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["video", "-id"], name="comment_of_video"),
            models.Index(fields=["parent", "id"], name="comment_replies"),
            models.Index(fields=["author", "video"], name="comment_by_author"),
            BrinIndex(fields=["created_at"], autosummarize=True, name="comment_by_age"),
        ]

    def __str__(self) -> str:
        return f"comment {self.pk} on video {self.video_id}"


class CommentLike(Timestamped):
    """Likes a comment."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="comment_likes")
    comment = models.ForeignKey(Comment, models.CASCADE, related_name="likes")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "comment"], name="comment_like_once")
        ]

    def __str__(self) -> str:
        return f"like of comment {self.comment_id} by {self.user_id}"
