"""The stores and the books, compared both ways, and brought in line.

First a store is listed: what belongs to nobody is noticed (`orphans`). Then the books are walked:
what a store lacks is noted there, and the clips that it belongs to are settled. The books learn
of objects that are older than they are, and forget what never came.

Calls to a store happen outside of transactions; what came of a page of objects is committed with
the cursor behind it, so a killed sweep goes on where it was.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import (
    CLOUDINARY,
    LOCAL,
    Found,
    Page,
    incoming,
    ledger,
    local_store,
    naming,
    stores,
)
from tiktok_clone.common.storage.listing import etag_of
from tiktok_clone.operations import adopting, orphans
from tiktok_clone.operations.claims import Claim, claims, clips_of
from tiktok_clone.operations.models import Orphan, Sweep
from videos.models import MEDIA_MISSING, Status, Video
from videos.publication import bury
from videos.services.losses import settle_losses

log = logging.getLogger(__name__)

# Objects come before the rows that name them: a younger one may belong to somebody soon.
SETTLED_AFTER = timedelta(hours=2)
SWEEPS_KEPT = timedelta(days=90)
# Rows of the books at once; Cloudinary tells of a hundred objects a call, in two calls.
ROWS_AT_ONCE = {LOCAL: 1000, CLOUDINARY: 100}
CALLS_A_BATCH = 2
CHECKSUMS_A_RUN = 200
LOCK = 7_166_002
Progress = Callable[[int], object]


class BusyError(Exception):
    """Another sweep runs."""


@dataclass
class Report:
    """What a sweep did, or would do; the names are of this run."""

    sweep: Sweep
    missing: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    young: list[str] = field(default_factory=list)


def sweep_all(
    *, write: bool = True, checksums: bool = False, progress: Progress = int
) -> list[Report]:
    """Sweep each store once, or as much of it as its rate allows.

    Args:
        write: without it nothing is changed anywhere; each store is looked at from its beginning.
        checksums: also read every object on the disk and compare its MD5.
        progress: called with how many objects, or rows, were done since.

    Raises:
        BusyError: another one runs.
    """
    with _alone():
        if write:
            Sweep.objects.filter(ended_at__lt=timezone.now() - SWEEPS_KEPT).delete()
        return [_Run(kind, write, checksums, progress).run() for kind in stores()]


def books_of(kind: str) -> QuerySet[StoredObject]:
    """The rows of the books about one kind of store."""
    hosted = Q(name__startswith=naming.named(CLOUDINARY, ""))
    return StoredObject.objects.filter(hosted if kind == CLOUDINARY else ~hosted)


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise BusyError("Another sweep runs. Wait for it to end.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


class _Run:
    """One run over one store: from where the run before ended to its end, or that of the rate."""

    def __init__(self, kind: str, write: bool, checksums: bool, progress: Progress) -> None:
        self.kind = kind
        self.write = write
        self.checksums = checksums and kind == LOCAL
        self.progress = progress
        self.store = stores()[kind]
        self.calls_left = settings.RECONCILE_CALLS if kind == CLOUDINARY else None
        self.settled_before = timezone.now() - SETTLED_AFTER
        unfinished = Sweep.objects.filter(store=kind, ended_at=None).first() if write else None
        self.sweep = unfinished or Sweep(store=kind)
        self.began_at = (self.sweep.phase, self.sweep.cursor)
        self.report = Report(self.sweep)

    def run(self) -> Report:
        """Do it, and say what came of it; a store that is away ends it until the next run."""
        self.sweep.runs += 1
        self.sweep.last_error = ""
        self._save()
        try:
            if self._list() and self._walk():
                self._end()
        except OSError as error:
            # The store is away, or we ask too often: the next run goes on here.
            log.warning("sweep of %s: %s", self.kind, error)
            self.sweep.last_error = str(error)[:300]
            stuck = (self.sweep.phase, self.sweep.cursor) == self.began_at
            if stuck and not getattr(error, "retry_after", 0):
                self.sweep.cursor = ""  # which does not lead on for ever
        self._save()
        return self.report

    # From the store to the rows

    def _list(self) -> bool:
        """List the store. Returns whether all of it has been listed."""
        sweep = self.sweep
        if sweep.phase == Sweep.Phase.LISTING and not sweep.cursor:
            sweep.listed = sweep.listed_bytes = sweep.foreign = sweep.young = sweep.orphans = 0
        pages = self.store.pages(sweep.cursor)
        while sweep.phase == Sweep.Phase.LISTING and self._may_call(1):
            page = next(pages)
            with transaction.atomic():
                self._take(page)
                sweep.cursor = page.cursor or ""
                if page.cursor is None:
                    sweep.phase = Sweep.Phase.BOOKS
                self._save()
            self.progress(len(page.objects))
        return sweep.phase != Sweep.Phase.LISTING

    def _take(self, page: Page) -> None:
        ours = [found for found in page.objects if naming.is_ours(found.name)]
        claimed = claims([found.name for found in ours])
        of_nobody = [found for found in ours if found.name not in claimed]
        settled = [found for found in of_nobody if found.since < self.settled_before]
        young = [found.name for found in of_nobody if found.since >= self.settled_before]
        self.sweep.listed += len(ours)
        self.sweep.listed_bytes += sum(found.size for found in ours)
        self.sweep.foreign += sum(not _is_incoming(f.name) for f in page.objects) - len(ours)
        self.sweep.young += len(young)
        self.sweep.orphans += len(settled)
        self.report.orphans += [found.name for found in settled]
        self.report.young += young
        if self.write:
            orphans.notice(self.sweep, settled)

    # From the rows to the store

    def _walk(self) -> bool:
        """Walk the books. Returns whether all of them have been walked."""
        sweep = self.sweep
        if not sweep.cursor:
            sweep.checked = sweep.missing = 0
            if not self._adopt():
                return False
        size = ROWS_AT_ONCE[self.kind]
        kept = books_of(self.kind).filter(kept_at__isnull=False).order_by("name")
        while rows := list(kept.filter(name__gt=sweep.cursor)[:size]):
            if not self._may_call(CALLS_A_BATCH):
                return False
            there = self._facts([row.name for row in rows])
            with transaction.atomic():
                self._compare(rows, there)
                sweep.cursor = rows[-1].name
                self._save()
            self.progress(len(rows))
        if not self._may_call(CALLS_A_BATCH):
            return False
        self._expect()
        return True

    def _adopt(self) -> bool:
        """Take objects into the books that rows name and they lack: from before there were any.

        Returns:
            Whether that was all of them.
        """
        for named in adopting.unbooked(self.kind):
            if not self._may_call(CALLS_A_BATCH):
                return False
            there = self._facts(list(named))
            self.sweep.adopted += len(named)
            self.report.missing += sorted(set(named) - set(there))
            if self.write:
                adopting.adopt(named, there)
        return True

    def _compare(self, rows: list[StoredObject], there: dict[str, Found]) -> None:
        absent = [row for row in rows if not is_same(row, there.get(row.name))]
        back = [row for row in rows if row.missing_since and row not in absent]
        claimed = claims([row.name for row in absent])
        missing = [row for row in absent if claimed.get(row.name) == Claim.ROW]
        stale = [
            row
            for row in absent
            if row.name not in claimed and row.created_at < self.settled_before
        ]
        self.sweep.checked += len(rows)
        self.sweep.missing += len(missing)
        self.sweep.found_again += len(back)
        self.sweep.expired += len(stale)
        self.report.missing += [row.name for row in missing]
        if self.write:
            _confirm(back, there)
            _mark_missing(missing)
            _bury_all(stale)

    def _expect(self) -> None:
        """Confirm what came unnoticed; let go what was expected and never came."""
        before = self.settled_before - timedelta(seconds=settings.UPLOAD_LIFETIME)
        expected = books_of(self.kind).filter(kept_at=None, created_at__lt=before).order_by("pk")
        rows = list(expected[: ROWS_AT_ONCE[self.kind]])
        there = self._facts([row.name for row in rows], checksums=self.kind == LOCAL)
        claimed = claims([row.name for row in rows])
        of_nobody = [row for row in rows if row.name not in claimed]
        came = [
            row
            for row in rows
            if claimed.get(row.name) == Claim.ROW and is_same(row, there.get(row.name))
        ]
        self.sweep.expired += len(of_nobody)
        self.sweep.confirmed += len(came)
        if self.write:
            with transaction.atomic():
                _bury_all(of_nobody)
                _confirm(came, there)

    # At the end

    def _end(self) -> None:
        if self.write:
            self._settle_clips()
            if self.kind == LOCAL:
                self._complete_checksums()
                local_store().remove_partials(self.settled_before.timestamp())
            orphans.decide(self.sweep)
        else:
            self._foresee()
        totals = books_of(self.kind).filter(kept_at__isnull=False, missing_since=None)
        found = totals.aggregate(count=Count("pk"), size=Sum("size_bytes"))
        self.sweep.kept_objects, self.sweep.kept_bytes = found["count"], found["size"] or 0
        self.sweep.phase, self.sweep.cursor = Sweep.Phase.DONE, ""
        self.sweep.ended_at = timezone.now()
        if self.sweep.held_back:
            log.error(
                "sweep of %s: %s of %s objects belong to nobody: is the database an old one?"
                " None of them is quarantined or removed.",
                self.kind,
                self.sweep.orphans,
                self.sweep.listed,
            )

    def _settle_clips(self) -> None:
        lacking = books_of(self.kind).filter(missing_since__isnull=False)
        keys = clips_of(lacking.values_list("name", flat=True))
        lost = Q(status=Status.FAILED, reason_code=MEDIA_MISSING, store=self.kind)
        affected = Q(uuid__in=keys, status=Status.READY) | lost
        mend = not orphans.is_suspicious(self.sweep.missing, self.sweep.checked)
        for pk in list(Video.objects.filter(affected).order_by("pk").values_list("pk", flat=True)):
            done = settle_losses(pk, mend=mend)
            self.sweep.lost += done.lost
            self.sweep.regained += done.regained
            self.sweep.mended += done.mended

    def _complete_checksums(self) -> None:
        """Some at a time, of objects that are older than the books."""
        without = books_of(LOCAL).filter(etag="", kept_at__isnull=False, missing_since=None)
        for row in without.order_by("pk")[:CHECKSUMS_A_RUN]:
            try:
                etag = etag_of(local_store().path(row.name))
            except FileNotFoundError:
                continue
            StoredObject.objects.filter(pk=row.pk, etag="").update(etag=etag)

    def _foresee(self) -> None:
        """What `orphans.decide` would find, as far as can be told without writing."""
        names = self.report.orphans
        decided = Orphan.objects.filter(name__in=names).exclude(kept_at=None, quarantined_at=None)
        fresh = self.sweep.orphans - decided.count()
        self.sweep.held_back = orphans.is_suspicious(fresh, self.sweep.listed)

    # Below

    def _facts(self, names: list[str], *, checksums: bool = False) -> dict[str, Found]:
        there = self.store.facts(names) if names else {}
        if not (checksums or self.checksums):
            return there
        root = local_store()
        return {name: replace(it, etag=etag_of(root.path(name))) for name, it in there.items()}

    def _may_call(self, calls: int) -> bool:
        """Whether a store that allows only so many calls allows these now; they are counted."""
        if self.calls_left is None:
            return True
        self.calls_left -= calls
        return self.calls_left >= 0

    def _save(self) -> None:
        if self.write:
            self.sweep.save()


def is_same(row: StoredObject, found: Found | None) -> bool:
    """Whether the store has the object that the books have, as far as both tell."""
    if found is None:
        return False
    same_size = found.size == row.size_bytes or not (found.size and row.size_bytes)
    return same_size and (not found.etag or not row.etag or found.etag == row.etag)


def _is_incoming(name: str) -> bool:
    return (local_store().root / name).is_relative_to(incoming())


def _mark_missing(rows: list[StoredObject]) -> None:
    newly = StoredObject.objects.filter(pk__in=[row.pk for row in rows], missing_since=None)
    newly.update(missing_since=timezone.now())


def _confirm(rows: list[StoredObject], there: dict[str, Found]) -> None:
    for row in rows:
        found = there[row.name]
        ledger.confirm(row, size=found.size or row.size_bytes, etag=found.etag or row.etag)


def _bury_all(rows: list[StoredObject]) -> None:
    """The store is emptied of the name before its row goes."""
    for row in rows:
        bury(row.name)
