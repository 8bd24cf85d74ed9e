"""A backup as one tar file: what is in it, how it is written, and how it is checked.

    manifest.json     when and of what it was made
    database.dump     PostgreSQL's custom format
    media/NAME        the objects of the store
    SHA256SUMS        of all of these, and last: without it the file is not complete

So a backup can be looked into and checked without this program:
`tar xf FILE && sha256sum --check SHA256SUMS`.
"""

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.dump"
MEDIA = "media/"
SUMS = "SHA256SUMS"
CHUNK = 1024 * 1024
TEXT_LIMIT = 1 << 20

Advance = Callable[[int], object]


class DamagedError(Exception):
    """This is no backup, or not the one that was written; the message is for people."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself.

    `migrations` has the last one of each app; `created_at` is ISO 8601 in UTC.
    """

    created_at: str
    site: str
    postgres: int
    migrations: dict[str, str]
    format: int = FORMAT


class _Hashed:
    """A file that is read once, from its beginning to its end, and hashed on the way."""

    def __init__(self, source: IO[bytes], advance: Advance) -> None:
        self._source = source
        self._advance = advance
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        self._advance(len(data))
        return data


class Writer:
    """Writes the members in their order; `close` makes it complete."""

    def __init__(self, target: BinaryIO, manifest: Manifest, advance: Advance) -> None:
        self._tar = tarfile.open(fileobj=target, mode="w")  # noqa: SIM115
        self._tar.copybufsize = CHUNK  # type: ignore[attr-defined]
        self._advance = advance
        self._sums: list[str] = []
        text = json.dumps(asdict(manifest), indent=2).encode()
        self.add(MANIFEST, io.BytesIO(text), len(text))

    def add(self, name: str, source: IO[bytes], size: int) -> None:
        """Append a member of exactly `size` bytes; OSError when there are fewer."""
        member = _member(name, size)
        hashed = _Hashed(source, self._advance)
        self._tar.addfile(member, hashed)
        self._sums.append(f"{hashed.digest.hexdigest()}  {name}\n")

    def close(self) -> None:
        """Write the checksums and the end."""
        text = "".join(self._sums).encode()
        self._tar.addfile(_member(SUMS, len(text)), io.BytesIO(text))
        self._tar.close()


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, time.time()
    return member


def members(path: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Yield name and content of each member in order; DamagedError where there is another thing."""
    with tarfile.open(path, "r|", bufsize=CHUNK) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None:
                raise DamagedError(f"{path} is no backup: {member.name} in it is not a file.")
            yield member, content


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise DamagedError where the file cannot be read as a tar file within the block."""
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise DamagedError(f"{path} cannot be read to its end: {error}.") from error


def read_manifest(path: Path) -> Manifest:
    """Return what the backup says about itself.

    Raises:
        DamagedError: this is no backup of ours, or one of a later format.
    """
    with reading(path):
        member, content = next(members(path), (None, None))
        if member is None or content is None or member.name != MANIFEST:
            raise DamagedError(f"{path} is no backup: it does not begin with {MANIFEST}.")
        text = content.read(TEXT_LIMIT)
    try:
        manifest = Manifest(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise DamagedError(f"{MANIFEST} in {path} cannot be read: {error}.") from error
    if manifest.format != FORMAT:
        raise DamagedError(f"{path} has format {manifest.format}; this program knows {FORMAT}.")
    return manifest


def verify(path: Path, advance: Advance) -> dict[str, str]:
    """Read the whole file and compare it with its checksums; return them by member.

    Raises:
        DamagedError: it ends too early, or a member is not what was written.
    """
    found: dict[str, str] = {}
    expected: dict[str, str] | None = None
    with reading(path):
        for member, content in members(path):
            if member.name == SUMS:
                expected = _sums(content.read().decode(errors="replace"))
                break
            hashed = _Hashed(content, advance)
            while hashed.read(CHUNK):
                pass
            found[member.name] = hashed.digest.hexdigest()
    if expected is None:
        raise DamagedError(f"{path} is not complete: it ends without {SUMS}.")
    wrong = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    if wrong or DATABASE not in found:
        raise DamagedError(f"{path} is damaged: {', '.join(wrong[:5]) or DATABASE} in it.")
    return found


def _sums(text: str) -> dict[str, str]:
    lines = (line.split("  ", 1) for line in text.splitlines())
    return {line[1]: line[0] for line in lines if len(line) == 2}
