"""What is stored, for whom, and since when: the figures of the page "Storage"."""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Case, Count, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDay
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tiktok_clone.common import dashboard
from tiktok_clone.common.dashboard import ByDay, Chart, Figures, Line, Tile
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import CLOUDINARY, LOCAL, naming
from tiktok_clone.operations.models import STORES, Orphan, Sweep
from videos import quotas
from videos.models import Tombstone

ACCOUNTS_SHOWN = 10
SWEEPS_SHOWN = 12
STUCK_SHOWN = 10
KEEP_SECONDS = 60
STORE = Case(
    When(name__startswith=naming.named(CLOUDINARY, ""), then=Value(CLOUDINARY)),
    default=Value(LOCAL),
)


def storage(days: int) -> dict[str, Any]:
    """Return what the page shows; reading all of the books, so it is kept for a minute.

    Returns:
        `{board, stores, people, stuck, sweeps}`: see `admin/operations/storage.html`.
    """
    dates = dashboard.dates_of(days)
    key = f"storage:{dates[0]}:{dates[-1]}"
    held: dict[str, Any] | None = cache.get(key)
    if held is None:
        held = {
            "board": dashboard.drawn([Figures(_charts(dates), _tiles())], dates),
            "stores": _stores(),
            "people": _people(),
            "stuck": list(_tombstones().order_by("-attempts", "due_at")[:STUCK_SHOWN]),
            "sweeps": list(Sweep.objects.order_by("-pk")[:SWEEPS_SHOWN]),
        }
        cache.set(key, held, KEEP_SECONDS)
    return held


@dashboard.shows("common.view_storedobject", order=80)
def storage_figures(since: datetime) -> Figures:
    """How much is stored, by the last sweeps, and whether somebody should look."""
    last = list(Sweep.objects.last_ended())
    missing = StoredObject.objects.filter(missing_since__isnull=False).count()
    held_back = any(sweep.held_back for sweep in last)
    note = "much is of nobody" if held_back else f"{missing} objects are missing"
    tile = Tile(
        "Stored",
        filesizeformat(sum(sweep.kept_bytes for sweep in last)),
        note if last else "not swept yet",
        reverse("admin:operations_storage"),
        alarming=missing > 0 or held_back,
    )
    return Figures(tiles=[tile])


def _kept() -> QuerySet[StoredObject]:
    return StoredObject.objects.filter(kept_at__isnull=False)


def _stores() -> list[dict[str, Any]]:
    """One row for each store: what it keeps, expects and lacks, and what nobody needs there."""
    rows = {
        row["store"]: row
        for row in StoredObject.objects.order_by()
        .annotate(store=STORE)
        .values("store")
        .annotate(
            total=Count("pk", filter=Q(kept_at__isnull=False)),
            size=Sum("size_bytes", filter=Q(kept_at__isnull=False)),
            expected=Count("pk", filter=Q(kept_at=None)),
            missing=Count("pk", filter=Q(missing_since__isnull=False)),
        )
    }
    swept = {sweep.store: sweep for sweep in Sweep.objects.last_ended()}
    nothing = {"total": 0, "size": 0, "expected": 0, "missing": 0}
    return [
        {
            "name": name,
            **rows.get(kind, nothing),
            "orphans": Orphan.objects.of_store(kind).states(),
            "swept": swept.get(kind),
        }
        for kind, name in STORES
        if kind == LOCAL or settings.CLOUDINARY_URL or kind in rows
    ]


def _people() -> list[dict[str, Any]]:
    """Who has most, with what the quota leaves."""
    largest = (
        _kept()
        .exclude(owner_id=None)
        .order_by()
        .values("owner_id")
        .annotate(
            total=Count("pk"),
            size=Sum("size_bytes"),
            clips=Sum("size_bytes", filter=quotas.CLIPS, default=0),
        )
        .order_by("-size", "owner_id")[:ACCOUNTS_SHOWN]
    )
    rows = list(largest)
    people = User.objects.in_bulk([row["owner_id"] for row in rows])
    limit = settings.QUOTA_BYTES
    return [
        {
            **row,
            "person": people.get(row["owner_id"]),
            "limit": limit,
            "percent": min(100, round(100 * row["clips"] / limit)) if limit else None,
        }
        for row in rows
    ]


