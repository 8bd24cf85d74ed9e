"""What this app does when something happens to an account."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import user_purging
from videos.services.forgetting import forget_person


@receiver(user_purging)
def forget(user: User, **_: Any) -> None:
    """Take back what the person did, before the cascade would, so that counts stay exact."""
    forget_person(user.pk)
