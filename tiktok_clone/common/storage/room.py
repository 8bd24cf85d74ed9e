"""Room on the store's disk: asked before bytes come in, and told apart from other faults."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from tiktok_clone.common.errors import DomainError

CODE = "storage_full"
SENTENCE = "The server has no room for it at the moment. Nothing is lost: try again later."
RETRY_AFTER = 600
# EFBIG is what a limit on the size of files gives, which to us is one more kind of full.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What C programs say of the first two.
TEXTS = ("No space left on device", "Disk quota exceeded")


def is_full(error: BaseException) -> bool:
    """Whether an error, of ours or in the words of a program, says that the disk is full."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return any(text in str(error) for text in TEXTS)


def storage_full() -> DomainError:
    """The answer for what finds no room: 507, for the client to try again later."""
    return DomainError(CODE, SENTENCE, status=507, retry_after=RETRY_AFTER)


def has_room(size: int) -> bool:
    """Whether `size` more bytes leave MIN_FREE_BYTES on the disk of the store."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free - size >= settings.MIN_FREE_BYTES


def check_room(size: int) -> None:
    """Raise `storage_full` (507) when `size` more bytes would leave less than MIN_FREE_BYTES."""
    if not has_room(size):
        raise storage_full()


@contextmanager
def refusing_when_full() -> Iterator[None]:
    """Turn the system's "no space left" into `storage_full` (507)."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise storage_full() from error
