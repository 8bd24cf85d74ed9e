"""`/media/…`: renditions, posters and pictures of people, with byte ranges.

Each request is checked, by one query when everybody may see the video. An answer to a Range is
one body of at most 1 MB. An answer without Range must be complete by HTTP: small files are one
body too; larger ones are streamed and hold a thread as long as the reader reads, so there is a
bound on how many. Browsers always ask for ranges of a video.

With MEDIA_ACCEL_PREFIX set, nginx stands in front: this view then only decides who may see the
object and names its type and how long it may be kept, and nginx sends the bytes.
"""

import hashlib
import uuid
from pathlib import Path
from typing import cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, OuterRef, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException

from accounts.api.authentication import ActiveUserAuthentication
from accounts.models import User
from tiktok_clone.common import serving
from tiktok_clone.common.errors import DomainError, not_found
from tiktok_clone.common.storage import CLOUDINARY, cloudinary_store, ledger, local_store, naming
from videos.models import Rendition, Status, Video, Visibility
from videos.ranges import LARGEST_PART, Part, UnsatisfiableError, parse_range

TYPES = {".mp4": "video/mp4", ".webp": "image/webp", ".jpg": "image/jpeg"}
FOREVER = "public, max-age=31536000, immutable"
NEVER = "private, no-store"


@require_safe
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """An object that the asker may see; 404 for all others and for originals."""
    try:
        public = _is_public(request, name)
    except DomainError:
        current = _current_name(name)
        if current is None:
            raise
        return _sent_on(f"{settings.MEDIA_URL}{current}")
    if naming.kind_of(name) == CLOUDINARY:
        return _sent_on(cloudinary_store().delivery_url(name))
    try:
        path = local_store().path(name)
        stat = path.stat()
    except (ValueError, OSError):
        raise not_found("file") from None
    keep = FOREVER if public else NEVER
    response: HttpResponseBase | None
    if settings.MEDIA_ACCEL_PREFIX:
        response = serving.handed_over(name, _kind(path))
        response.headers["Cache-Control"] = keep
        return response
    etag = f'"{hashlib.sha256(f"{name}:{stat.st_size}".encode()).hexdigest()[:24]}"'
    modified = int(stat.st_mtime)
    response = get_conditional_response(request, etag, modified)
    if response is None:
        response = _answer(request, path, stat.st_size, etag, modified)
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(modified)
    response.headers["Cache-Control"] = keep
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _current_name(name: str) -> str | None:
    """The name that a file of a clip has now, where it has another one than it had.

    A page that is open asks for the old one. A clip that moved to another store has all its
    files under other names, and a chosen cover replaces the poster; the last part stays.
    """
    parts = naming.path_of(name).split("/")
    if parts[0] != "videos" or len(parts) != 4:
        return None
    try:
        video = Video.objects.filter(uuid=uuid.UUID(parts[1]), status=Status.READY).first()
    except ValueError:
        return None
    if video is None:
        return None
    shown = {video.poster, video.preview, video.sprite}
    shown |= set(video.renditions.values_list("name", flat=True))
    return next((one for one in shown - {name} if one.endswith(f"/{parts[3]}")), None)


def _sent_on(address: str) -> HttpResponseBase:
    """To another address, asked anew each time: who may see a clip changes, and so do its files.

    Nobody can guess the addresses at the CDN.
    """
    response = HttpResponseRedirect(address)
    response.headers["Cache-Control"] = NEVER
    return response


def _kind(path: Path) -> str:
    return TYPES.get(path.suffix, "application/octet-stream")


def _answer(
    request: HttpRequest, path: Path, size: int, etag: str, modified: int
) -> HttpResponseBase:
    kind = _kind(path)
    header = request.headers.get("Range")
    part: Part | None = None
    # Range is defined for GET only; HEAD tells about the whole.
    if request.method == "GET" and header and _range_holds(request, etag, modified):
        try:
            part = parse_range(header, size)
        except UnsatisfiableError:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(content_type=kind)
    elif part is None:
        response = _whole(path, size, kind)
    else:
        response = HttpResponse(_read(path, part), status=206, content_type=kind)
        response.headers["Content-Range"] = f"bytes {part.start}-{part.end}/{size}"
    response.headers["Content-Length"] = str(part.length if part else size)
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _whole(path: Path, size: int, kind: str) -> HttpResponseBase:
    if size <= LARGEST_PART:
        return HttpResponse(path.read_bytes(), content_type=kind)
    return serving.streamed(path, kind)


def _read(path: Path, part: Part) -> bytes:
    with path.open("rb") as file:
        file.seek(part.start)
        return file.read(part.length)


def _range_holds(request: HttpRequest, etag: str, modified: int) -> bool:
    """Whether the part is of the version that the client has (If-Range); weak tags never hold."""
    condition = request.headers.get("If-Range")
    if not condition:
        return True
    if condition.startswith(('"', "W/")):
        return condition == etag
    return parse_http_date_safe(condition) == modified


def _is_public(request: HttpRequest, name: str) -> bool:
    """Whether everybody may keep a copy; 404 unless the asker may see it at all."""
    kind, _, rest = naming.path_of(name).partition("/")
    if kind == "avatars":
        # What we sign is made, and paid for, at Cloudinary: nothing that anybody thinks up.
        if naming.kind_of(name) == CLOUDINARY and name not in ledger.names_below(name):
            raise not_found("file")
        return True
    try:
        folder = uuid.UUID(rest.partition("/")[0]) if kind == "videos" else None
    except ValueError:
        folder = None
    if folder is None:
        raise not_found("file")
    return _is_public_video(request, folder, name)


def _is_public_video(request: HttpRequest, folder: uuid.UUID, name: str) -> bool:
    """The name must be a rendition's or a picture's of a ready video: never an original."""
    rendition = Rendition.objects.filter(video=OuterRef("pk"), name=name)
    row = (
        Video.objects.filter(
            Q(poster=name) | Q(preview=name) | Q(sprite=name) | Exists(rendition),
            uuid=folder,
            status=Status.READY,
        )
        .values("pk", "visibility", "hidden_at", "published_at")
        .annotate(
            private=F("author__is_private"),
            active=F("author__is_active"),
            gone=F("author__deleted_at"),
        )
        .first()
    )
    if row is None:
        raise not_found("file")
    published = row["published_at"] and not row["hidden_at"] and row["active"] and not row["gone"]
    if published and row["visibility"] == Visibility.PUBLIC and not row["private"]:
        return True
    reader = asker(request)
    # Moderators see what was reported, hidden and friends-only clips too.
    moderates = reader.has_perm("videos.view_video")
    if not moderates and not Video.objects.visible_to(reader).filter(pk=row["pk"]).exists():
        raise not_found("file")
    return False


def asker(request: HttpRequest) -> User | AnonymousUser:
    """Return who asks: by Bearer token as in the API, else by the session cookie."""
    if "Authorization" not in request.headers:
        return request.user
    try:
        found = ActiveUserAuthentication().authenticate(request)  # type: ignore[arg-type]
    except APIException as error:
        raise DomainError("invalid_token", str(error.detail), status=401) from None
    return cast(User, found[0]) if found else AnonymousUser()
