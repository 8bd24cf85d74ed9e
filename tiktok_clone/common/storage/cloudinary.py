"""Objects as assets at Cloudinary, by its official SDK."""

import errno
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode

from cloudinary import api, uploader, utils
from django.conf import settings

from tiktok_clone.common.storage import assets, calls
from tiktok_clone.common.storage.assets import ORIGINAL, RESOURCE_TYPES, TYPE, Assets, kind_of
from tiktok_clone.common.storage.calls import Account, StoreError
from tiktok_clone.common.storage.listing import Found, Page, etag_of
from tiktok_clone.common.storage.naming import path_of
from tiktok_clone.common.storage.transformations import transformation_of

# Cloudinary wants 5 MB or more, but for the last; one is in memory at a time.
CHUNK_BYTES = 6_000_000
LISTED_AT_ONCE = 500
ASKED_AT_ONCE = 100
# Bytes of ids in the address of one call; servers take about 8 kB.
IDS_LONGEST = 6000
# What a ticket takes, as Cloudinary calls the formats that our own probe lets in.
FORMATS = "3g2,3gp,avi,m2ts,m4v,mkv,mov,mp4,mts,ts,webm"


@dataclass(frozen=True)
class Ticket:
    """What somebody else needs to upload one object for us: where to, and the signed fields."""

    url: str
    fields: dict[str, str]


