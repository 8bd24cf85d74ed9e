"""Which asset at Cloudinary an object is: by a rule, so that no table of them is needed.

| name | asset |
|---|---|
| `cloudinary/videos/<uuid>/original` | video `videos/<uuid>/original` |
| `cloudinary/videos/<uuid>/original/608x1080.mp4` | what Cloudinary derived from it, at that size |
| `cloudinary/videos/<uuid>/3/preview.webp` | image `videos/<uuid>/3/preview`, uploaded by us |
| `cloudinary/videos/<uuid>/original:raw` | raw `videos/<uuid>/original`, which no row asks for |

An asset has its id once in each of three kinds. The kind is in the address that a file is sent to
and not in what is signed, so who has a ticket can use it for another kind as well. What comes of
that is listed under a name of its own, as the last line of the table has it.

All assets are of the type "authenticated": nothing is delivered without our signature, the
originals, which may say where they were filmed, to nobody at all.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from cloudinary import utils

from tiktok_clone.common.storage.listing import Found
from tiktok_clone.common.storage.naming import CLOUDINARY, named, path_of
from tiktok_clone.common.storage.transformations import transformation_of

TYPE = "authenticated"
ORIGINAL = "original"
RESOURCE_TYPES = ("video", "image", "raw")


class Assets:
    """The assets in a folder of an account, whose `options` are those of the SDK."""

    def __init__(self, options: Mapping[str, Any], folder: str) -> None:
        self.options = options
        self.folder = f"{folder.strip('/')}/" if folder.strip("/") else ""

    def public_id(self, name: str) -> str:
        """Return the id that Cloudinary knows the asset of an object by."""
        asset, _ = split(path_of(name))
        stray, _, _ = asset.rpartition(":")
        return self.folder + (stray or str(PurePosixPath(asset).with_suffix("")))

    def name_of(self, public_id: str) -> str | None:
        """Return the name of an original by its public id; None if it is none of ours."""
        path = public_id.removeprefix(self.folder)
        ours = public_id.startswith(self.folder) and path.endswith(f"/{ORIGINAL}")
        return named(CLOUDINARY, path) if ours else None

    def delivery_url(self, name: str) -> str:
        """Return the signed address at the CDN, which holds for as long as the object does."""
        asset, derived = split(path_of(name))
        options = dict(self.options, **kind_of(name), sign_url=True)
        options["format"] = suffix_of(derived or asset) or None
        if derived:
            options["raw_transformation"] = transformation_of(derived)
        address, _ = utils.cloudinary_url(self.public_id(name), **options)
        return str(address)

    def found(self, row: Mapping[str, Any], kind: str) -> Found:
        """Return the object that a row of a list of assets of a kind is."""
        public_id = str(row["public_id"]).removeprefix(self.folder)
        path = public_id
        if not path.endswith(f"/{ORIGINAL}"):
            path = f"{path}.{row.get('format', '')}"
        if _resource_type(path) != kind:
            path = f"{public_id}:{kind}"
        since = datetime.fromisoformat(str(row["created_at"]).replace("Z", "+00:00"))
        etag = str(row.get("etag", ""))
        return Found(named(CLOUDINARY, path), int(row["bytes"]), since.astimezone(UTC), etag)


def kind_of(name: str) -> dict[str, str]:
    """Return the options that say which kind of assets an object is among."""
    return {"resource_type": _resource_type(split(path_of(name))[0]), "type": TYPE}


def strays(name: str) -> list[str]:
    """Return the names of what a ticket for an object may have been used for besides it."""
    own = _resource_type(path_of(name))
    return [f"{name}:{kind}" for kind in RESOURCE_TYPES if kind != own]


def split(path: str) -> tuple[str, str]:
    """Part `videos/<uuid>/original/608x1080.mp4` into the asset and what is derived from it."""
    head, _, last = path.rpartition("/")
    return (head, last) if head.endswith(f"/{ORIGINAL}") else (path, "")


def is_object(path: str) -> bool:
    """Whether a path is that of an object, and not of a folder."""
    return path.endswith(f"/{ORIGINAL}") or ":" in path or bool(PurePosixPath(path).suffix)


def suffix_of(path: str) -> str:
    """Return `mp4` for `videos/<uuid>/original/608x1080.mp4`; empty without one."""
    return PurePosixPath(path).suffix.removeprefix(".")


def _resource_type(asset: str) -> str:
    stray, _, kind = asset.rpartition(":")
    return kind if stray else ("image" if asset.endswith(".webp") else "video")
