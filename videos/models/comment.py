"""Comments and replies, one level deep."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Block, User
from tiktok_clone.common.models import Searchable, Timestamped
from videos.models.muting import by_muted_person, has_muted_word
from videos.text import hashtags

if TYPE_CHECKING:
    from accounts.models.user import Viewer


class CommentState(models.TextChoices):
    """Who sees a comment; its author and the video's see it in every state."""

    SHOWN = "shown"  # whoever sees the video
    HELD = "held"  # waits for the approval of the video's author
    HIDDEN = "hidden"  # by the video's author


_OPEN_PARENT = Q(parent=None) | Q(parent__state=CommentState.SHOWN)


class CommentQuerySet(models.QuerySet["Comment"]):
    """Reads of comments."""

    def visible_to(self, viewer: "Viewer") -> Self:
        """Comments of active people with no block between them and the viewer.

        What is held or hidden, and what hangs below it, is for those whom it concerns.
        """
        comments = self.filter(author__is_active=True, author__deleted_at=None)
        if viewer is None or viewer.pk is None:
            return comments.counted()
        own_video = Q(video__author=viewer.pk)
        itself = Q(state=CommentState.SHOWN) | Q(author=viewer.pk) | own_video
        parent = _OPEN_PARENT | Q(parent__author=viewer.pk) | own_video
        blocks = Exists(Block.objects.between(viewer.pk, OuterRef("author")))
        return comments.filter(itself, parent).exclude(blocks)

    def counted(self) -> Self:
        """Shown to everybody, so that it counts: itself, and the comment replied to."""
        return self.filter(_OPEN_PARENT, state=CommentState.SHOWN)

    def not_muted_by(self, viewer: "Viewer") -> Self:
        """Without people, words and hashtags that the viewer does not want to come across."""
        if not isinstance(viewer, User):
            return self
        comments = self.exclude(by_muted_person(viewer.pk))
        if not viewer.mutes_words:
            return comments
        return comments.exclude(~Q(author=viewer.pk) & Q(has_muted_word(viewer.pk)))


class Comment(Timestamped, Searchable):
    """A text under a video; a reply has a parent, which is never itself a reply."""

    SEARCHED = ("text",)

    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="comments")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="comments", db_index=False
    )
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")
    text = models.CharField(max_length=1000)
    state = models.CharField(
        max_length=6,
        choices=CommentState.choices,
        default=CommentState.SHOWN,
        db_default=CommentState.SHOWN,
    )
    pinned_at = models.DateTimeField(null=True, help_text="Stands above the others since then.")
    likes_count = models.PositiveIntegerField(default=0)
    replies_count = models.PositiveIntegerField(default=0, help_text="Shown ones.")

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["video", "-id"], name="comment_of_video"),
            models.Index(
                fields=["video"], condition=Q(state=CommentState.HELD), name="comment_held"
            ),
            models.Index(
                fields=["video"], condition=Q(pinned_at__isnull=False), name="comment_pinned"
            ),
            models.Index(fields=["parent", "id"], name="comment_replies"),
            models.Index(fields=["author", "video"], name="comment_by_author"),
            BrinIndex(fields=["created_at"], autosummarize=True, name="comment_by_age"),
        ]

    def __str__(self) -> str:
        return f"comment {self.pk} on video {self.video_id}"

    def folded(self) -> str:
        """Its words, and its hashtags with their sign, since they have no rows as a video's do."""
        return " ".join([super().folded(), *(f"#{tag}" for tag in hashtags(self.text))])


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
