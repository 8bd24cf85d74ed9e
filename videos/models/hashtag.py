"""What captions refer to."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import MutedWord, User
from tiktok_clone.common.models import Searchable, Timestamped
from videos.models.muting import IsAny, has_muted_word

if TYPE_CHECKING:
    from accounts.models.user import Viewer


class HashtagQuerySet(models.QuerySet["Hashtag"]):
    """Reads of hashtags."""

    def not_muted_by(self, viewer: "Viewer") -> Self:
        """Without those that the viewer mutes, or that have a word which they mute."""
        if not isinstance(viewer, User) or not viewer.mutes_words:
            return self
        muted = Q(name__in=MutedWord.objects.tags_of(viewer.pk))
        return self.exclude(muted | Q(has_muted_word(viewer.pk)))


class Hashtag(Timestamped, Searchable):
    """A tag, folded (NFKC, case) and without the sign."""

    SEARCHED = ("name",)

    name = models.CharField(max_length=50, unique=True)
    videos_count = models.PositiveIntegerField(default=0, help_text="Published public videos.")
    trend = models.FloatField(
        default=0, db_default=0, help_text="Use in these days; decays with time."
    )

    objects = HashtagQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-trend"], condition=Q(trend__gt=0), name="hashtag_by_trend"),
            # For prefixes, whatever the database's collation.
            models.Index(
                fields=["search_text"], opclasses=["text_pattern_ops"], name="hashtag_by_prefix"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.name}"


class VideoHashtag(models.Model):
    """A tag in a caption."""

    video = models.ForeignKey("videos.Video", models.CASCADE)
    hashtag = models.ForeignKey(Hashtag, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "hashtag"], name="tag_once")]
        indexes = [models.Index(fields=["hashtag", "-video"], name="tag_videos")]

    def __str__(self) -> str:
        return f"tag {self.hashtag_id} of video {self.video_id}"


def has_muted_tag(viewer: int) -> Exists:
    """Whether a video has a hashtag that the viewer mutes; the hashtags are read once a query."""
    muted = Hashtag.objects.filter(name__in=MutedWord.objects.tags_of(viewer)).values("pk")
    is_muted = IsAny("hashtag", ArraySubquery(muted))
    return Exists(VideoHashtag.objects.filter(is_muted, video=OuterRef("pk")))


class Mention(Timestamped):
    """A person named in a caption."""

    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "user"], name="mention_once")]

    def __str__(self) -> str:
        return f"user {self.user_id} in video {self.video_id}"
