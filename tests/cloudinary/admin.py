"""The Admin API: ping, usage, resources, resource, delete; and how assets are described."""

import base64
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug import Request, Response

from tests.cloudinary import signing
from tests.cloudinary.library import Asset
from tests.cloudinary.refusals import RefusalError, invalid, missing, too_many
from tests.cloudinary.transformations import Transformation

if TYPE_CHECKING:
    from tests.cloudinary.emulator import Emulator

PAGE = 10
PAGE_MAX = 500
IDS_MAX = 100
ADDRESS_MAX = 8000  # bytes; assumed, as usual servers have it


def ping(emulator: "Emulator", request: Request) -> Response:
    """Say that one is there."""
    return json_response({"status": "ok"})


def usage(emulator: "Emulator", request: Request) -> Response:
    """What is stored."""
    assets = list(emulator.library)
    stored = sum(asset.bytes for asset in assets)
    return json_response(
        {
            **{"plan": "Free", "last_updated": _day(emulator.now())},
            **{"storage": {"usage": stored}, "bandwidth": {"usage": 0}},
            **{"objects": {"usage": len(assets)}, "resources": len(assets)},
            "derived_resources": sum(len(asset.derived) for asset in assets),
            "media_limits": {"video_max_size_bytes": emulator.request_max},
        }
    )


def resources(emulator: "Emulator", request: Request, kind: str) -> Response:
    """List assets: by name where a prefix is given, else the newest first; or those of some ids."""
    if len(request.query_string) > ADDRESS_MAX:
        raise RefusalError(414, "Request-URI Too Large")
    if asked := request.args.getlist("public_ids[]"):
        return _by_ids(emulator, kind, asked)
    prefix = request.args.get("prefix", "")
    size = _page_size(request)
    found = [
        asset
        for asset in emulator.library.listed()
        if asset.kind == kind and asset.public_id.startswith(prefix)
    ]
    found.sort(key=(lambda a: a.public_id) if prefix else (lambda a: (-a.created, a.public_id)))
    after = _after(request.args.get("next_cursor", ""))
    names = [asset.public_id for asset in found]
    first = _position(names, after, sorted_by_name=bool(prefix)) if after else 0
    page = found[first : first + size]
    answer: dict[str, Any] = {"resources": [described(emulator, asset) for asset in page]}
    if first + size < len(found):
        answer["next_cursor"] = base64.urlsafe_b64encode(page[-1].public_id.encode()).decode()
    return json_response(answer)


def _by_ids(emulator: "Emulator", kind: str, public_ids: list[str]) -> Response:
    """The assets of some ids; those that are not there are left out.

    Assumed: like `resource`, it looks them up, and does not read an index that may be old.
    """
    if len(public_ids) > IDS_MAX:
        raise too_many(public_ids)
    found = [emulator.library.find(kind, public_id) for public_id in public_ids]
    return json_response({"resources": [described(emulator, asset) for asset in found if asset]})


def resource(emulator: "Emulator", request: Request, kind: str, public_id: str) -> Response:
    """One asset with its renditions; never stale."""
    asset = emulator.library.get(kind, public_id)
    derived = [
        {
            **{"id": each.id, "format": each.format, "bytes": each.bytes},
            "transformation": each.transformation.text,
            **urls(emulator, asset, each.transformation),
        }
        for each in list(asset.derived.values())
    ]
    extra = {"tags": list(asset.tags), "context": {"custom": asset.context}}
    return json_response({**described(emulator, asset), **extra, "derived": derived})


