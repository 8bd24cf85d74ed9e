"""The signing epoch, read at most once a second by each process."""

import uuid

from tiktok_clone.common.models import SigningEpoch
from tiktok_clone.common.recent import Recent


def current_epoch() -> str:
    """Return the epoch that tokens must carry, as 32 hex digits."""
    return _epoch.get()


def renew_epoch() -> None:
    """Make every token signed so far invalid."""
    SigningEpoch.objects.update_or_create(id=1, defaults={"value": uuid.uuid4()})
    forget_epoch()


def forget_epoch() -> None:
    """Drop the remembered value; the next read asks the database."""
    _epoch.forget()


def _read() -> str:
    row, _ = SigningEpoch.objects.get_or_create(id=1)
    return row.value.hex


_epoch = Recent(_read)
