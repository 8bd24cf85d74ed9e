"""What a store tells about its objects when it lists them, or is asked about some."""

from dataclasses import dataclass
from datetime import datetime


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
