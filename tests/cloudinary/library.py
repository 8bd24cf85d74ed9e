"""What the emulator stores: assets, their renditions, uploads in parts, what the CDN keeps."""

import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.cloudinary import transformations
from tests.cloudinary.probing import Facts, kind_of, probe
from tests.cloudinary.refusals import RefusalError, invalid, not_found
from tests.cloudinary.transformations import Transformation

Key = tuple[str, str]  # shelf, public id
FORBIDDEN = frozenset("?&#\\%<>+")
ID_MAX = 255


@dataclass
class Derived:
    """A rendition of an asset."""

    id: str
    transformation: Transformation
    path: Path
    bytes: int
    width: int
    height: int

    @property
    def format(self) -> str:
        """Its format."""
        return self.path.suffix[1:]


@dataclass
class Asset:
    """An asset. `version` and `created` are in seconds since 1970."""

    kind: str
    public_id: str
    path: Path
    bytes: int
    etag: str
    facts: Facts
    version: int
    created: float
    asset_id: str
    filename: str = ""
    tags: tuple[str, ...] = ()
    context: dict[str, str] = field(default_factory=dict)
    derived: dict[tuple[str, str], Derived] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What it is found by."""
        return self.kind, self.public_id

    @property
    def resource_type(self) -> str:
        """ "video", "image" or "raw"."""
        return self.kind.partition("/")[0]

    @property
    def type(self) -> str:
        """ "upload", or "authenticated", which is delivered to signed addresses only."""
        return self.kind.partition("/")[2] or "upload"


@dataclass(frozen=True)
class Cached:
    """What the CDN keeps of an asset for one URL."""

    key: Key
    path: Path
    etag: str


@dataclass
class Parts:
    """An upload in parts, as far as it has come. Ranges exclude their ends."""

    public_id: str
    path: Path
    ranges: list[tuple[int, int]] = field(default_factory=list)
    total: int | None = None
    finished: Asset | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def received(self) -> int:
        """The bytes that are there."""
        return sum(end - start for start, end in _merged(self.ranges))

    @property
    def complete(self) -> bool:
        """Whether no byte is missing."""
        return self.total is not None and _merged(self.ranges) == [(0, self.total)]


def shelf(resource_type: str, type: str) -> str:
    """Where assets of a type are; the same name may be on each of them."""
    return resource_type if type == "upload" else f"{resource_type}/{type}"


class Library:
    """The assets of one cloud, in a folder. A `kind` is a `shelf`."""

    def __init__(self, folder: Path, clock: Callable[[], float], *, fake: bool) -> None:
        self._folder = folder
        self._clock = clock
        self.fake = fake
        self._lock = threading.RLock()
        self.transcoding = threading.Lock()  # who holds it keeps renditions from being made
        self._assets: dict[Key, Asset] = {}
        self._frozen: list[Asset] | None = None
        self._parts: dict[str, Parts] = {}
        self._cached: dict[str, Cached] = {}
        self.incoming = folder / "incoming"
        for name in ("incoming", "originals", "derived", "cdn"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def __iter__(self) -> Iterator[Asset]:
        with self._lock:
            return iter(list(self._assets.values()))

    def __len__(self) -> int:
        return len(self._assets)

    def listed(self) -> list[Asset]:
        """The assets as lists show them."""
        return list(self) if self._frozen is None else self._frozen

    def freeze_listing(self) -> None:
        """Let lists stay as they are now, whatever happens."""
        self._frozen = list(self)

    @property
    def is_listing_frozen(self) -> bool:
        """Whether lists may tell of what is there no more."""
        return self._frozen is not None

    def thaw_listing(self) -> None:
        """Let lists tell the truth again."""
        self._frozen = None

    def get(self, kind: str, public_id: str) -> Asset:
        """An asset.

        Raises:
            RefusalError: there is none of this name.
        """
        with self._lock:
            asset = self._assets.get((kind, public_id))
        if asset is None:
            raise not_found(public_id)
        return asset

    def find(self, kind: str, public_id: str) -> Asset | None:
        """An asset, or None."""
        return self._assets.get((kind, public_id))

    def store(
        self,
        file: Path,
        kind: str,
        public_id: str,
        *,
        filename: str,
        overwrite: bool,
        formats: Collection[str] = (),
    ) -> tuple[Asset, bool]:
        """Take a file in; it is moved.

        Args:
            formats: those that are allowed; all, if none are named. Assumed: a raw file
                without an extension has no format, and is let in.

        Returns:
            The asset, and whether it was there before and stays as it was.

        Raises:
            RefusalError: it is not of its kind, or format, or the name cannot be one.
        """
        check_name(public_id)
        resource_type, slash, type = kind.partition("/")
        resource_type = kind_of(file) if resource_type == "auto" else resource_type
        kind = f"{resource_type}{slash}{type}"
        facts = probe(file, resource_type, filename)
        if formats and facts.format and facts.format not in formats:
            raise RefusalError(400, f"File format {facts.format} not allowed")
        etag = md5(file)
        with self._lock:
            old = self._assets.get((kind, public_id))
            if old and not overwrite:
                file.unlink()
                return old, True
            now = self._clock()
            path = self._folder / "originals" / secrets.token_hex(8)
            file.rename(path)
            asset = Asset(
                kind=kind,
                public_id=public_id,
                path=path,
                bytes=path.stat().st_size,
                etag=etag,
                facts=facts,
                version=max(int(now), old.version + 1 if old else 0),
                created=old.created if old else now,
                asset_id=old.asset_id if old else secrets.token_hex(16),
                filename=Path(filename).stem,
            )
            if old:
                self._remove_files(old)
            self._assets[asset.key] = asset
        return asset, False

    def put(self, kind: str, public_id: str, content: bytes, format: str, created: float) -> Asset:
        """Have an asset since some time, as if it had been uploaded; nobody looks into it."""
        path = self._folder / "originals" / secrets.token_hex(8)
        path.write_bytes(content)
        asset = Asset(
            kind=kind,
            public_id=public_id,
            path=path,
            bytes=len(content),
            etag=md5(path),
            facts=Facts(format=format),
            version=int(created),
            created=created,
            asset_id=secrets.token_hex(16),
        )
        with self._lock:
            self._assets[asset.key] = asset
        return asset

    def parts(self, upload_id: str, public_id: str) -> Parts:
        """The upload in parts of an id, begun if it is new."""
        with self._lock:
            if upload_id not in self._parts:
                name = hashlib.sha256(upload_id.encode()).hexdigest()
                path = self.incoming / name
                path.touch()
                self._parts[upload_id] = Parts(public_id, path)
            return self._parts[upload_id]

    def write_part(self, parts: Parts, file: Path, start: int, total: int | None) -> bool:
        """Put a part where it belongs, with `parts.lock` held.

        Returns:
            Whether the upload is complete with it.
        """
        size = file.stat().st_size
        with file.open("rb") as part, parts.path.open("r+b") as whole:
            whole.seek(start)
            shutil.copyfileobj(part, whole, 1 << 20)
        file.unlink()
        parts.ranges.append((start, start + size))
        if total is not None:
            parts.total = total
        return parts.complete

    def derive(self, asset: Asset, transformation: Transformation) -> Derived:
        """A rendition, made if it is not there.

        Raises:
            RefusalError: it cannot be made, or its asset is gone.
        """
        format = transformation.format or asset.facts.format
        key = (transformation.text, format)
        with self.transcoding:
            if key in asset.derived:
                return asset.derived[key]
            path = self._folder / "derived" / f"{secrets.token_hex(8)}.{format}"
            try:
                if self.fake:
                    transformations.fake(asset.path, path)
                else:
                    transformations.make(asset.path, asset.facts, transformation, path)
                derived = self._described(asset, transformation, path)
            except FileNotFoundError:  # it was destroyed meanwhile
                raise not_found(asset.public_id) from None
            with self._lock:
                if self._assets.get(asset.key) is not asset:
                    path.unlink()
                    raise not_found(asset.public_id)
                asset.derived[key] = derived
        return derived

    def _described(self, asset: Asset, made: Transformation, path: Path) -> Derived:
        width, height = transformations.size(asset.facts, made)
        if not self.fake:
            kind = "image" if path.suffix[1:] in transformations.STILLS else "video"
            facts = probe(path, kind, path.name)
            width, height = facts.width, facts.height
        return Derived(secrets.token_hex(16), made, path, path.stat().st_size, width, height)

    def destroy(self, kind: str, public_id: str, *, invalidate: bool) -> Asset | None:
        """Forget an asset and its renditions. Returns it, or None if there is none."""
        with self._lock:
            asset = self._assets.pop((kind, public_id), None)
            if invalidate:
                self.invalidate(kind, public_id)
            if asset:
                self._remove_files(asset)
        return asset

    def _remove_files(self, asset: Asset) -> None:
        asset.path.unlink(missing_ok=True)
        for derived in asset.derived.values():
            derived.path.unlink(missing_ok=True)

    def cached(self, url: str) -> Cached | None:
        """What the CDN has for an URL."""
        with self._lock:
            return self._cached.get(url)

    def keep(self, url: str, asset: Asset, path: Path) -> Cached:
        """Let the CDN keep what it delivers, until it is invalidated."""
        with self._lock:
            copy = self._folder / "cdn" / secrets.token_hex(8)
            os.link(path, copy)
            self._cached[url] = Cached(asset.key, copy, md5(copy))
            return self._cached[url]

    def invalidate(self, kind: str, public_id: str) -> None:
        """Let the CDN forget all that it has of an asset."""
        with self._lock:
            for url, cached in list(self._cached.items()):
                if cached.key == (kind, public_id):
                    del self._cached[url]
                    cached.path.unlink()


def check_name(public_id: str) -> None:
    """Refuse what cannot be a public id.

    Raises:
        RefusalError: it has characters that are not allowed, or begins or ends badly.
    """
    if FORBIDDEN & set(public_id) or public_id != public_id.strip().strip("/"):
        raise RefusalError(400, f"public_id ({public_id}) is invalid")
    if len(public_id) > ID_MAX:
        raise invalid("public_id", public_id)


def md5(path: Path) -> str:
    """The digest that Cloudinary calls an etag."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "md5").hexdigest()


def new_name() -> str:
    """A public id for an asset that was sent without one."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(secrets.choice(letters) for _ in range(20))


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
