"""Where bytes live: one small interface, so that the rest does not know which store it is.

Names are chosen by the server, never by a user, and no name is ever written twice.
"""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from tiktok_clone.common.storage.local import LocalStore

__all__ = ["LocalStore", "incoming", "store"]


def store() -> LocalStore:
    """The store in use."""
    return _local(Path(settings.MEDIA_ROOT))


def incoming() -> Path:
    """The folder for files on their way in, on the store's filesystem; made when missing."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@lru_cache
def _local(root: Path) -> LocalStore:
    return LocalStore(root, settings.MEDIA_URL)
