"""A site from a backup: checked first, then the objects, then the database in one transaction.

Objects that are there already stay, since no name is ever written twice; so a restore that was
interrupted leaves the old site, with objects that nobody names, and can be run again.
"""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.core.cache import cache
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Count
from tqdm import tqdm

from accounts.models import User
from feeds import writeback
from tiktok_clone.common import generation
from tiktok_clone.common.signing import forget_epoch
from tiktok_clone.common.storage import incoming, local_store
from tiktok_clone.operations import postgres, sweeping
from tiktok_clone.operations.archive import (
    CHUNK,
    DATABASE,
    MEDIA,
    DamagedError,
    Manifest,
    members,
    read_manifest,
    reading,
    verify,
)
from videos.models import Video


class RestoreError(Exception):
    """Nothing was restored; the message is for people."""


@dataclass(frozen=True)
class Restored:
    """What a restore did: the backup, objects written, and how the stores and the rows compare."""

    manifest: Manifest
    written: int
    reports: list[sweeping.Report]


def restore(source: Path, *, overwrite: bool, show_progress: bool) -> Restored:
    """Replace database and media by a backup.

    Raises:
        RestoreError: the file is damaged or of a newer version, the site is not empty (unless
            `overwrite`), somebody uses the database, or PostgreSQL refused. The site is as before.
    """
    try:
        manifest = read_manifest(source)
        _refuse_newer(manifest)
        _refuse_busy()
        if not overwrite:
            _refuse_filled()
        tools = postgres.tools()
        with _bar(source, "Checking", show_progress=show_progress) as bar:
            sums = verify(source, bar.update)
        with (
            reading(source),
            _bar(source, "Restoring", show_progress=show_progress) as bar,
            tempfile.TemporaryDirectory(dir=incoming()) as folder,
        ):
            written = _unpack(source, Path(folder), sums, bar)
            _refuse_busy()  # again: to check the file may have taken an hour
            postgres.load(tools, Path(folder) / DATABASE)
    except (DamagedError, postgres.ToolError) as error:
        raise RestoreError(str(error)) from error
    except OSError as error:
        raise RestoreError(f"The backup cannot be restored: {error}") from error
    except DatabaseError as error:
        raise RestoreError(f"The database does not answer: {error}") from error
    _bring_up_to_date()
    return Restored(manifest, written, sweeping.sweep_all(write=False))


def _refuse_newer(manifest: Manifest) -> None:
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    applied = manifest.migrations.items()
    newer = [f"{app}.{name}" for app, name in applied if (app, name) not in known]
    if newer:
        raise RestoreError(
            f"The backup is of a newer version, with {', '.join(newer)}. Install that version."
        )


def _refuse_busy() -> None:
    others = postgres.others_connected()
    if others:
        raise RestoreError(
            f"The database has {others} other connections. Stop web servers and workers first."
        )


def _refuse_filled() -> None:
    tables = connection.introspection.table_names()
    models = {"accounts": User, "videos": Video}
    # By `*`, since the tables may be of an older version, which lacks columns.
    counts = {
        what: model._base_manager.aggregate(count=Count("*"))["count"]
        for what, model in models.items()
        if model._meta.db_table in tables
    }
    if any(counts.values()):
        found = ", ".join(f"{count} {what}" for what, count in counts.items())
        raise RestoreError(
            f"This site is not empty ({found}). To replace all of it: --overwrite"
            " (make restore FILE=… OVERWRITE=1)."
        )


def _bar(source: Path, what: str, *, show_progress: bool) -> "tqdm[None]":
    size = source.stat().st_size
    return tqdm(total=size, desc=what, unit="B", unit_scale=True, disable=not show_progress)


def _unpack(source: Path, folder: Path, sums: dict[str, str], bar: "tqdm[None]") -> int:
    """Put the dump into the folder and the objects into the store; return how many were not there.

    Raises:
        DamagedError: the file changed since it was checked.
    """
    written = 0
    for number, (member, content) in enumerate(members(source)):
        bar.update(member.size)
        if member.name == DATABASE:
            _take(content, folder / DATABASE, sums[member.name])
        elif member.name.startswith(MEDIA):
            name = member.name.removeprefix(MEDIA)
            if _is_there(name, sums[member.name]):
                continue
            path = folder / str(number)
            _take(content, path, sums[member.name])
            local_store().save(name, path)
            path.unlink()
            written += 1
    return written


def _take(content: IO[bytes], path: Path, checksum: str) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(content, file, CHUNK)
    if _checksum(path.open("rb")) != checksum:
        raise DamagedError("The backup changed while it was read, or the disk is failing.")


def _is_there(name: str, checksum: str) -> bool:
    """Whether the store has this object; one with other content is removed."""
    try:
        if not local_store().exists(name):
            return False
    except ValueError as error:
        raise DamagedError(str(error)) from error
    if _checksum(local_store().open(name)) == checksum:
        return True
    local_store().delete_prefix(name)
    return False


def _checksum(file: IO[bytes]) -> str:
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _bring_up_to_date() -> None:
    """Migrate what an older version wrote, and forget what was cached of other rows."""
    # Its prepared statements and types are of the old tables.
    connection.close()
    call_command("migrate", interactive=False, verbosity=0)
    generation.renew()  # what Redis has is of the rows before
    writeback.forget()
    forget_epoch()
    delete_pattern = getattr(cache, "delete_pattern", None)
    if delete_pattern is None:
        cache.clear()
    else:
        delete_pattern("*")
