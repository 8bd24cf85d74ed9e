"""A file that comes in pieces, straight to the store: on its way, complete, and taken in.

To the local store the pieces come through us, onto one file beside it. To Cloudinary they go
past us, and we ask it what it has.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tiktok_clone.common.errors import DomainError, invalid, not_found
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import (
    CLOUDINARY,
    assets,
    cloudinary_store,
    incoming,
    ledger,
    room,
)
from tiktok_clone.common.storage.listing import etag_of
from videos import publication
from videos.captions import link_caption
from videos.media import sandbox
from videos.media.probe import SHORTEST_SECONDS, probe
from videos.media.processing import original_name
from videos.media.refusals import refused
from videos.models import Status, Upload, UploadPiece, Video

RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
COPY_BYTES = 1024 * 1024
PIECES = "upload-"
InTransaction = Callable[[Video], None]


@dataclass(frozen=True)
class Span:
    """Which bytes of a file of `total` bytes a piece has; `end` is the last of them."""

    start: int
    end: int
    total: int


@dataclass(frozen=True)
class Arrived:
    """What is known of a complete file: size in pixels and bytes, duration in seconds."""

    width: int
    height: int
    duration: float
    size_bytes: int


def parse_span(header: str) -> Span:
    """Read a Content-Range.

    Raises:
        DomainError: `invalid` for `Content-Range`.
    """
    match = RANGE.fullmatch(header.strip())
    span = Span(*map(int, match.groups())) if match else None
    if span is None or not span.start <= span.end < span.total:
        raise invalid("Content-Range", "invalid_range", "Send it as: bytes first-last/total.")
    return span


def receive_piece(upload: Upload, span: Span, content: IO[bytes], checksum: str = "") -> bool:
    """Put a piece of a file where it belongs; one that is there already changes nothing.

    Args:
        checksum: SHA-256 of the piece in hexadecimal, to be compared, or empty.

    Returns:
        Whether the whole file is there.

    Raises:
        DomainError: `invalid` for a piece that is none of this upload's, `checksum_mismatch`
            (400: send it again), `storage_full` (507), or `not_found` when the upload was given
            up meanwhile.
    """
    number = _number(upload, span)
    _check(span, content, checksum)
    if not upload.received.filter(number=number).exists():
        with room.refusing_when_full():
            _write(upload, number, span.start, content)
    _acknowledge(upload, number)
    upload.video.advance(Status.UPLOADING)
    return is_complete(upload)


def is_complete(upload: Upload) -> bool:
    """Whether all pieces of an upload to the local store are there."""
    return upload.received.count() == upload.pieces


def piece_file(video: Video) -> Path:
    """The file that pieces are written into."""
    return incoming() / f"{PIECES}{video.uuid}"


def take_in(video_id: int, when_stored: InTransaction) -> Video | None:
    """Take in a file that was uploaded directly, once it is complete; again changes nothing.

    `when_stored` runs in the transaction that makes the video stored.

    Returns:
        The video, or None when it is gone.

    Raises:
        RefusedError: the file is at fault.
        DomainError: `incomplete` (409) while a part is missing, `storage_full` (507).
        OSError: Cloudinary does not answer.
    """
    video = Video.objects.select_related("upload").filter(pk=video_id).first()
    if video is None or not hasattr(video, "upload"):
        return video
    try:
        found = _at_cloudinary(video) if video.store == CLOUDINARY else _here(video)
    except (DomainError, FileNotFoundError):
        if Upload.objects.filter(video=video_id).exists():
            raise
        return Video.objects.filter(pk=video_id).first()  # somebody else was faster
    with transaction.atomic():
        fresh = publication.lock(video_id)
        if fresh is None:
            publication.bury(video.folder)
        elif fresh.advance(
            Status.STORED,
            size_bytes=found.size_bytes,
            width=found.width,
            height=found.height,
            duration=round(found.duration, 3),
        ):
            Upload.objects.filter(video=fresh).delete()
            _bury_strays(fresh)
            link_caption(fresh)
            when_stored(fresh)
    return fresh


def end(video_id: int) -> None:
    """Forget an upload whose clip was refused, and what came of it."""
    Upload.objects.filter(video=video_id).delete()


def remove_pieces(upload: Upload) -> None:
    """Remove what came of an upload once its row is gone, however that happened.

    Part of the transaction that deletes the row. What is written at that moment goes with the
    refusal of its piece.
    """
    path = piece_file(upload.video)
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


@transaction.atomic
def let_go(video_id: int, *, expired: bool = False) -> None:
    """Remove a clip that is still on its way in, with what came of it.

    Args:
        expired: only if its upload has, which a piece that comes at this moment puts off.
    """
    video = publication.lock(video_id)
    if video is None or video.status not in (Status.RESERVED, Status.UPLOADING):
        return
    late = Upload.objects.select_for_update(no_key=True).filter(expires_at__lt=timezone.now())
    if not expired or late.filter(video=video).exists():
        publication.remove(video)


def incomplete() -> DomainError:
    """Not all of the file is there yet."""
    return DomainError("incomplete", "A part of the file is missing: send it first.", status=409)


def _number(upload: Upload, span: Span) -> int:
    """Which piece it is: they all begin at a multiple of their size."""
    number, beside = divmod(span.start, upload.chunk_bytes)
    last = min(span.start + upload.chunk_bytes, upload.size_bytes) - 1
    if span.total != upload.size_bytes or beside or span.end != last:
        raise invalid(
            "Content-Range",
            "unexpected_range",
            f"Cut the {upload.size_bytes} bytes into pieces of {upload.chunk_bytes}.",
        )
    return number


def _check(span: Span, content: IO[bytes], checksum: str) -> None:
    """Before any of it is written: the same piece may be here already, whole."""
    digest, length = hashlib.sha256(), 0
    while part := content.read(COPY_BYTES):
        digest.update(part)
        length += len(part)
    content.seek(0)
    if length != span.end + 1 - span.start:
        raise invalid("file", "wrong_length", "The piece is not as long as Content-Range says.")
    if checksum and digest.hexdigest() != checksum.lower():
        raise DomainError("checksum_mismatch", "The piece was damaged on its way. Send it again.")


def _write(upload: Upload, number: int, position: int, content: IO[bytes]) -> None:
    """Write at its place and wait for the disk, so that what is acknowledged stays.

    Whoever takes the file in waits for us: the object has the same bytes, and nobody may change
    them. So a piece that came twice is looked for once more when we hold the lock.
    """
    missing = Upload.objects.filter(pk=upload.pk).exclude(received__number=number)
    descriptor = os.open(piece_file(upload.video), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not missing.exists():
            return
        while part := memoryview(content.read(COPY_BYTES)):
            while part:
                written = os.pwrite(descriptor, part, position)
                position, part = position + written, part[written:]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _wait_for_writers(path: Path) -> None:
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def _acknowledge(upload: Upload, number: int) -> None:
    """Note that a piece is here, unless its upload was given up, or taken in, meanwhile."""
    later = timezone.now() + timedelta(seconds=settings.UPLOAD_LIFETIME)
    with transaction.atomic():
        if Upload.objects.filter(pk=upload.pk).update(expires_at=later, look_at=None):
            UploadPiece.objects.get_or_create(upload=upload, number=number)
            return
    piece_file(upload.video).unlink(missing_ok=True)
    raise not_found("upload")


def _here(video: Video) -> Arrived:
    upload, path = video.upload, piece_file(video)
    if not is_complete(upload) or not path.is_file():
        # Without its file, what came of it is of no use: all of it has to come again.
        if not path.is_file():
            upload.received.all().delete()
        raise incomplete()
    _wait_for_writers(path)
    with room.refusing_when_full():
        etag = etag_of(path)
        if upload.etag not in ("", etag):
            raise refused("checksum_mismatch")
        found = probe(path)
        ledger.keep(original_name(video), path, video.author_id, etag)
    return Arrived(found.width, found.height, found.duration, upload.size_bytes)


def _at_cloudinary(video: Video) -> Arrived:
    name = original_name(video)
    try:
        facts = cloudinary_store().describe(name)
    except FileNotFoundError:
        raise incomplete() from None
    upload = video.upload
    size, etag = int(facts["bytes"]), str(facts.get("etag", ""))
    if size != upload.size_bytes or upload.etag not in ("", etag):
        raise refused("checksum_mismatch")
    arrived = _checked(facts, size)
    row = StoredObject.objects.filter(name=name).first()
    ledger.confirm(row or ledger.expect(name, video.author_id, size), size=size, etag=etag)
    return arrived


def _bury_strays(video: Video) -> None:
    """Once no ticket holds any more, remove what one may have been used for besides the clip."""
    if video.store == CLOUDINARY:
        for name in assets.strays(original_name(video)):
            publication.bury(name, after=publication.SECOND_LOOK)


def _checked(facts: Mapping[str, Any], size: int) -> Arrived:
    """What the probe checks of a file that is here, as far as Cloudinary tells."""
    width, height = int(facts.get("width") or 0), int(facts.get("height") or 0)
    duration = float(facts.get("duration") or 0)
    if facts.get("is_audio") or not width or not height:
        raise refused("no_video_stream")
    if size > settings.VIDEO_MAX_BYTES:
        raise refused("too_large")
    if duration > settings.VIDEO_MAX_SECONDS + 0.5:
        raise refused("too_long")
    if width * height > sandbox.MAX_PIXELS:
        raise refused("too_many_pixels")
    if duration < SHORTEST_SECONDS:
        raise refused("image")
    return Arrived(width, height, duration, size)
