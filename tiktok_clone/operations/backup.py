"""A backup of database and media, taken while the site runs.

The order is what makes it consistent. A row names an object only when the object is complete, and
objects never change, so whatever a snapshot of the database names is in the store at that moment;
nothing is deleted until we are done (tiktok_clone.common.keeping). Objects that come after the
snapshot are copied as well and belong to no row: harmless, and found by `reconcile_media`. The
other way round, a clip posted between the two would be a row without its media.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from tqdm import tqdm

from feeds import writeback
from tiktok_clone.common.keeping import LostLockError, objects_kept
from tiktok_clone.common.storage import incoming, local_store
from tiktok_clone.operations import postgres
from tiktok_clone.operations.archive import DATABASE, MEDIA, Manifest, Writer

# Ends the name of a folder of ours: others may keep unfinished files where backups go.
PARTIAL = ".loopy-backup"
# Left free on the disk that the backup goes to.
RESERVE_BYTES = 64 * 1024 * 1024


class BackupError(Exception):
    """No backup was made; the message is for people."""


def default_path() -> Path:
    """A file in DATA_DIR/backups with the time in its name."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return Path(settings.DATA_DIR) / "backups" / f"loopy-{now}.tar"


def create(target: Path, *, show_progress: bool) -> int:
    """Write a backup to `target` and return how many objects are in it.

    The file appears under its name when it is complete and on the disk, never before.

    Raises:
        BackupError: there is such a file, too little room, or PostgreSQL's tools do not do it.
    """
    if target.exists():
        raise BackupError(f"{target} exists already; choose another name.")
    try:
        with _folder_for(target) as folder:
            dumped, unfinished = folder / DATABASE, folder / "backup.tar"
            manifest = describe()
            writeback.flush()
            with objects_kept():
                postgres.dump(_tools_for(folder), dumped)
                count = _write(unfinished, manifest, dumped, show_progress=show_progress)
            unfinished.rename(target)
            _sync(target.parent)
    except LostLockError as error:
        raise BackupError(
            "The connection to the database broke while objects were copied. Run it again."
        ) from error
    except postgres.ToolError as error:
        raise BackupError(str(error)) from error
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {error}") from error
    except DatabaseError as error:
        raise BackupError(f"The database does not answer: {error}") from error
    return count


def object_names() -> Iterator[str]:
    """Yield the names of all objects on the disk, without files on their way in."""
    root = local_store().root
    on_the_way = incoming().relative_to(root) if incoming().is_relative_to(root) else None
    for name in local_store().names():
        if on_the_way is None or not PurePosixPath(name).is_relative_to(on_the_way):
            yield name


def describe() -> Manifest:
    """What is backed up: the site, the server's version, the last migration of each app."""
    applied: dict[str, str] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        applied[app] = name
    return Manifest(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        site=settings.SITE_NAME,
        postgres=postgres.server_version(),
        migrations=applied,
    )


def _tools_for(folder: Path) -> Path:
    """The tools, when there is room for what they will write."""
    tools = postgres.tools()
    needed = postgres.size_bytes() + RESERVE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(
            f"{folder.parent} has {_mb(free)} free; the database alone may need {_mb(needed)}."
        )
    return tools


def _write(target: Path, manifest: Manifest, dumped: Path, *, show_progress: bool) -> int:
    sizes = {name: local_store().size(name) for name in object_names()}
    total = dumped.stat().st_size + sum(sizes.values())
    free = shutil.disk_usage(target.parent).free
    if free < total + RESERVE_BYTES:
        raise BackupError(f"{target.parent.parent} has {_mb(free)} free; {_mb(total)} are needed.")
    with (
        _open_private(target) as file,
        tqdm(total=total, unit="B", unit_scale=True, disable=not show_progress) as bar,
    ):
        writer = Writer(file, manifest, bar.update)
        with dumped.open("rb") as content:
            writer.add(DATABASE, content, dumped.stat().st_size)
        for name, size in sizes.items():
            with local_store().open(name) as content:
                writer.add(f"{MEDIA}{name}", content, size)
        writer.close()
        file.flush()
        os.fsync(file.fileno())
    return len(sizes)


def _open_private(path: Path) -> BinaryIO:
    """A new file for nobody else: it will hold addresses and password hashes."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@contextmanager
def _folder_for(target: Path) -> Iterator[Path]:
    """A private folder beside the target for what is not finished, gone afterwards.

    Those of killed backups, whose lock nobody holds, go as well.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for old in target.parent.glob(f".*{PARTIAL}"):
        if old.is_dir() and not old.is_symlink():
            _remove_if_free(old)
    folder = target.parent / f".{target.name}{PARTIAL}"
    folder.mkdir(mode=0o700)
    try:
        with _lock(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_if_free(folder: Path) -> None:
    with _lock(folder) as free:
        if free:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock if it is free; False where somebody else does."""
    handle: IO[str] = (folder / "lock").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        handle.close()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mb(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"
