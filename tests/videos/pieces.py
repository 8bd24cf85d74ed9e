"""Uploads in pieces, as a client of the API sends them."""

import hashlib
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api_client import ApiClient
from tests.videos.clips import clip

CHUNK = 40_000  # bytes of a piece in tests


def padded_clip(size: int) -> bytes:
    """A playable clip of exactly `size` bytes: an MP4 with a box at its end that nobody reads."""
    content = clip().read_bytes()
    padding = size - len(content)
    assert padding >= 8, f"the clip alone has {len(content)} bytes"
    return content + padding.to_bytes(4, "big") + b"free" + b"\x5a" * (padding - 8)


def write_padded_clip(path: Path, size: int) -> Path:
    """The same as a file."""
    path.write_bytes(padded_clip(size))
    return path


def reserve(client: ApiClient, content: bytes, **fields: Any) -> dict[str, Any]:
    """Begin an upload."""
    answer: dict[str, Any] = client.post(
        "/video/upload", {"size": len(content), **fields}, expect=201
    )
    return answer


def send(
    client: ApiClient,
    upload: dict[str, Any],
    content: bytes,
    number: int,
    *,
    expect: int = 200,
    **headers: str,
) -> Any:
    """Send one piece of `content`; headers replace what would be right."""
    size = upload["chunk_bytes"]
    piece = content[number * size : (number + 1) * size]
    last = number * size + len(piece) - 1
    ours = {
        "Content-Range": f"bytes {number * size}-{last}/{len(content)}",
        "X-Unique-Upload-Id": upload["id"],
        "X-Piece-Checksum": hashlib.sha256(piece).hexdigest(),
    }
    return send_bytes(client, upload, piece, expect=expect, headers=ours | headers)


def send_bytes(
    client: ApiClient,
    upload: dict[str, Any],
    piece: bytes,
    *,
    headers: dict[str, str],
    expect: int = 200,
) -> Any:
    """Send any bytes as a piece."""
    form = {"file": SimpleUploadedFile("piece", piece)}
    return client.post(upload["url"], form, format="multipart", headers=headers, expect=expect)


def send_all(client: ApiClient, upload: dict[str, Any], content: bytes) -> None:
    """Send every piece, in order."""
    for number in range(-(-len(content) // upload["chunk_bytes"])):
        send(client, upload, content, number)


def post(client: ApiClient, upload: dict[str, Any], expect: int = 201, **extra: Any) -> Any:
    """Post what was uploaded."""
    headers = extra.pop("headers", {})
    form = {"upload": upload["id"], **extra}
    return client.post("/video", form, format="multipart", expect=expect, headers=headers)
