"""What operations do when something happens in the lower apps."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import user_purging
from tiktok_clone.operations import erasing


@receiver(user_purging)
def note_erasure(user: User, **_: Any) -> None:
    """From now on it is watched until nothing of the account is left in the stores."""
    erasing.note(user)
