"""The signing epoch, read at most once a second by each process."""

import time
import uuid

from django.core.signals import setting_changed

from tiktok_clone.common.models import SigningEpoch

_LIFETIME = 1.0
_cached: tuple[float, str] = (0.0, "")


def current_epoch() -> str:
    """Return the epoch that tokens must carry, as 32 hex digits."""
    global _cached
    read_at, value = _cached
    now = time.monotonic()
    if not value or now - read_at > _LIFETIME:
        row, _ = SigningEpoch.objects.get_or_create(id=1)
        value = row.value.hex
        _cached = (now, value)  # from before the query: what it found may be old when it comes back
    return value


def renew_epoch() -> None:
    """Make every token signed so far invalid."""
    SigningEpoch.objects.update_or_create(id=1, defaults={"value": uuid.uuid4()})
    forget_epoch()


def forget_epoch(**_: object) -> None:
    """Drop the cached value; the next read asks the database."""
    global _cached
    _cached = (0.0, "")


setting_changed.connect(forget_epoch)
