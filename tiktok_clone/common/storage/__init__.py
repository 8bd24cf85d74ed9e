"""Where bytes live: one small interface, so that the rest does not know which store it is.

Names are chosen by the server, never by a user, and no name is ever written twice. A name tells
which store its object is in, so that clips can move from one to the other, one at a time.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from tiktok_clone.common.storage import naming
from tiktok_clone.common.storage.cloudinary import CloudinaryStore
from tiktok_clone.common.storage.listing import Found, Page
from tiktok_clone.common.storage.local import LocalStore
from tiktok_clone.common.storage.naming import CLOUDINARY, LOCAL

__all__ = [
    "CLOUDINARY",
    "LOCAL",
    "CloudinaryStore",
    "Found",
    "LocalStore",
    "Page",
    "Store",
    "cloudinary_store",
    "incoming",
    "kind_for_new",
    "local_store",
    "store",
    "stores",
]


class Store(Protocol):
    """What both stores can do. A fault of theirs is an OSError; it may be gone a little later."""

    def url(self, name: str, *, public: bool = True) -> str:
        """Return the address of an object; whoever asks there is checked unless it is public."""

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""

    def size(self, name: str) -> int:
        """Return the size of an object in bytes; FileNotFoundError when there is none."""

    def open(self, name: str) -> BinaryIO:
        """Open an object for reading; FileNotFoundError when there is none."""

    def local_copy(self, name: str) -> AbstractContextManager[Path]:
        """Give a path to read an object at, for the block; FileNotFoundError when there is none."""

    def save(self, name: str, source: Path) -> None:
        """Make a file the object of this name; FileExistsError when another has the name."""

    def listing(self, prefix: str = "") -> Iterator[Found]:
        """Yield the objects below a prefix, or all."""

    def pages(self, cursor: str = "") -> Iterator[Page]:
        """Yield all objects in pages, one at least; with the cursor of a page, those after it."""

    def facts(self, names: Iterable[str]) -> dict[str, Found]:
        """Return what there is now of some objects; those that are not there are left out."""

    def delete_prefix(self, name: str, known: Iterable[str] = (), *, look: bool = True) -> None:
        """Remove an object, or all below a prefix; what is not there is no error.

        `known` are names below it: a store whose listings may be old does not look for them.
        Without `look`, one where looking is dear removes only those.
        """

    def is_writable(self) -> bool:
        """Whether objects can be made now."""


def store(name: str) -> Store:
    """The store that has, or would have, the object of a name.

    Raises:
        OSError: it is in Cloudinary, and CLOUDINARY_URL is not set.
    """
    return cloudinary_store() if naming.kind_of(name) == CLOUDINARY else local_store()


def stores() -> dict[str, Store]:
    """All stores that are configured, by their kind."""
    found: dict[str, Store] = {LOCAL: local_store()}
    if settings.CLOUDINARY_URL:
        found[CLOUDINARY] = cloudinary_store()
    return found


def kind_for_new() -> str:
    """The kind of store that new clips and pictures go to."""
    return CLOUDINARY if settings.CLOUDINARY_URL else LOCAL


def local_store() -> LocalStore:
    """The store on this machine's disk, which is always there."""
    return _local(Path(settings.MEDIA_ROOT))


def cloudinary_store() -> CloudinaryStore:
    """The store at Cloudinary.

    Raises:
        OSError: CLOUDINARY_URL is not set.
    """
    return _cloudinary(settings.CLOUDINARY_URL, settings.CLOUDINARY_FOLDER)


def incoming() -> Path:
    """The folder for files on their way in, on the local store's filesystem; made when missing."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@lru_cache
def _local(root: Path) -> LocalStore:
    return LocalStore(root, settings.MEDIA_URL)


@lru_cache
def _cloudinary(url: str, folder: str) -> CloudinaryStore:
    return CloudinaryStore(url, folder, settings.MEDIA_URL)
