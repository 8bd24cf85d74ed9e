"""Direct uploads: reserved, sent in pieces, resumed, given up, and posted."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.throttling import limited
from tiktok_clone.common.errors import invalid, not_found
from tiktok_clone.common.storage import CLOUDINARY, cloudinary_store, room
from videos import tasks
from videos.media import arriving
from videos.media.derived import webhook_url
from videos.media.processing import original_name
from videos.media.refusals import RefusedError, refused
from videos.models import Upload, Video, Visibility
from videos.services import publishing
from videos.text import clean_caption

# Cloudinary takes no pieces below 5 MB, and one form of ours may have so much besides.
CHUNK_BYTES = 6_000_000
MD5 = re.compile(r"[0-9a-f]{32}")


@limited("upload_user")
def reserve_upload(
    author: User,
    size: int,
    etag: str = "",
    caption: str = "",
    visibility: str = Visibility.PRIVATE,
    on_reserved: Callable[[Upload], None] | None = None,
) -> Upload:
    """Make room for a file that will come in pieces: a clip without bytes, and its name.

    Args:
        size: bytes of the file.
        etag: its MD5 in hexadecimal, to be compared at the end, or empty.
        on_reserved: called in the transaction that makes the room.

    Raises:
        RefusedError: `empty` or `too_large`.
        DomainError: `invalid` for a field, `quota_exceeded` (403), `throttled` (429),
            `storage_full` (507).
    """
    if size <= 0:
        raise refused("empty")
    if size > settings.VIDEO_MAX_BYTES:
        raise refused("too_large")
    if etag:
        _check_etag(etag)
    caption = clean_caption(caption)
    publishing.check_visibility(visibility)
    with transaction.atomic():
        video = publishing.reserve(author, caption, visibility, size, etag)
        if video.store != CLOUDINARY:
            room.check_room(size)
        upload = Upload.objects.create(
            video=video,
            size_bytes=size,
            etag=etag,
            chunk_bytes=CHUNK_BYTES,
            expires_at=timezone.now() + timedelta(seconds=settings.UPLOAD_LIFETIME),
        )
        if on_reserved is not None:
            on_reserved(upload)
    return upload


def find_upload(user: User, uuid: UUID) -> Upload:
    """Return one's own upload that is on its way.

    Raises:
        DomainError: `not_found`: somebody else's, expired, or stored already.
    """
    uploads = Upload.objects.select_related("video").filter(video__uuid=uuid, video__author=user)
    found = uploads.first()
    if found is None:
        raise not_found("upload")
    return found


def describe_upload(upload: Upload, local_url: str) -> dict[str, Any]:
    """Say where the pieces of an upload go, and which are here.

    Args:
        local_url: where pieces for the local store go.

    Returns:
        `{id, video, url, fields, size_bytes, chunk_bytes, received, checksum, expires_at}`:
        send each piece as a form with the `fields` and the `file`, with the headers
        Content-Range and X-Unique-Upload-Id, to `url`. `received` are the numbers of the pieces
        that are here; None where only Cloudinary knows. `checksum` names what the header
        X-Piece-Checksum may have. Signed fields hold for an hour: ask again.
    """
    video = upload.video
    hosted = video.store == CLOUDINARY
    if hosted:
        ticket = cloudinary_store().ticket(original_name(video), webhook_url())
        url, fields = ticket.url, ticket.fields
    else:
        url, fields = local_url, {}
    received = upload.received.order_by("number").values_list("number", flat=True)
    return {
        "id": str(video.uuid),
        "video": video.pk,
        "url": url,
        "fields": fields,
        "size_bytes": upload.size_bytes,
        "chunk_bytes": upload.chunk_bytes,
        "received": None if hosted else list(received),
        "checksum": None if hosted else "sha256",
        "expires_at": upload.expires_at,
    }


def announce_etag(user: User, uuid: UUID, etag: str) -> None:
    """Say which MD5 the file has, before its last piece is sent: it is compared at the end.

    Later than at the beginning for whoever reads the file while it is sent. The last word holds.

    Raises:
        DomainError: `invalid`, `not_found`.
    """
    _check_etag(etag)
    own = Upload.objects.filter(video__uuid=uuid, video__author=user)
    if not own.update(etag=etag):
        raise not_found("upload")


def add_piece(user: User, uuid: UUID, span_header: str, content: IO[bytes], checksum: str) -> bool:
    """Take a piece for the local store. Returns whether all are here.

    Raises:
        DomainError: see `arriving.receive_piece`; `not_found`.
    """
    span = arriving.parse_span(span_header)
    upload = find_upload(user, uuid)
    if upload.video.store == CLOUDINARY:
        raise invalid("file", "elsewhere", "This upload goes to Cloudinary: use its `url`.")
    return arriving.receive_piece(upload, span, content, checksum)


def post_upload(
    user: User,
    uuid: UUID,
    caption: str | None = None,
    visibility: str | None = None,
    **rules: str | None,
) -> Video:
    """Post what was uploaded: it is checked now and processed by the worker. Again, the same.

    Args:
        caption: None leaves what was said when it was reserved; so does `visibility`.
        rules: `comments_from` and `comments_held`; None leaves them.

    Raises:
        RefusedError: the file is at fault; nothing of it is left.
        DomainError: `not_found`, `incomplete` (409), `invalid`, `storage_full` (507),
            `store_unavailable` (503).
    """
    video = Video.objects.editable_by(user).filter(uuid=uuid).first()
    if video is None:
        raise not_found("upload")
    changes = {"caption": caption, "visibility": visibility, **rules}
    if any(change is not None for change in changes.values()):
        publishing.edit_video(user, video.pk, **changes)
    try:
        with room.refusing_when_full():
            stored = arriving.take_in(video.pk, lambda taken: tasks.enqueue_processing(taken.pk))
    except RefusedError:
        arriving.let_go(video.pk)
        raise
    if stored is None:
        raise not_found("upload")
    return stored


def give_up_upload(user: User, uuid: UUID) -> None:
    """Remove an upload that is on its way, with what came of it.

    Raises:
        DomainError: `not_found`.
    """
    arriving.let_go(find_upload(user, uuid).video_id)


def _check_etag(etag: str) -> None:
    if not MD5.fullmatch(etag):
        raise invalid("etag", "invalid", "Send the MD5 of the file as 32 hexadecimal digits.")
