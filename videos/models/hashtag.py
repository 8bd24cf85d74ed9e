"""What captions refer to."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from tiktok_clone.common.models import Searchable, Timestamped


class Hashtag(Timestamped, Searchable):
    """A tag, folded (NFKC, case) and without the sign."""

    SEARCHED = ("name",)

    name = models.CharField(max_length=50, unique=True)
    videos_count = models.PositiveIntegerField(default=0, help_text="Published public videos.")
    trend = models.FloatField(
        default=0, db_default=0, help_text="Use in these days; decays with time."
    )

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


class Mention(Timestamped):
    """A person named in a caption."""

    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "user"], name="mention_once")]

    def __str__(self) -> str:
        return f"user {self.user_id} in video {self.video_id}"
