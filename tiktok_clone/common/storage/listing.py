"""What a store tells about its objects when it lists them, or is asked about some."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """An object: its name, its size in bytes, since when it is there, and its MD5 if known.

    The size is 0 where only the object is known that it can be derived from at any time.
    """

    name: str
    size: int
    since: datetime
    etag: str = ""


@dataclass(frozen=True)
class Page:
    """Some of the objects of a store, and the cursor to go on with; None on the last page."""

    objects: list[Found]
    cursor: str | None


def etag_of(path: Path) -> str:
    """Return the MD5 of a file as Cloudinary does; it finds damage and is no protection."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