class CloudinaryStore:
    """Keeps each object as an asset of the account in a CLOUDINARY_URL."""

    def __init__(self, url: str, folder: str, base_url: str) -> None:
        self.account = Account(url)
        self.assets = Assets(self.account.options, folder)
        self.base_url = base_url

    # Names and addresses

    def url(self, name: str, *, public: bool = True) -> str:
        """Return the address at the CDN, or the one here where it is asked who wants it."""
        return self.delivery_url(name) if public else f"{self.base_url}{name}"

    def delivery_url(self, name: str) -> str:
        """Return the signed address at the CDN, which holds for as long as the object does."""
        return self.assets.delivery_url(name)

    # Reading

    def exists(self, name: str) -> bool:
        """Whether there is such an object; asks the API, whose answer is never old."""
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """Return the size of an object in bytes."""
        if assets.split(path_of(name))[1]:
            return self.account.length(name, self.delivery_url(name))
        return int(self.describe(name)["bytes"])

    def describe(self, name: str) -> Mapping[str, Any]:
        """Return what Cloudinary knows of an asset, with the list of what it derived from it.

        Raises:
            FileNotFoundError: there is no such asset.
            StoreError: Cloudinary does not answer, or we ask too often.
        """
        public_id = self.assets.public_id(name)
        return self.account.ask(api.resource, public_id, **kind_of(name), max_results=100)

    def open(self, name: str) -> BinaryIO:
        """Open an object for reading: a copy without a name, which goes when it is closed."""
        file = cast(BinaryIO, TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR))  # noqa: SIM115
        try:
            self.account.download(name, self.delivery_url(name), file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    @contextmanager
    def local_copy(self, name: str) -> Iterator[Path]:
        """Give a path to a copy of the object, for the block."""
        folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, suffix=PurePosixPath(name).suffix) as file:
            self.account.download(name, self.delivery_url(name), file)
            file.flush()
            yield Path(file.name)

    def listing(self, prefix: str = "") -> Iterator[Found]:
        """Yield the assets below a prefix, or all below our folder; it may be minutes old."""
        for page in self.pages(prefix=prefix):
            yield from page.objects

    def pages(self, cursor: str = "", prefix: str = "") -> Iterator[Page]:
        """Yield the assets below a prefix, or all, in pages of one call each.

        Args:
            cursor: of a page, to go on after it; it holds for some days.
        """
        start, _, after = cursor.partition(":")
        for kind in RESOURCE_TYPES[RESOURCE_TYPES.index(start) if start else 0 :]:
            while True:
                answer = self.account.ask(
                    api.resources,
                    resource_type=kind,
                    type=TYPE,
                    prefix=self.assets.folder + path_of(prefix),
                    max_results=LISTED_AT_ONCE,
                    **({"next_cursor": after} if after else {}),
                )
                after = answer.get("next_cursor") or ""
                following = f"{kind}:{after}" if after else _kind_after(kind)
                yield Page([self.assets.found(row, kind) for row in answer["resources"]], following)
                if not after:
                    break

    def facts(self, names: Iterable[str]) -> dict[str, Found]:
        """Return what there is now of some objects, which is never old; absent ones are left out.

        What is derived from an original is there as long as the original is, since Cloudinary
        makes it again when it is asked for.
        """
        wanted: dict[str, dict[str, list[str]]] = {kind: {} for kind in RESOURCE_TYPES}
        for name in names:
            ids = wanted[kind_of(name)["resource_type"]]
            ids.setdefault(self.assets.public_id(name), []).append(name)
        found = {}
        for kind, ids in wanted.items():
            for asked in _batches(ids):
                answer = self.account.ask(
                    api.resources_by_ids,
                    asked,
                    resource_type=kind,
                    type=TYPE,
                    max_results=ASKED_AT_ONCE,
                )
                for row in answer["resources"]:
                    asset_found = self.assets.found(row, kind)
                    for name in ids.get(str(row["public_id"]), ()):
                        found[name] = _facts_of(name, asset_found)
        return found

    # Writing

    def save(self, name: str, source: Path) -> None:
        """Upload a file in chunks; one that is there already must be the same, byte by byte.

        Raises:
            FileExistsError: the name has other bytes.
            StoreError: Cloudinary did not take it. It may have it all the same: ask, or do
                the same again.
        """
        public_id = self.assets.public_id(name)
        answer = self.account.call(
            uploader.upload_large,
            str(source),
            public_id=public_id,
            **kind_of(name),
            # The text: a False would neither be signed nor sent.
            overwrite="false",
            chunk_size=CHUNK_BYTES,
            timeout=calls.UPLOAD_TIMEOUT,
        )
        if answer.get("public_id", public_id) != public_id:
            self.account.call(uploader.destroy, answer["public_id"], **kind_of(name))
            raise StoreError(f"Cloudinary kept {name} under another name.")
        if answer.get("etag") != etag_of(source):
            raise FileExistsError(errno.EEXIST, "object exists", name)

    def ticket(self, name: str, notify: str = "") -> Ticket:
        """Return what a browser needs to upload an object itself; it is good for an hour."""
        fields: dict[str, str] = {
            "timestamp": str(int(time.time())),
            "public_id": self.assets.public_id(name),
            "type": TYPE,
            "overwrite": "false",
            "allowed_formats": FORMATS,
        }
        if notify:
            fields["notification_url"] = notify
        options = self.account.options
        signed = utils.sign_request(dict(fields), dict(options))
        where = {key: options[key] for key in ("cloud_name", "upload_prefix") if key in options}
        address = utils.cloudinary_api_url("upload", **kind_of(name), **where)
        return Ticket(str(address), {key: str(value) for key, value in signed.items()})

    def derive(self, name: str, derived: Iterable[str], notify: str = "") -> Mapping[str, Any]:
        """Have renditions and pictures of an asset made, in the background; returns its facts.

        Doing it again is harmless: what is there already is not made anew.
        """
        return self.account.call(
            uploader.explicit,
            self.assets.public_id(name),
            **kind_of(name),
            eager=[
                {"raw_transformation": transformation_of(each), "format": assets.suffix_of(each)}
                for each in derived
            ],
            eager_async=True,
            **({"eager_notification_url": notify} if notify else {}),
        )

    def delete_prefix(self, name: str, known: Iterable[str] = (), *, look: bool = True) -> None:
        """Remove an object, or all below a prefix, from the account and from the CDN.

        Args:
            known: names below the prefix that are removed without looking for them first,
                since a listing may lack what is new.
            look: also list what is there, which takes calls of the Admin API.
        """
        path = path_of(name)
        if assets.is_object(path):
            self._destroy(name)
            return
        for each in known:
            self._destroy(each)
        for found in self.listing(f"{path}/") if look else ():
            self._destroy(found.name)

    def is_writable(self) -> bool:
        """Whether Cloudinary answers."""
        return self.account.is_reachable()

    def _destroy(self, name: str) -> None:
        """Remove one asset; "not found" is what we want. What is derived goes with its original.

        An original goes in all kinds: the listing may be old, and there was a ticket for it.
        """
        asset, derived = assets.split(path_of(name))
        if derived:
            return
        own = kind_of(name)["resource_type"]
        for kind in RESOURCE_TYPES if asset.endswith(f"/{ORIGINAL}") else (own,):
            self.account.call(
                uploader.destroy,
                self.assets.public_id(name),
                resource_type=kind,
                type=TYPE,
                invalidate=True,
            )


def _facts_of(name: str, asset: Found) -> Found:
    """What is known of an object, given the asset that it is, or is derived from."""
    return asset if asset.name == name else Found(name, 0, asset.since)


def _kind_after(kind: str) -> str | None:
    """The cursor that leads to the next kind of assets; None after the last one."""
    rest = RESOURCE_TYPES[RESOURCE_TYPES.index(kind) + 1 :]
    return f"{rest[0]}:" if rest else None


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    """Part ids so that those of one call fit into its address."""
    batch: list[str] = []
    length = 0
    for each in ids:
        size = len(urlencode({"public_ids[]": each})) + 1
        if batch and (len(batch) == ASKED_AT_ONCE or length + size > IDS_LONGEST):
            yield batch
            batch, length = [], 0
        batch.append(each)
        length += size
    if batch:
        yield batch