def _charts(dates: list[date]) -> list[Chart]:
    """What is stored today, by the day that it came; what was deleted since is not in it."""
    since = dashboard.beginning_of(dates[0])
    added: dict[str, ByDay] = {kind: {} for kind, _ in STORES}
    rows = (
        _kept().filter(kept_at__gte=since).order_by().annotate(store=STORE, day=TruncDay("kept_at"))
    )
    for store, day, size in rows.values_list("store", "day").annotate(size=Sum("size_bytes")):
        added[store][day.date()] = size
    before = dict(
        _kept()
        .filter(kept_at__lt=since)
        .order_by()
        .annotate(store=STORE)
        .values_list("store")
        .annotate(size=Sum("size_bytes"))
    )
    used = [
        (kind, name) for kind, name in STORES if added[kind] or before.get(kind) or kind == LOCAL
    ]
    return [
        Chart(
            "stored",
            "Stored in all",
            [Line(name, _running(added[kind], before.get(kind, 0), dates)) for kind, name in used],
            unit="bytes",
            is_level=True,
        ),
        Chart("added", "Added", [Line(name, added[kind]) for kind, name in used], unit="bytes"),
    ]


def _running(by_day: ByDay, total: float, dates: list[date]) -> ByDay:
    levels: ByDay = {}
    for day in dates:
        total += by_day.get(day, 0)
        levels[day] = total
    return levels


def _tiles() -> list[Tile]:
    missing = StoredObject.objects.filter(missing_since__isnull=False)
    waiting = Tombstone.objects.aggregate(
        total=Count("pk"), failed=Count("pk", filter=Q(attempts__gt=0))
    )
    fresh, held = Orphan.objects.fresh(), Orphan.objects.in_quarantine()
    first = held.aggregate(first=Min("quarantined_at"), size=Sum("size_bytes"))
    listing = reverse("admin:operations_orphan_changelist")
    last = Sweep.objects.filter(ended_at__isnull=False).order_by("pk").last()
    return [
        Tile(
            "Missing",
            str(missing.count()),
            "in the books, not in a store",
            reverse("admin:common_storedobject_changelist") + "?missing_since__isempty=0",
            alarming=missing.exists(),
        ),
        Tile(
            "Waiting for deletion",
            str(waiting["total"]),
            f"{waiting['failed']} have failed before",
            reverse("admin:videos_tombstone_changelist"),
            alarming=waiting["failed"] > 0,
        ),
        Tile(
            "Orphans",
            str(fresh.count()),
            "of nobody, seen by the last sweep",
            f"{listing}?state=fresh",
            alarming=last is not None and last.held_back,
        ),
        Tile(
            "In quarantine",
            str(held.count()),
            _held(first["size"], first["first"]),
            f"{listing}?state=quarantined",
        ),
        Tile(
            "Last sweep",
            dashboard.lasting(last.ended_at) if last else "–",
            "ago" if last else "none has ended yet",
            reverse("admin:operations_sweep_changelist"),
            alarming=last is None or last.held_back,
        ),
    ]


def _held(size: int | None, since: datetime | None) -> str:
    if since is None:
        return "nothing waits to be removed"
    left = since + timedelta(days=settings.ORPHAN_QUARANTINE_DAYS) - timezone.now()
    return f"{filesizeformat(size or 0)}, the first goes in {max(0, left.days)} days"


def _tombstones() -> QuerySet[Tombstone]:
    return Tombstone.objects.filter(due_at__lte=timezone.now()) | Tombstone.objects.filter(
        attempts__gt=0
    )
