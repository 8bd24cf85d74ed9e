"""How an upload gets to the disk: streamed, never in memory, and cut off at the limit."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest

from tiktok_clone.common.storage import incoming
from videos.media.refusals import refused

FIELD = "file"
# What a form may weigh besides the file.
FORM_BYTES = 64 * 1024


class VideoUploadHandler(TemporaryFileUploadHandler):
    """Streams the one file of the form into the store's folder of incoming files."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Refuse before the first byte when the client says that it will be too much."""
        if content_length > settings.VIDEO_MAX_BYTES + FORM_BYTES:
            raise refused("too_large")

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        """Begin a file; only one is taken, and only from its field."""
        if field_name != FIELD or hasattr(self, "file"):
            raise SkipFile
        self.received = 0
        incoming()
        super().new_file(field_name, *args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a chunk; stop when the limit is passed, whatever was announced."""
        self.received += len(raw_data)
        if self.received > settings.VIDEO_MAX_BYTES:
            self.file.close()
            raise refused("too_large")
        super().receive_data_chunk(raw_data, start)


def stream_uploads(request: HttpRequest) -> None:
    """Have the files of a request received by our handler; before anything reads the form."""
    request.upload_handlers = [VideoUploadHandler(request)]


def uploaded_file(request: HttpRequest) -> UploadedFile | None:
    """The file of the form, if there is one."""
    return request.FILES.get(FIELD)
