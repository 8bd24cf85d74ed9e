"""What people tell the moderators."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Reason
from tiktok_clone.common.models import Timestamped


class Report(Timestamped):
    """One person's report of a video."""

    class Outcome(models.TextChoices):
        DISMISSED = "dismissed", "Nothing wrong with it"
        SHOWN = "shown", "Video shown again"
        WARNED = "warned", "Author warned"
        HIDDEN = "hidden", "Video hidden"
        REMOVED = "removed", "Video removed"
        SUSPENDED = "suspended", "Author suspended"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reports")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="reports")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    text = models.CharField(max_length=500, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "video"], name="report_once")]
        indexes = [
            models.Index(
                fields=["video", "created_at"], condition=Q(resolved_at=None), name="report_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.reason} report of video {self.video_id}"
