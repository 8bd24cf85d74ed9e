"""Objects as assets at Cloudinary, by its official SDK.

A name and an asset belong together by a rule, so that no table of them is needed:

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

import errno
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, Any, BinaryIO, cast
from urllib.parse import urlencode

import urllib3
from cloudinary import api, exceptions, uploader, utils
from cloudinary.api_client import call_api
from django.conf import settings

from tiktok_clone.common import cdn
from tiktok_clone.common.storage import allowance
from tiktok_clone.common.storage.listing import Found, Page
from tiktok_clone.common.storage.naming import CLOUDINARY, named, path_of
from tiktok_clone.common.storage.transformations import transformation_of

TYPE = "authenticated"
ORIGINAL = "original"
# Cloudinary wants 5 MB or more, but for the last; one is in memory at a time.
CHUNK_BYTES = 6_000_000
COPY_BYTES = 1024 * 1024
LISTED_AT_ONCE = 500
ASKED_AT_ONCE = 100
# Bytes of ids in the address of one call; servers take about 8 kB.
IDS_LONGEST = 6000
RESOURCE_TYPES = ("video", "image", "raw")
# What a ticket takes, as Cloudinary calls the formats that our own probe lets in.
FORMATS = "3g2,3gp,avi,m2ts,m4v,mkv,mov,mp4,mts,ts,webm"
# Seconds: an answer to a call, one to a chunk of a file, the end of a silent download.
CALL_TIMEOUT = 10
UPLOAD_TIMEOUT = 120
DOWNLOAD_TIMEOUT = urllib3.Timeout(connect=5, read=30)
REACHABLE_FOR = 10
RATE_LIMIT_PAUSE = 600

# The SDK has no setting for it, and would ask again by itself, up to three times, each after as
# many seconds as a server names. Whoever asks here knows better whether to wait.
for connector in (call_api._http, uploader._http):
    connector.connection_pool_kw["retries"] = False


class StoreError(OSError):
    """Cloudinary did not do it; it may a little later.

    Args:
        retry_after: seconds to wait when it said that we ask too often.
    """

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(errno.EIO, message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Ticket:
    """What somebody else needs to upload one object for us: where to, and the signed fields."""

    url: str
    fields: dict[str, str]


class CloudinaryStore:
    """Keeps each object as an asset of the account in a CLOUDINARY_URL."""

    def __init__(self, url: str, folder: str, base_url: str) -> None:
        if not url:
            raise StoreError("An object is in Cloudinary, but CLOUDINARY_URL is not set.")
        self.options = cdn.account(url)
        self.folder = f"{folder.strip('/')}/" if folder.strip("/") else ""
        self.base_url = base_url
        self._pool = urllib3.PoolManager(timeout=DOWNLOAD_TIMEOUT, retries=False)
        self._reachable_until = 0.0

    # Names and addresses

    def url(self, name: str, *, public: bool = True) -> str:
        """Return the address at the CDN, or the one here where it is asked who wants it."""
        return self.delivery_url(name) if public else f"{self.base_url}{name}"

    def delivery_url(self, name: str) -> str:
        """Return the signed address at the CDN, which holds for as long as the object does."""
        asset, derived = _split(path_of(name))
        suffix = PurePosixPath(derived or asset).suffix
        options = dict(
            self.options,
            resource_type=_resource_type(asset),
            type=TYPE,
            sign_url=True,
            format=suffix.removeprefix(".") or None,
        )
        if derived:
            options["raw_transformation"] = transformation_of(derived)
        address, _ = utils.cloudinary_url(self._public_id(asset), **options)
        return str(address)

    def public_id(self, name: str) -> str:
        """Return the id that Cloudinary knows an asset by."""
        return self._public_id(_split(path_of(name))[0])

    def name_of(self, public_id: str) -> str | None:
        """Return the name of an original by its public id; None if it is none of ours."""
        path = public_id.removeprefix(self.folder)
        ours = public_id.startswith(self.folder) and path.endswith(f"/{ORIGINAL}")
        return named(CLOUDINARY, path) if ours else None

    def _public_id(self, asset: str) -> str:
        stray, _, _ = asset.rpartition(":")
        return self.folder + (stray or str(PurePosixPath(asset).with_suffix("")))

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
        if _split(path_of(name))[1]:
            return self._derived_size(name)
        return int(self.describe(name)["bytes"])

    def describe(self, name: str) -> Mapping[str, Any]:
        """Return what Cloudinary knows of an asset, with the list of what it derived from it.

        Raises:
            FileNotFoundError: there is no such asset.
            StoreError: Cloudinary does not answer, or we ask too often.
        """
        public_id = self.public_id(name)
        return self._ask(api.resource, public_id, **self._kind(name), max_results=100)

    def open(self, name: str) -> BinaryIO:
        """Open an object for reading: a copy without a name, which goes when it is closed."""
        file = cast(BinaryIO, TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR))  # noqa: SIM115
        try:
            self._download(name, file)
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
            self._download(name, file)
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
                answer = self._ask(
                    api.resources,
                    resource_type=kind,
                    type=TYPE,
                    prefix=self.folder + path_of(prefix),
                    max_results=LISTED_AT_ONCE,
                    **({"next_cursor": after} if after else {}),
                )
                after = answer.get("next_cursor") or ""
                following = f"{kind}:{after}" if after else _kind_after(kind)
                yield Page([self._found(row, kind) for row in answer["resources"]], following)
                if not after:
                    break

    def facts(self, names: Iterable[str]) -> dict[str, Found]:
        """Return what there is now of some objects, which is never old; absent ones are left out.

        What is derived from an original is there as long as the original is, since Cloudinary
        makes it again when it is asked for.
        """
        assets: dict[str, dict[str, list[str]]] = {kind: {} for kind in RESOURCE_TYPES}
        for name in names:
            asset, _ = _split(path_of(name))
            ids = assets[_resource_type(asset)]
            ids.setdefault(self._public_id(asset), []).append(name)
        found = {}
        for kind, ids in assets.items():
            for asked in _batches(ids):
                answer = self._ask(
                    api.resources_by_ids,
                    asked,
                    resource_type=kind,
                    type=TYPE,
                    max_results=ASKED_AT_ONCE,
                )
                for row in answer["resources"]:
                    asset_found = self._found(row, kind)
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
        answer = self._call(
            uploader.upload_large,
            str(source),
            public_id=self.public_id(name),
            **self._kind(name),
            # The text: a False would neither be signed nor sent.
            overwrite="false",
            chunk_size=CHUNK_BYTES,
            timeout=UPLOAD_TIMEOUT,
        )
        if answer.get("public_id", self.public_id(name)) != self.public_id(name):
            self._call(uploader.destroy, answer["public_id"], **self._kind(name))
            raise StoreError(f"Cloudinary kept {name} under another name.")
        if answer.get("etag") != etag_of(source):
            raise FileExistsError(errno.EEXIST, "object exists", name)

    def ticket(self, name: str, notify: str = "") -> Ticket:
        """Return what a browser needs to upload an object itself; it is good for an hour."""
        fields: dict[str, str] = {
            "timestamp": str(int(time.time())),
            "public_id": self.public_id(name),
            "type": TYPE,
            "overwrite": "false",
            "allowed_formats": FORMATS,
        }
        if notify:
            fields["notification_url"] = notify
        signed = utils.sign_request(dict(fields), dict(self.options))
        address = utils.cloudinary_api_url("upload", **self._kind(name), **self._address())
        return Ticket(str(address), {key: str(value) for key, value in signed.items()})

    def strays(self, name: str) -> list[str]:
        """Return the names of what a ticket for an object may have been used for besides it."""
        own = _resource_type(path_of(name))
        return [f"{name}:{kind}" for kind in RESOURCE_TYPES if kind != own]

    def derive(self, name: str, derived: Iterable[str], notify: str = "") -> Mapping[str, Any]:
        """Have renditions and pictures of an asset made, in the background; returns its facts.

        Doing it again is harmless: what is there already is not made anew.
        """
        answer = self._call(
            uploader.explicit,
            self.public_id(name),
            **self._kind(name),
            eager=[
                {"raw_transformation": transformation_of(each), "format": _format(each)}
                for each in derived
            ],
            eager_async=True,
            **({"eager_notification_url": notify} if notify else {}),
        )
        return answer

    def delete_prefix(self, name: str, known: Iterable[str] = (), *, look: bool = True) -> None:
        """Remove an object, or all below a prefix, from the account and from the CDN.

        Args:
            known: names below the prefix that are removed without looking for them first,
                since a listing may lack what is new.
            look: also list what is there, which takes calls of the Admin API.
        """
        path = path_of(name)
        if _is_object(path):
            self._destroy(name)
            return
        for each in known:
            self._destroy(each)
        for found in self.listing(f"{path}/") if look else ():
            self._destroy(found.name)

    def is_writable(self) -> bool:
        """Whether Cloudinary answers; what it said is remembered for some seconds."""
        if time.monotonic() < self._reachable_until:
            return True
        prefix = self.options.get("upload_prefix") or cdn.API
        try:
            answer = self._pool.request("HEAD", prefix)
        except urllib3.exceptions.HTTPError:
            return False
        if answer.status >= 500:
            return False
        self._reachable_until = time.monotonic() + REACHABLE_FOR
        return True

    # Below

    def _kind(self, name: str) -> dict[str, str]:
        return {"resource_type": _resource_type(_split(path_of(name))[0]), "type": TYPE}

    def _address(self) -> dict[str, Any]:
        return {k: v for k, v in self.options.items() if k in ("cloud_name", "upload_prefix")}

    def _destroy(self, name: str) -> None:
        """Remove one asset; "not found" is what we want. What is derived goes with its original.

        An original goes in all kinds: the listing may be old, and there was a ticket for it.
        """
        asset, derived = _split(path_of(name))
        if derived:
            return
        kinds = RESOURCE_TYPES if asset.endswith(f"/{ORIGINAL}") else (_resource_type(asset),)
        for kind in kinds:
            self._call(
                uploader.destroy,
                self._public_id(asset),
                resource_type=kind,
                type=TYPE,
                invalidate=True,
            )

    def _found(self, row: Mapping[str, Any], kind: str) -> Found:
        public_id = str(row["public_id"]).removeprefix(self.folder)
        path = public_id
        if not path.endswith(f"/{ORIGINAL}"):
            path = f"{path}.{row.get('format', '')}"
        if _resource_type(path) != kind:
            path = f"{public_id}:{kind}"
        since = datetime.fromisoformat(str(row["created_at"]).replace("Z", "+00:00"))
        etag = str(row.get("etag", ""))
        return Found(named(CLOUDINARY, path), int(row["bytes"]), since.astimezone(UTC), etag)

    def _ask(self, function: Callable[..., Any], *args: Any, **options: Any) -> Mapping[str, Any]:
        """Call a function of the Admin API, if this hour's allowance has one left."""
        if wait := allowance.take():
            raise StoreError("This hour's calls to Cloudinary are used up.", wait)
        return self._call(function, *args, **options)

    def _call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Mapping[str, Any]:
        """Call the SDK; whatever it raises becomes an OSError."""
        account = {key: self.options.get(key) for key in ("cloud_name", "api_key", "api_secret")}
        account |= {"upload_prefix": self.options.get("upload_prefix"), "timeout": CALL_TIMEOUT}
        try:
            answer: Mapping[str, Any] = function(*args, **{**account, **options})
        except exceptions.NotFound as error:
            raise FileNotFoundError(errno.ENOENT, "no such object", str(error)) from error
        except exceptions.RateLimited as error:
            raise StoreError(str(error), RATE_LIMIT_PAUSE) from error
        except Exception as error:
            # The SDK raises plain Exceptions too, for a page of HTML in place of an answer.
            raise StoreError(f"{type(error).__name__}: {str(error)[:200]}") from error
        return answer

    def _derived_size(self, name: str) -> int:
        answer = self._request("HEAD", name)
        return int(answer.headers.get("Content-Length", 0))

    def _download(self, name: str, file: IO[bytes]) -> None:
        answer = self._request("GET", name, preload_content=False)
        try:
            for piece in answer.stream(COPY_BYTES):
                file.write(piece)
        except urllib3.exceptions.HTTPError as error:
            raise StoreError(f"{name} broke off: {error}") from error
        finally:
            answer.release_conn()
        expected = answer.headers.get("Content-Length")
        if expected is not None and file.tell() != int(expected):
            raise StoreError(f"{name} came incomplete.")

    def _request(self, method: str, name: str, **options: Any) -> urllib3.BaseHTTPResponse:
        try:
            answer = self._pool.request(method, self.delivery_url(name), **options)
        except urllib3.exceptions.HTTPError as error:
            raise StoreError(f"{name}: {error}") from error
        if answer.status == 404:
            answer.release_conn()
            raise FileNotFoundError(errno.ENOENT, "no such object", name)
        if answer.status != 200:
            answer.release_conn()
            raise StoreError(f"{name}: Cloudinary answered {answer.status}.")
        return answer


def etag_of(path: Path) -> str:
    """Return the MD5 of a file as Cloudinary does; it finds damage and is no protection."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _split(path: str) -> tuple[str, str]:
    """Part `videos/<uuid>/original/608x1080.mp4` into the asset and what is derived from it."""
    head, _, last = path.rpartition("/")
    return (head, last) if head.endswith(f"/{ORIGINAL}") else (path, "")


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


def _is_object(path: str) -> bool:
    return path.endswith(f"/{ORIGINAL}") or ":" in path or bool(PurePosixPath(path).suffix)


def _resource_type(asset: str) -> str:
    stray, _, kind = asset.rpartition(":")
    return kind if stray else ("image" if asset.endswith(".webp") else "video")


def _format(derived: str) -> str:
    return PurePosixPath(derived).suffix.removeprefix(".")
