"""What people want no more of, and what was to be forgotten of their taste."""

from django.conf import settings
from django.db import models

from tiktok_clone.common.models import Timestamped


class NotInterested(Timestamped):
    """A person does not want to see a video, nor more of its kind."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="+")

    class Meta:
        verbose_name_plural = "not interested"
        constraints = [
            models.UniqueConstraint(fields=["user", "video"], name="not_interested_once")
        ]

    def __str__(self) -> str:
        return f"video {self.video_id} not for {self.user_id}"


class RefusedCreator(Timestamped):
    """A person wants nothing of a creator recommended; whom they follow stays in `following`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "creator"], name="refused_creator_once")
        ]

    def __str__(self) -> str:
        return f"{self.creator_id} not for {self.user_id}"


class RefusedTag(Timestamped):
    """A person wants nothing with a hashtag recommended."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    hashtag = models.ForeignKey("videos.Hashtag", models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "hashtag"], name="refused_tag_once")]

    def __str__(self) -> str:
        return f"hashtag {self.hashtag_id} not for {self.user_id}"


class RemovedTaste(Timestamped):
    """A person took a creator or a hashtag out of what was learned about them.

    What they did before with clips of it says nothing any more; what they do from then on does.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+"
    )
    hashtag = models.ForeignKey("videos.Hashtag", models.CASCADE, null=True, related_name="+")
    removed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "creator"], name="removed_creator_once"),
            models.UniqueConstraint(fields=["user", "hashtag"], name="removed_tag_once"),
            models.CheckConstraint(
                condition=models.Q(creator__isnull=True) ^ models.Q(hashtag__isnull=True),
                name="removed_one_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.creator_id or self.hashtag_id} removed by {self.user_id}"
