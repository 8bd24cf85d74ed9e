"""A file on its way in, in pieces, and what was said about it from outside."""

from django.conf import settings
from django.db import models

from tiktok_clone.common.models import Timestamped
from videos.models.video import Video


class Upload(Timestamped):
    """A direct upload: what was announced of the file, and until when it may arrive.

    Its video is `reserved` or `uploading`; the row goes when the video is stored.
    """

    video = models.OneToOneField(Video, models.CASCADE, related_name="upload")
    size_bytes = models.BigIntegerField()
    etag = models.CharField(max_length=32, blank=True, help_text="MD5 of the file, if announced.")
    chunk_bytes = models.PositiveIntegerField(help_text="Of each piece but the last.")
    expires_at = models.DateTimeField(db_index=True)
    look_at = models.DateTimeField(
        null=True, help_text="When the sweep looks at it next, if it stays silent."
    )

    def __str__(self) -> str:
        return f"upload of video {self.video_id}"

    @property
    def pieces(self) -> int:
        """How many pieces the file comes in."""
        return -(-self.size_bytes // self.chunk_bytes)


class UploadPiece(models.Model):
    """A piece that is on the disk, durably. Pieces may come in any order, and again."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="received")
    number = models.PositiveIntegerField(help_text="From 0.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "number"], name="upload_piece_once")
        ]

    def __str__(self) -> str:
        return f"piece {self.number} of upload {self.upload_id}"


class Reservation(Timestamped):
    """That somebody began a clip: counted for a day, whatever became of the clip."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="reservation_by_age")]

    def __str__(self) -> str:
        return f"a clip begun by {self.author_id}"


class MediaEvent(Timestamped):
    """A message of the media store that was taken in; the same one again changes nothing."""

    event_id = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the message.")
    kind = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=200, blank=True, help_text="Object that it is about.")

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="media_event_by_age")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.name}"
