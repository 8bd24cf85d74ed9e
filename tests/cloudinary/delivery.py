"""Delivery: originals and renditions by their URLs, with ranges, as a CDN does it."""

import mimetypes
import re
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug import Request, Response
from werkzeug.utils import send_file

from tests.cloudinary import transformations
from tests.cloudinary.library import Asset
from tests.cloudinary.refusals import RefusalError, not_found

if TYPE_CHECKING:
    from tests.cloudinary.emulator import Emulator

MONTH = 30 * 24 * 3600


def deliver(emulator: "Emulator", request: Request, kind: str, path: str) -> Response:
    """Answer with a file; one that the CDN keeps is answered whatever became of its asset."""
    copy = emulator.library.cached(request.path)
    if copy is None:
        copy = emulator.library.keep(request.path, *find(emulator, kind, path))
    response = send_file(
        copy.path,
        request.environ,
        mimetype=mimetypes.guess_type(path)[0] or "application/octet-stream",
        conditional=True,
        etag=copy.etag,
        max_age=MONTH,
    )
    for header in ("Content-Disposition", "Date"):  # the first is not sent, the other twice
        response.headers.pop(header, None)
    if emulator.faults.truncated_deliveries > 0:
        emulator.faults.truncated_deliveries -= 1
        return _half(response, copy.path)
    return response


def find(emulator: "Emulator", kind: str, path: str) -> tuple[Asset, Path]:
    """The asset that an URL means, and the file.

    Args:
        path: what follows "upload/": [s--signature--/][components/][v1234/]name[.format]

    Raises:
        RefusalError: there is none, or the rendition cannot be made.
    """
    components, name = _split(path)
    asset, extension = _asset(emulator, kind, name)
    if not components and extension in ("", asset.facts.format):
        return asset, asset.path
    made = transformations.parse("/".join(components), extension)
    return asset, emulator.library.derive(asset, made).path


def _split(path: str) -> tuple[list[str], str]:
    segments = path.split("/")
    if segments[0].startswith("s--"):
        segments.pop(0)
    for index, segment in enumerate(segments[:-1]):
        if re.fullmatch(r"v\d+", segment):
            return segments[:index], "/".join(segments[index + 1 :])
    index = 0
    while index < len(segments) - 1 and transformations.looks_like_one(segments[index]):
        index += 1
    return segments[:index], "/".join(segments[index:])


def _asset(emulator: "Emulator", kind: str, name: str) -> tuple[Asset, str]:
    stem, dot, extension = name.rpartition(".")
    if kind == "raw" or not dot:
        return emulator.library.get(kind, name), ""
    asset = emulator.library.find(kind, stem)
    if asset is None:
        raise not_found(stem)
    if not re.fullmatch(r"[a-z0-9]{2,5}", extension):
        raise RefusalError(400, f"Invalid extension {extension}")
    return asset, extension


def _half(response: Response, file: Path) -> Response:
    content = file.read_bytes()
    return Response(content[: len(content) // 2], 200, mimetype=response.mimetype)
