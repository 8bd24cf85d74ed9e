"""A copy of all that somebody has here: a ZIP of JSON files and of their clips.

It is written row by row into a file, so that it takes little memory however much there is.
"""

import json
import logging
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from feeds.export_parts import PARTS, README, clips_of
from feeds.models import Export
from tiktok_clone.common.storage import incoming, store
from videos.publication import SECOND_LOOK, bury

log = logging.getLogger(__name__)

KEPT = timedelta(days=7)
COPY_BYTES = 1024 * 1024


def new_name() -> str:
    """Return an object name that nobody guesses and that no page serves."""
    return f"exports/{uuid.uuid4()}/export.zip"


def current(user: User) -> Export | None:
    """Return the latest export of a person that is under way, failed, or can be downloaded."""
    since = timezone.now() - KEPT
    return Export.objects.filter(user=user).exclude(ready_at__lt=since).order_by("-pk").first()


def make(export_id: int) -> None:
    """Write the archive of an export that waits for it; again changes nothing."""
    export = Export.objects.select_related("user").filter(pk=export_id).first()
    if export is None or export.ready_at or export.failed_at:
        return
    try:
        _store(export)
    except Exception:
        # Its owner sees it and asks again; a full disk is no better a minute later.
        log.exception("export %s failed", export.pk)
        _fail(export)
        return
    ready = {"ready_at": timezone.now(), "size_bytes": store().size(export.name)}
    if not Export.objects.filter(pk=export.pk, failed_at=None).update(**ready):
        bury(export.name)  # the account is gone


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
    """Delete exports that nobody may download any more."""
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
        source = store().open(name)
    except FileNotFoundError:
        return
    with source, archive.open(info, "w", force_zip64=True) as file:
        shutil.copyfileobj(source, file, COPY_BYTES)


def _store(export: Export) -> None:
    if store().exists(export.name):
        return  # complete, by a worker that was killed before it could say so
    with tempfile.NamedTemporaryFile(dir=incoming(), suffix=".zip") as file:
        write_archive(export.user, file)
        file.flush()
        store().save(export.name, Path(file.name))


@transaction.atomic
def _fail(export: Export) -> None:
    Export.objects.filter(pk=export.pk).update(failed_at=timezone.now())
    bury(export.name)
