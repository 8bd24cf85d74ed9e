"""Who may sign up where that needs an invitation."""

import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from tiktok_clone.common.models import Timestamped


def new_code() -> str:
    """Return a code that nobody guesses: 96 bits, safe in a URL."""
    return secrets.token_urlsafe(12)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Reads of invitations."""

    def usable(self) -> Self:
        """Neither used up nor too old."""
        in_time = Q(expires_at=None) | Q(expires_at__gt=Now())
        return self.filter(in_time, used_count__lt=F("max_uses"))


class Invitation(Timestamped):
    """A code with which so many people may sign up."""

    code = models.CharField(max_length=40, unique=True, default=new_code)
    note = models.CharField(max_length=100, blank=True, help_text="For whom, or what for.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    max_uses = models.PositiveIntegerField(default=1)
    used_count = models.PositiveIntegerField(default=0, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(used_count__lte=F("max_uses")), name="invitation_not_overused"
            )
        ]

    @property
    def link(self) -> str:
        """The address to send: the sign-up page with the code filled in."""
        return f"{settings.SITE_URL}{reverse('signup')}?invitation={self.code}"

    def __str__(self) -> str:
        return f"{self.code} ({self.used_count} of {self.max_uses} used)"
