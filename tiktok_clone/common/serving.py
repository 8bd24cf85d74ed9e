"""How the bytes of an object are sent: streamed within a bound, or handed over to nginx."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse

from tiktok_clone.common.errors import DomainError

# Each holds a thread of the server for as long as its reader reads.
STREAMS_MAX = 48
STREAM_CHUNK = 256 * 1024
_streams = threading.BoundedSemaphore(STREAMS_MAX)


def streamed(path: Path, kind: str) -> StreamingHttpResponse:
    """A whole file, piece by piece.

    Raises:
        DomainError: `busy` (503) when as many as may be are being sent.
        FileNotFoundError: there is none.
    """
    if not _streams.acquire(blocking=False):
        raise DomainError("busy", "Too many downloads at once.", status=503, retry_after=5)
    try:
        stream = _Stream(path.open("rb"))
    except OSError:
        _streams.release()
        raise
    return StreamingHttpResponse(stream, content_type=kind)


def handed_over(name: str, kind: str) -> HttpResponse:
    """An answer for nginx, which sends the object with ranges and validators of its own."""
    response = HttpResponse(content_type=kind)
    response.headers["X-Accel-Redirect"] = f"{settings.MEDIA_ACCEL_PREFIX.rstrip('/')}/{name}"
    return response


class _Stream:
    """A file in chunks; gives its place back when the answer is over, however it ends."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(STREAM_CHUNK), b"")

    def close(self) -> None:
        """Called by Django when the response is closed."""
        if not self.file.closed:
            self.file.close()
            _streams.release()
