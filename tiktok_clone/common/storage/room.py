"""Room in the store: asked before bytes come in, and what is said when it takes none."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.storage.calls import StoreError

CODE = "storage_full"
SENTENCE = "The server has no room for it at the moment. Nothing is lost: try again later."
RETRY_AFTER = 600
UNAVAILABLE = "store_unavailable"
UNAVAILABLE_SENTENCE = "The media store does not answer at the moment. Try again in a minute."
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
    """Turn "no space left" into `storage_full` (507), a silent Cloudinary into a 503."""
    try:
        yield
    except StoreError as error:
        raise DomainError(
            UNAVAILABLE, UNAVAILABLE_SENTENCE, status=503, retry_after=error.retry_after or 30
        ) from error
    except OSError as error:
        if not is_full(error):
            raise
        raise storage_full() from error
