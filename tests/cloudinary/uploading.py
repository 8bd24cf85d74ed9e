"""The Upload API: upload, explicit, destroy."""

import re
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.datastructures import FileStorage

from tests.cloudinary import admin, transformations
from tests.cloudinary.library import Asset, Parts, check_name, new_name
from tests.cloudinary.refusals import RefusalError, missing
from tests.cloudinary.transformations import Transformation

if TYPE_CHECKING:
    from tests.cloudinary.emulator import Emulator

Parameters = dict[str, str]
RANGE = re.compile(r"bytes (\d+)-(\d+)/(-?\d+)")


def operation(endpoint: str, request: Request) -> str:
    """The operation, for faults and calls: a part that is not the last is no "upload"."""
    match = RANGE.fullmatch(request.headers.get("Content-Range", ""))
    if endpoint == "upload" and match and int(match[2]) + 1 != int(match[3]):
        return "part"
    return endpoint


def upload(emulator: "Emulator", request: Request, parameters: Parameters, kind: str) -> Response:
    """Take a file, or a part of one."""
    if "file" not in request.files:
        raise missing("file") if "file" not in parameters else _remote()
    _eager(parameters)  # what is wrong with them is said before anything is stored
    file = request.files["file"]
    file.stream.flush()
    size = Path(file.stream.name).stat().st_size
    if size > emulator.request_max:
        raise RefusalError(
            400, f"File size too large. Got {size}. Maximum is {emulator.request_max}."
        )
    if "Content-Range" in request.headers:
        return _part(emulator, request, parameters, kind, file)
    public_id = _name(parameters) or new_name()
    path = Path(file.stream.name)
    return _finish(emulator, parameters, kind, public_id, path, file.filename or "")[0]


def explicit(emulator: "Emulator", request: Request, parameters: Parameters, kind: str) -> Response:
    """Make renditions of an asset that is there."""
    asset = emulator.library.get(kind, _required(parameters, "public_id"))
    if _is_on(parameters, "invalidate"):
        emulator.library.invalidate(*asset.key)
    return admin.json_response(_with_eager(emulator, asset, parameters))


def destroy(emulator: "Emulator", request: Request, parameters: Parameters, kind: str) -> Response:
    """Delete an asset; one that is not there is no error."""
    public_id = _required(parameters, "public_id")
    invalidate = _is_on(parameters, "invalidate")
    asset = emulator.library.destroy(kind, public_id, invalidate=invalidate)
    if asset is None:
        return admin.json_response({"result": "not found"})
    named = {
        **{"resource_type": asset.resource_type, "type": asset.type, "asset_id": asset.asset_id},
        **{"public_id": public_id, "version": asset.version},
    }
    _notify(emulator, parameters.get("notification_url", ""), "delete", {"resources": [named]})
    return admin.json_response({"result": "ok"})


def _remote() -> RefusalError:
    return RefusalError(501, "The emulator takes files only, not URLs or data URIs")


def _required(parameters: Parameters, name: str) -> str:
    if not parameters.get(name):
        raise missing(name)
    return parameters[name]


def _is_on(parameters: Parameters, name: str) -> bool:
    """Whether a switch is on; the SDK writes booleans as "1" and "0"."""
    return parameters.get(name) in ("true", "1")


def _name(parameters: Parameters) -> str:
    public_id = parameters.get("public_id", "")
    check_name(public_id)
    folder = parameters.get("folder", "").strip("/")
    return f"{folder}/{public_id or new_name()}" if folder else public_id


def _part(
    emulator: "Emulator",
    request: Request,
    parameters: Parameters,
    kind: str,
    file: FileStorage,
) -> Response:
    """Take a part of a file.

    Assumed: parts may come in any order and more than once; the name and the options of the
    request that completes the file count; a part that comes again after that gets the asset.
    """
    match = RANGE.fullmatch(request.headers["Content-Range"])
    path = Path(file.stream.name)
    if match is None or int(match[2]) - int(match[1]) + 1 != path.stat().st_size:
        raise RefusalError(400, f"Invalid Content-Range {request.headers['Content-Range']}")
    start, end, total = (int(number) for number in match.groups())
    if total != -1 and end + 1 != total and path.stat().st_size < emulator.chunk_min:
        raise RefusalError(400, "All parts except EOF-chunk must be larger than 5mb")
    upload_id = request.headers.get("X-Unique-Upload-Id", "")
    if not upload_id:
        raise missing("public_id")
    if emulator.faults.damaged_parts > 0:
        emulator.faults.damaged_parts -= 1
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    parts = emulator.library.parts(upload_id, _name(parameters) or new_name())
    with parts.lock:
        if parts.finished:
            return admin.json_response(_with_eager(emulator, parts.finished, {}))
        if not emulator.library.write_part(parts, path, start, None if total == -1 else total):
            return _acknowledged(emulator, parts, kind)
        public_id = _name(parameters) or _unnamed(emulator, parts)
        response, parts.finished = _finish(
            emulator, parameters, kind, public_id, parts.path, file.filename or ""
        )
    return response


