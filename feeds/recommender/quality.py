"""How good the recommender has been, day by day: the figures of the page "Quality"."""

from datetime import date
from typing import Any

from django.db.models.functions import TruncDay
from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from feeds.models import ModelRun
from tiktok_clone.common import dashboard
from tiktok_clone.common.dashboard import ByDay, Chart, Figures, Line, Tile

# What a page shows: title of the chart, then label, row and figure of each of its lines.
CHARTS: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("NDCG@20", [("For-you", "ours", "ndcg"), ("Popularity", "popularity", "ndcg")]),
    ("Recall@20", [("For-you", "ours", "recall"), ("Popularity", "popularity", "recall")]),
    (
        "NDCG@20 of what is new",
        [("People with few acts", "new_people", "ndcg"), ("Few likes", "new_videos", "ndcg")],
    ),
    ("Coverage", [("For-you", "ours", "coverage"), ("Popularity", "popularity", "coverage")]),
    ("Share of the top creators", [("Top tenth", "ours", "top_share"), ("Gini", "ours", "gini")]),
]


def quality(days: int) -> dict[str, Any]:
    """Return what `admin/feeds/modelrun/quality.html` shows: `{board, runs}`."""
    dates = dashboard.dates_of(days)
    runs = _served(dates[0])
    figures = Figures([*_charts(runs, dates), *_costs(runs, dates)], _tiles())
    return {
        "board": dashboard.drawn([figures], dates),
        "runs": ModelRun.objects.order_by("-pk")[:12],
    }


def tile() -> Tile:
    """Return whether there is a model, and whether somebody should look."""
    run, last = ModelRun.objects.in_service(), ModelRun.objects.order_by("pk").last()
    troubled = last is not None and last.state in (ModelRun.State.REFUSED, ModelRun.State.FAILED)
    note = "since the last training" if run else "until people have done something"
    return Tile(
        "Recommender",
        dashboard.lasting(run.finished_at) if run else "no model",
        f"{last} {last.state}" if last and troubled else note,
        reverse("admin:feeds_quality"),
        alarming=troubled,
    )


def _served(first: date) -> dict[date, ModelRun]:
    """Return the last model that took over on each day, and the one before the first day."""
    took_over = ModelRun.objects.filter(
        state__in=[ModelRun.State.IN_SERVICE, ModelRun.State.KEPT, ModelRun.State.RETIRED]
    )
    since = dashboard.beginning_of(first)
    before = took_over.filter(finished_at__lt=since).order_by("-pk")[:1]
    daily = took_over.filter(finished_at__gte=since).annotate(day=TruncDay("finished_at"))
    found = [*before, *daily.order_by("day", "-pk").distinct("day")]
    return {run.finished_at.date(): run for run in found if run.finished_at}


def _charts(runs: dict[date, ModelRun], dates: list[date]) -> list[Chart]:
    return [
        Chart(
            f"quality-{number}",
            title,
            [
                Line(
                    label,
                    _lasting({day: _figure(run, row, name) for day, run in runs.items()}, dates),
                    in_total=(label, row, name) == lines[0],
                )
                for label, row, name in lines
            ],
            unit="ratio",
            is_level=True,
        )
        for number, (title, lines) in enumerate(CHARTS)
    ]


def _costs(runs: dict[date, ModelRun], dates: list[date]) -> list[Chart]:
    rows = _lasting({day: run.rows for day, run in runs.items()}, dates)
    return [Chart("learnt", "Rows learnt from", [Line("Rows", rows)], is_level=True)]


def _tiles() -> list[Tile]:
    run = ModelRun.objects.in_service()
    if run is None:
        return [tile()]
    return [
        tile(),
        Tile("Learnt from", f"{run.people:,} people", f"and {run.items:,} videos"),
        Tile(
            "Cost", f"{run.cpu_seconds:.0f} s", f"of a processor, {filesizeformat(run.peak_bytes)}"
        ),
    ]


def _figure(run: ModelRun, row: str, name: str) -> float | None:
    found = run.metrics.get(row, {}).get(name)
    return found["20"] if isinstance(found, dict) else found


def _lasting(by_day: dict[date, Any], dates: list[date]) -> ByDay:
    """Have what was found on a day hold until the next one."""
    value, values = None, {}
    earlier = [day for day in sorted(by_day) if day < dates[0]]
    if earlier:
        value = by_day[earlier[-1]]
    for day in dates:
        value = by_day.get(day, value)
        if value is not None:
            values[day] = value
    return values