def delete(emulator: "Emulator", request: Request, kind: str) -> Response:
    """Delete assets by their names, or all that begin with a prefix."""
    order = request.get_json(silent=True) or {}
    names = order.get("public_ids")
    if order.get("prefix"):
        names = [
            asset.public_id
            for asset in emulator.library
            if asset.kind == kind and asset.public_id.startswith(order["prefix"])
        ]
    if not names:
        raise missing("public_ids")
    if order.get("public_ids") and len(names) > IDS_MAX:
        raise too_many(names)
    invalidate = order.get("invalidate") in (True, "true")
    gone = {name: emulator.library.destroy(kind, name, invalidate=invalidate) for name in names}
    counts = {
        name: {"original": int(asset is not None), "derived": len(asset.derived) if asset else 0}
        for name, asset in gone.items()
    }
    deleted = {name: "deleted" if asset else "not_found" for name, asset in gone.items()}
    return json_response({"deleted": deleted, "deleted_counts": counts, "partial": False})


def described(emulator: "Emulator", asset: Asset) -> dict[str, Any]:
    """An asset as a list has it."""
    facts = asset.facts
    described: dict[str, Any] = {
        **{"asset_id": asset.asset_id, "public_id": asset.public_id, "format": facts.format},
        **{"version": asset.version, "resource_type": asset.resource_type, "type": asset.type},
        **{"created_at": _moment(asset.created), "bytes": asset.bytes},
        **({} if asset.resource_type == "raw" else {"width": facts.width, "height": facts.height}),
        **urls(emulator, asset),
        "etag": asset.etag,
    }
    if asset.resource_type == "video":
        described["duration"] = facts.duration
    return described


def uploaded(emulator: "Emulator", asset: Asset) -> dict[str, Any]:
    """An asset as an upload answers it, signed."""
    facts = asset.facts
    named = {"public_id": asset.public_id, "version": str(asset.version)}
    answer = described(emulator, asset) | {
        **{"version_id": asset.asset_id[::-1], "tags": list(asset.tags), "placeholder": False},
        **{"original_filename": asset.filename, "api_key": emulator.key},
        "signature": signing.sign(
            named, emulator.secret, emulator.algorithm or "sha1", escaped=False
        ),
    }
    if asset.resource_type == "video":
        answer |= {
            **{"bit_rate": facts.bit_rate, "frame_rate": facts.frame_rate},
            **{"nb_frames": facts.frames, "rotation": facts.rotation, "is_audio": not facts.width},
            "audio": {"codec": facts.audio_codec} if facts.audio_codec else {},
            "video": {"codec": facts.video_codec} if facts.video_codec else {},
        }
    return answer


def urls(
    emulator: "Emulator", asset: Asset, transformation: Transformation | None = None
) -> dict[str, str]:
    """Where an asset or a rendition is delivered. The emulator has no TLS: both are http."""
    extension = (transformation.format if transformation else "") or asset.facts.format
    suffix = "" if asset.resource_type == "raw" or not extension else f".{extension}"
    steps = f"{transformation.text}/" if transformation and transformation.text else ""
    signed = ""
    if asset.type == "authenticated":
        signature = signing.sign_url(f"{steps}{asset.public_id}{suffix}", emulator.secret)
        signed = f"{signature}/"
    place = f"{asset.resource_type}/{asset.type}/{signed}{steps}"
    path = f"{place}v{asset.version}/{asset.public_id}{suffix}"
    url = f"{emulator.origin}/{emulator.cloud}/{quote(path, safe='/,:')}"
    return {"url": url, "secure_url": url}


def json_response(answer: dict[str, Any]) -> Response:
    """An answer in JSON."""
    return Response(json.dumps(answer), mimetype="application/json")


def _page_size(request: Request) -> int:
    given = request.args.get("max_results", str(PAGE))
    if not given.isdigit() or not 1 <= int(given) <= PAGE_MAX:
        raise invalid("max_results", given)
    return int(given)


def _after(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor).decode()
    except ValueError:
        raise invalid("next_cursor", cursor) from None


def _position(names: list[str], after: str, *, sorted_by_name: bool) -> int:
    """Where a list goes on after a name, which may have been deleted since."""
    if sorted_by_name:
        return next((i for i, name in enumerate(names) if name > after), len(names))
    return names.index(after) + 1 if after in names else len(names)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