def _unnamed(emulator: "Emulator", parts: Parts) -> str:
    """The name of a file whose last part came without one."""
    return new_name() if emulator.faults.nameless_acknowledgements else parts.public_id


def _acknowledged(emulator: "Emulator", parts: Parts, kind: str) -> Response:
    answer: dict[str, Any] = {"done": False, "bytes": parts.received, "kind": "upload"}
    if not emulator.faults.nameless_acknowledgements:
        resource_type, _, type = kind.partition("/")
        answer |= {"public_id": parts.public_id, "resource_type": resource_type}
        answer["type"] = type or "upload"
    return admin.json_response(answer)


def _finish(
    emulator: "Emulator",
    parameters: Parameters,
    kind: str,
    public_id: str,
    path: Path,
    filename: str,
) -> tuple[Response, Asset]:
    """Store a file that is all there, and make its renditions."""
    extension = Path(filename).suffix
    if kind.startswith("raw") and not public_id.endswith(extension):
        public_id += extension
    asset, existing = emulator.library.store(
        path,
        kind,
        public_id,
        filename=filename,
        overwrite=parameters.get("overwrite") not in ("false", "0"),
        formats=[*filter(None, parameters.get("allowed_formats", "").split(","))],
    )
    if existing:
        return admin.json_response(admin.uploaded(emulator, asset) | {"existing": True}), asset
    asset.tags = tuple(filter(None, parameters.get("tags", "").split(",")))
    pairs = (pair.partition("=") for pair in parameters.get("context", "").split("|") if pair)
    asset.context = {name: value for name, _, value in pairs}
    answer = _with_eager(emulator, asset, parameters)
    _notify(emulator, parameters.get("notification_url", ""), "upload", answer)
    return admin.json_response(answer), asset


def _eager(parameters: Parameters) -> list[Transformation]:
    texts = filter(None, parameters.get("eager", "").split("|"))
    return [transformations.parse(text) for text in texts]


def _with_eager(emulator: "Emulator", asset: Asset, parameters: Parameters) -> dict[str, Any]:
    """An asset as an upload answers it, with its renditions, or the promise of them.

    What only a browser could choose the format of (`f_auto`) is not made.
    """
    answer = admin.uploaded(emulator, asset)
    asked = [made for made in _eager(parameters) if not made.automatic]
    if not asked:
        return answer
    batch = secrets.token_hex(32)
    url = parameters.get("eager_notification_url") or parameters.get("notification_url", "")

    def work() -> list[dict[str, Any]]:
        made = [_rendition(emulator, asset, each) for each in asked]
        named = {"asset_id": asset.asset_id, "public_id": asset.public_id, "batch_id": batch}
        _notify(emulator, url, "eager", {"eager": made, **named})
        return made

    if _is_on(parameters, "eager_async"):
        promised = {"status": "processing", "batch_id": batch}
        answer["eager"] = [promised | admin.urls(emulator, asset, each) for each in asked]
        if emulator.faults.lost_derivations > 0:
            emulator.faults.lost_derivations -= 1
        else:
            emulator.webhooks.background(work)
    else:
        answer["eager"] = work()
    return answer


def _rendition(
    emulator: "Emulator", asset: Asset, transformation: Transformation
) -> dict[str, Any]:
    try:
        derived = emulator.library.derive(asset, transformation)
    except RefusalError as refusal:
        return {
            **{"transformation": transformation.asked, "status": "failed"},
            "reason": refusal.message,
        }
    return {
        "transformation": transformation.asked,
        **{"width": derived.width, "height": derived.height, "bytes": derived.bytes},
        "format": derived.format,
        **admin.urls(emulator, asset, transformation),
    }


def _notify(emulator: "Emulator", url: str, kind: str, facts: dict[str, Any]) -> None:
    now = emulator.now()
    context = {
        "triggered_at": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now)),
        "triggered_by": {"source": "api", "id": emulator.key},
    }
    payload = {
        "notification_type": kind,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now)),
        "request_id": secrets.token_hex(16),
        **{name: value for name, value in facts.items() if name != "signature"},
        **{"notification_context": context, "signature_key": emulator.key},
    }
    emulator.webhooks.notify(url, payload)
