"""What people do with a video: each fact at most once."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from tiktok_clone.common.models import Timestamped


class Engagement(Timestamped):
    """A person and a video."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="%(class)ss")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="%(class)ss")

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["user", "video"], name="%(class)s_once")]
        indexes = [
            models.Index(fields=["video", "-id"], name="%(class)s_of_video"),
            BrinIndex(fields=["created_at"], autosummarize=True, name="%(class)s_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.model_name} of video {self.video_id} by {self.user_id}"


class Like(Engagement):
    """Likes it."""


class Save(Engagement):
    """Keeps it for later."""


class Share(Engagement):
    """Passed it on; counted once a person."""
