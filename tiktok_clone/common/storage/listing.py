"""What a store tells about one of its objects when it lists them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Found:
    """An object: its name, its size in bytes, since when it is there, and its MD5 if known."""

    name: str
    size: int
    since: datetime
    etag: str = ""
