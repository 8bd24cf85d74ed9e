"""How often Cloudinary's Admin API may be asked: one count, hour by hour, for all processes.

Its plans allow so many calls an hour, and who has used them up is answered nothing until the
hour is over. So sweeps and removals, which can wait, leave a reserve to people, who cannot.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from tiktok_clone.common.models import AdminHour

HOUR = timedelta(hours=1)
KEPT = timedelta(days=7)
# What those who can wait may use of it.
PART = 2 / 3
_can_wait = ContextVar("can_wait", default=False)


@contextmanager
def leaving_reserve() -> Iterator[None]:
    """For work that can wait for the next hour: in the block, not all of an hour is used."""
    before = _can_wait.set(True)
    try:
        yield
    finally:
        _can_wait.reset(before)


def take() -> int:
    """Count a call that is about to be made, if it may be.

    Returns:
        0, or the seconds until the next hour when this one is used up.
    """
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    limit = settings.CLOUDINARY_CALLS * (PART if _can_wait.get() else 1)
    if AdminHour.objects.get_or_create(hour=hour)[1]:
        AdminHour.objects.filter(hour__lt=hour - KEPT).delete()
    # One conditional update, so that many at once cannot take more than there is.
    if AdminHour.objects.filter(hour=hour, calls__lt=limit).update(calls=F("calls") + 1):
        return 0
    return int((hour + HOUR - now).total_seconds()) + 1
