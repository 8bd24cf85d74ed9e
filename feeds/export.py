"""A copy of all that somebody has here: a ZIP of JSON files and of their clips.

It is written row by row into a file, so that it takes little memory however much there is.
"""

import json
import logging
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from feeds.export_parts import PARTS, README, clips_of
from feeds.models import Export
from tiktok_clone.common.storage import incoming, ledger, room, store
from videos.publication import SECOND_LOOK, bury

log = logging.getLogger(__name__)

KEPT = timedelta(days=7)
# Longer than any job and its retries take: whoever was at work on it is not any more.
GIVEN_UP_AFTER = timedelta(hours=6)
# So many are made at the same time at most: the lane has letters and deletions to see to as well.
AT_ONCE = 2
COPY_BYTES = 1024 * 1024


def new_name() -> str:
    """Return an object name that nobody guesses and that no page serves."""
    return f"exports/{uuid.uuid4()}/export.zip"


def current(user: User) -> Export | None:
    """Return the latest export of a person that is under way, failed, or can be downloaded."""
    since = timezone.now() - KEPT
    return Export.objects.filter(user=user).exclude(ready_at__lt=since).order_by("-pk").first()


def under_way(user: User) -> Export | None:
    """Return the export of a person that is still being made."""
    since = timezone.now() - GIVEN_UP_AFTER
    return _unfinished().filter(user=user, created_at__gte=since).first()


def lock_of(export: Export) -> str:
    """Name the lock of its job: no two work on one, and at most AT_ONCE on all of them."""
    return f"export-{export.pk % AT_ONCE}"


def make(export_id: int) -> None:
    """Write the archive of an export that waits for it; again changes nothing.

    Raises:
        Error: of the database, for the job to be tried again.
    """
    export = _unfinished().select_related("user").filter(pk=export_id).first()
    if export is None:
        return
    try:
        size = _store(export)
    except Error:
        raise
    except Exception:
        # Its owner sees it and asks again; a full disk is no better a minute later.
        log.exception("export %s failed", export.pk)
        _fail(export)
        return
    if not _unfinished().filter(pk=export.pk).update(ready_at=timezone.now(), size_bytes=size):
        _bury_unless_ready(export)


def drop(exports: QuerySet[Export]) -> int:
    """Delete exports, with tombstones for their objects; returns how many."""
    with transaction.atomic():
        names = list(exports.values_list("name", flat=True))
        for name in names:
            bury(name)
            bury(name, after=SECOND_LOOK)
        exports.delete()
    return len(names)


def drop_old() -> int:
    """Delete exports that nobody may download any more; what was given up has failed."""
    for export in _unfinished().filter(created_at__lt=timezone.now() - GIVEN_UP_AFTER):
        _fail(export)
    old = timezone.now() - KEPT
    ended = Export.objects.filter(ready_at__lt=old) | Export.objects.filter(failed_at__lt=old)
    return drop(ended)


def write_archive(user: User, target: IO[bytes]) -> None:
    """Write all that a person has here."""
    with ZipFile(target, "w", ZIP_DEFLATED, allowZip64=True) as archive:
        archive.writestr("README.txt", README)
        for name, rows in PARTS.items():
            with archive.open(f"{name}.json", "w", force_zip64=True) as file:
                for piece in _array(rows(user)):
                    file.write(piece)
        for inside, name in clips_of(user):
            _copy(archive, inside, name)


def _array(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    yield b"["
    for number, row in enumerate(rows):
        text = json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
        yield (",\n" if number else "\n").encode() + text.encode()
    yield b"\n]\n"


def _copy(archive: ZipFile, inside: str, name: str) -> None:
    """Put an object in as it is; one that was deleted meanwhile is left out."""
    info = ZipInfo(inside, timezone.now().timetuple()[:6])
    info.compress_type = ZIP_STORED
    try:
        source = store(name).open(name)
    except FileNotFoundError:
        return
    with source, archive.open(info, "w", force_zip64=True) as file:
        shutil.copyfileobj(source, file, COPY_BYTES)


def _store(export: Export) -> int:
    """Have the archive in the store; return its size.

    One that is there is complete, by another worker, or one that was killed before it said so.
    """
    if not store(export.name).exists(export.name):
        room.check_room(sum(_size(name) for _, name in clips_of(export.user)))
        with tempfile.NamedTemporaryFile(dir=incoming(), suffix=".zip") as file:
            write_archive(export.user, file)
            file.flush()
            with suppress(FileExistsError):
                ledger.keep(export.name, Path(file.name), export.user_id)
    return store(export.name).size(export.name)


def _size(name: str) -> int:
    try:
        return store(name).size(name)
    except FileNotFoundError:
        return 0


def _unfinished() -> QuerySet[Export]:
    return Export.objects.filter(ready_at=None, failed_at=None)


@transaction.atomic
def _fail(export: Export) -> None:
    if _unfinished().filter(pk=export.pk).update(failed_at=timezone.now()):
        bury(export.name)


def _bury_unless_ready(export: Export) -> None:
    """The account is gone, or the export was given up, unless another worker was faster."""
    if not Export.objects.filter(pk=export.pk, ready_at__isnull=False).exists():
        bury(export.name)
