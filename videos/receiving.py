"""How an upload gets to the disk: streamed, never in memory, and cut off at the limit.

A disk that is too full, or becomes full on the way, is a 507 that says so; what had arrived of
the file goes.
"""

import contextlib
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest

from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.storage import incoming, room
from videos.media import subtitling
from videos.media.refusals import refused

FIELD = "file"
# What a form may weigh besides the file.
FORM_BYTES = 64 * 1024
# Larger than the pieces that we ask for.
PIECE_BYTES = 8 * 1024 * 1024


class OneFileHandler(TemporaryFileUploadHandler):
    """Streams the one file of a form into the store's folder of incoming files."""

    def limit(self) -> int:
        """How many bytes the file may have."""
        return settings.VIDEO_MAX_BYTES

    def too_large(self) -> DomainError:
        """What is said of a larger one."""
        return refused("too_large")

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Refuse before the first byte when the client says that it will be too much."""
        if content_length > self.limit() + FORM_BYTES:
            raise self.too_large()
        room.check_room(content_length)

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        """Begin a file; only one is taken, and only from its field."""
        if field_name != FIELD or hasattr(self, "file"):
            raise SkipFile
        self.received = 0
        with room.refusing_when_full():
            incoming()
            super().new_file(field_name, *args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a chunk; stop when the limit is passed, whatever was announced."""
        self.received += len(raw_data)
        if self.received > self.limit():
            self.file.close()
            raise self.too_large()
        try:
            with room.refusing_when_full():
                super().receive_data_chunk(raw_data, start)
        except DomainError:
            self._drop()
            raise

    def file_complete(self, file_size: int) -> UploadedFile | None:
        """End the file; what was still held in memory is written now."""
        try:
            with room.refusing_when_full():
                return super().file_complete(file_size)
        except DomainError:
            self._drop()
            raise

    def _drop(self) -> None:
        """Close the file, which removes it; what it still holds cannot be written."""
        with contextlib.suppress(OSError):
            self.file.close()


class PieceHandler(OneFileHandler):
    """The same for a piece of a file."""

    def limit(self) -> int:
        """How many bytes a piece may have."""
        return PIECE_BYTES


class SubtitlesHandler(OneFileHandler):
    """The same for subtitles, which are small."""

    def limit(self) -> int:
        """How many bytes the file may have."""
        return settings.SUBTITLES_MAX_BYTES

    def too_large(self) -> DomainError:
        """What is said of a larger one."""
        return subtitling.refused("too_large")


def stream_uploads(request: HttpRequest, handler: type[OneFileHandler] = OneFileHandler) -> None:
    """Have the files of a request received by our handler; before anything reads the form.

    Raises:
        DomainError: `length_required` (411) for a body of unknown length, which no server of
            this kind hands on.
    """
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise DomainError("length_required", "Send the length of the body first.", status=411)
    request.upload_handlers = [handler(request)]


def uploaded_file(request: HttpRequest) -> UploadedFile | None:
    """The file of the form, if there is one."""
    return request.FILES.get(FIELD)
