"""Objects as files below one folder."""

import errno
import filecmp
import itertools
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tiktok_clone.common.storage.listing import Found, Page

# Small letters, digits and dashes; a dot never leads, so neither `..` nor hidden files match.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9._-]*)+")
NAME_MAX = 200
LISTED_AT_ONCE = 1000
PARTIAL = ".partial-"
CANNOT_LINK = {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}


class LocalStore:
    """Keeps each object as the file of its name below `root`.

    An object appears complete or not at all, and is never written over.
    """

    def __init__(self, root: Path, base_url: str) -> None:
        self.root = root
        self.base_url = base_url

    def path(self, name: str) -> Path:
        """Return where an object is, or would be.

        Raises:
            ValueError: the name is not one that the server would choose.
        """
        if len(name) > NAME_MAX or not NAME.fullmatch(name):
            raise ValueError(f"not an object name: {name!r}")
        return self.root / name

    def url(self, name: str, *, public: bool = True) -> str:
        """Return the address of an object; whoever asks there is checked unless it is public."""
        return f"{self.base_url}{name}"

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        return self.path(name).is_file()

    def size(self, name: str) -> int:
        """Return the size of an object in bytes."""
        return self.path(name).stat().st_size

    def open(self, name: str) -> BinaryIO:
        """Open an object for reading."""
        return self.path(name).open("rb")

    def save(self, name: str, source: Path) -> None:
        """Make a file the object of this name, durably; the file itself stays where it is.

        On one filesystem nothing is copied: the object is one more link to the same bytes,
        so the caller must only remove `source` afterwards, not change it. An object that is
        there already must be the same, byte by byte.

        Raises:
            FileExistsError: the name has other bytes.
        """
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _sync(source)
            _put(source, target)
        except FileExistsError:
            if not filecmp.cmp(source, target, shallow=False):
                raise
        target.chmod(0o644)
        _sync(target.parent)

    @contextmanager
    def local_copy(self, name: str) -> Iterator[Path]:
        """Give a path to read the object at: here, the object itself.

        Raises:
            FileNotFoundError: there is no such object.
        """
        path = self.path(name)
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "no such object", name)
        yield path

    def listing(self, prefix: str = "") -> Iterator[Found]:
        """Yield the objects below a prefix, or all; what goes meanwhile is left out."""
        for path in (self.path(prefix) if prefix else self.root).rglob("*"):
            if path.name.startswith("."):
                continue
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(facts.st_mode):
                name = path.relative_to(self.root).as_posix()
                changed = datetime.fromtimestamp(facts.st_mtime, UTC)
                yield Found(name, facts.st_size, changed)

    def pages(self, cursor: str = "") -> Iterator[Page]:
        """Yield all objects in pages, one at least; any cursor leads to the beginning again."""
        found = self.listing()
        objects = list(itertools.islice(found, LISTED_AT_ONCE))
        while following := list(itertools.islice(found, LISTED_AT_ONCE)):
            yield Page(objects, "")
            objects = following
        yield Page(objects, None)

    def facts(self, names: Iterable[str]) -> dict[str, Found]:
        """Return what there is now of some objects; those that are not there are left out."""
        found = {}
        for name in names:
            try:
                facts = self.path(name).stat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            since = datetime.fromtimestamp(facts.st_mtime, UTC)
            found[name] = Found(name, facts.st_size, since)
        return found

    def names(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of the objects below a prefix, or of all."""
        return (found.name for found in self.listing(prefix))

    def delete_prefix(self, name: str, known: Iterable[str] = (), *, look: bool = True) -> None:
        """Remove an object, or all objects below a prefix; what is not there is no error."""
        target = self.path(name)
        try:
            shutil.rmtree(target)
        except NotADirectoryError:
            target.unlink(missing_ok=True)
        except FileNotFoundError:
            # Nothing was there, or somebody else removes the same: make sure that it is gone.
            if target.exists():
                shutil.rmtree(target, ignore_errors=True)

    def remove_partials(self, before: float) -> int:
        """Remove copies that were begun before a time (in seconds since 1970) and never ended."""
        removed = 0
        for path in self.root.rglob(f"{PARTIAL}*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def is_writable(self) -> bool:
        """Whether objects can be made now."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                return True
        except OSError:
            return False


def _put(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    """Copy under a hidden name first, so that a crash leaves no half object."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=PARTIAL, delete=False) as partial:
        try:
            with source.open("rb") as original:
                shutil.copyfileobj(original, partial, 1024 * 1024)
            partial.flush()
            os.fsync(partial.fileno())
            _place(Path(partial.name), target)
        finally:
            Path(partial.name).unlink(missing_ok=True)


def _place(partial: Path, target: Path) -> None:
    try:
        os.link(partial, target)
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise
        # A filesystem without hard links; names are unique, so this check is only a guard.
        if target.exists():
            raise FileExistsError(errno.EEXIST, "object exists", str(target)) from None
        partial.rename(target)


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
