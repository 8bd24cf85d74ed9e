"""Where a person is signed in: one row for each browser and each API client."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from tiktok_clone.common.models import Timestamped


class SessionQuerySet(models.QuerySet["Session"]):
    """Reads of sessions."""

    def live(self) -> Self:
        """Sessions that have not ended."""
        return self.filter(ended_at=None)


class Session(Timestamped):
    """A sign-in. For the API it names the one refresh token that is valid now."""

    class Kind(models.TextChoices):
        BROWSER = "browser"
        API = "api"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    token_id = models.UUIDField(null=True, help_text="The valid refresh token (API).")
    session_key = models.CharField(
        max_length=40, blank=True, db_index=True, help_text="Django's session (browser)."
    )
    user_agent = models.CharField(max_length=200, blank=True)
    ip = models.GenericIPAddressField(null=True)
    last_used_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, db_index=True)
    ended_reason = models.CharField(max_length=24, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["user", "-last_used_at"],
                condition=models.Q(ended_at=None),
                name="session_live_of_user",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} session of {self.user_id}"
