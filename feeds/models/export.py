"""Copies of all that is somebody's."""

from django.conf import settings
from django.db import models

from tiktok_clone.common.models import Timestamped


class Export(Timestamped):
    """A copy of all that somebody has here, made for them to download."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="exports")
    name = models.CharField(max_length=200, blank=True, help_text="Object name in the store.")
    size_bytes = models.BigIntegerField(default=0)
    ready_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export of {self.user_id}"
