"""What becomes of objects that belong to nobody: noticed, quarantined, removed, or kept.

The rows may be those of an old backup, and the objects all that is left of what came after it.
So time has to pass, a part of the store that is too large is not touched at all, and what is
removed goes by a tombstone, at most so much a run.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from tiktok_clone.common.storage import Found
from tiktok_clone.operations.claims import claims
from tiktok_clone.operations.models import Orphan, Sweep
from videos.publication import bury

PASSES_NEEDED = 2
# A larger part of a store looks like an old database, not like what crashes left behind…
SUSPICIOUS_SHARE = 0.2
# …but of a few objects some are easily a large part.
SUSPICIOUS_FROM = 10
REMOVED_AT_ONCE = 100


def notice(sweep: Sweep, found: Iterable[Found]) -> None:
    """Write down that a sweep saw objects of nobody; the same sweep again changes nothing."""
    now = timezone.now()
    objects = list(found)
    names = [each.name for each in objects]
    known = Orphan.objects.filter(name__in=names)
    known.exclude(last_sweep=sweep.pk).update(
        passes=F("passes") + 1, last_seen=now, last_sweep=sweep.pk
    )
    rows = [
        Orphan(
            name=each.name,
            size_bytes=each.size,
            since=each.since,
            first_seen=now,
            last_seen=now,
            last_sweep=sweep.pk,
        )
        for each in objects
    ]
    Orphan.objects.bulk_create(rows, ignore_conflicts=True)


def is_suspicious(part: int, whole: int) -> bool:
    """Whether so many objects that look wrong tell of a wrong database, or store, instead."""
    return part >= SUSPICIOUS_FROM and part > SUSPICIOUS_SHARE * whole


def decide(sweep: Sweep) -> None:
    """After a sweep has seen all of its store: quarantine what it saw twice, remove the oldest."""
    orphans = Orphan.objects.of_store(sweep.store)
    orphans.exclude(last_sweep=sweep.pk).delete()  # gone, or of somebody by now
    sweep.orphans = orphans.filter(kept_at=None).count()
    sweep.held_back = is_suspicious(orphans.fresh().count(), sweep.listed)
    if sweep.held_back:
        return
    now = timezone.now()
    seen_twice = orphans.fresh().filter(passes__gte=PASSES_NEEDED)
    sweep.quarantined += seen_twice.update(quarantined_at=now)
    over = now - timedelta(days=settings.ORPHAN_QUARANTINE_DAYS)
    due = orphans.in_quarantine().filter(quarantined_at__lte=over).order_by("quarantined_at", "pk")
    sweep.removed += remove(due[: settings.ORPHAN_DELETIONS_PER_RUN])


def remove(orphans: QuerySet[Orphan]) -> int:
    """Leave tombstones for objects of nobody; returns for how many.

    What a row names, or a tombstone waits for, by now, is no orphan any more and only forgotten.
    """
    names = list(orphans.values_list("name", flat=True))
    batches = (names[at : at + REMOVED_AT_ONCE] for at in range(0, len(names), REMOVED_AT_ONCE))
    return sum(_remove(batch) for batch in batches)


def keep(orphans: QuerySet[Orphan]) -> int:
    """Have objects of nobody stay for good; returns how many."""
    return orphans.filter(kept_at=None).update(kept_at=timezone.now(), quarantined_at=None)


@transaction.atomic
def _remove(names: list[str]) -> int:
    claimed = claims(names)
    Orphan.objects.filter(name__in=names).delete()
    of_nobody = [name for name in names if name not in claimed]
    for name in of_nobody:
        bury(name)
    return len(of_nobody)
