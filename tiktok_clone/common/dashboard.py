"""The first page of the administration: what happens on the site, in charts and tiles.

Each app says in its `admin` what it has to show, with `shows`; this module knows none of them.
Every function gets the moment from which on it may read, so no figure reads the whole table.
All figures are computed together, kept for a minute, and shown to whoever may see them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet
from django.db.models.functions import TruncDay
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import number_format

PERIODS = (7, 30, 90)  # days
USUAL_PERIOD = 30
KEEP_SECONDS = 60
# Part of the cache's key: raise it when the classes below change.
VERSION = 2

ByDay = dict[date, float]


@dataclass(frozen=True)
class Line:
    """One curve: a value for each day that has one; the others are 0."""

    label: str
    by_day: ByDay
    in_total: bool = True


@dataclass(frozen=True)
class Chart:
    """Lines over the days; `unit` is `bytes`, `%` (0 to 100, averaged), `ratio` or nothing.

    A ratio (0 to 1) of a day that has none is a gap and not 0.

    Of a level, such as what is stored, the days are not added up: the last one tells.
    """

    key: str
    title: str
    lines: list[Line]
    unit: str = ""
    is_level: bool = False


@dataclass(frozen=True)
class Tile:
    """One figure of this moment. `alarming` ones want somebody to look."""

    label: str
    value: str
    note: str = ""
    url: str = ""
    alarming: bool = False


@dataclass(frozen=True)
class Figures:
    """What one app has to show."""

    charts: list[Chart] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)


@dataclass(frozen=True)
class _Source:
    permission: str
    order: int
    figures: Callable[[datetime], Figures]


_sources: list[_Source] = []


def shows(permission: str, order: int) -> Callable[[Callable[[datetime], Figures]], Any]:
    """Register a function from a moment to the figures since then.

    Args:
        permission: who may see them, as `app.codename`.
        order: smaller ones come first.
    """

    def register(figures: Callable[[datetime], Figures]) -> Callable[[datetime], Figures]:
        _sources.append(_Source(permission, order, figures))
        _sources.sort(key=lambda source: source.order)
        return figures

    return register


def per_day(rows: "QuerySet[Any, Any]", moment: str, **aggregates: Any) -> dict[str, ByDay]:
    """Aggregate rows by the day of their field `moment`. Returns values by name and day."""
    found = rows.order_by().annotate(_day=TruncDay(moment)).values("_day").annotate(**aggregates)
    values: dict[str, ByDay] = {name: {} for name in aggregates}
    for row in found:
        for name in aggregates:
            values[name][row["_day"].date()] = row[name] or 0
    return values


def read_period(asked: str | None) -> int:
    """How many days were asked for; the usual period for what is not offered."""
    return next((days for days in PERIODS if str(days) == asked), USUAL_PERIOD)


def board(may: Callable[[str], bool], days: int) -> dict[str, Any]:
    """Return what the template shows: tiles, and charts with their values for each day.

    Args:
        may: whether the person has a permission.
        days: one of PERIODS.
    """
    dates = dates_of(days)
    allowed = [figures for permission, figures in _all_figures(dates) if may(permission)]
    return drawn(allowed, dates)


def drawn(allowed: list[Figures], dates: list[date]) -> dict[str, Any]:
    """Return what `admin/board.html` shows of some figures, with a value for every day."""
    charts = [_drawn(chart, dates) for figures in allowed for chart in figures.charts]
    tiles = [tile for figures in allowed for tile in figures.tiles]
    return {
        "days": len(dates),
        "periods": PERIODS,
        "dates": dates,
        "charts": charts,
        "tiles": tiles,
        "data": {
            "days": [day.isoformat() for day in dates],
            "charts": [
                {name: chart[name] for name in ("key", "unit", "lines")} for chart in charts
            ],
        },
    }


def dates_of(days: int) -> list[date]:
    """The last days, today last."""
    today = timezone.now().date()
    return [today - timedelta(days=back) for back in reversed(range(days))]


def beginning_of(day: date) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time(), tzinfo=timezone.get_default_timezone())


def _all_figures(dates: list[date]) -> list[tuple[str, Figures]]:
    key = f"dashboard:{VERSION}:{dates[0]}:{dates[-1]}"
    held: list[tuple[str, Figures]] | None = cache.get(key)
    if held is None:
        since = beginning_of(dates[0])
        held = [(source.permission, source.figures(since)) for source in _sources]
        cache.set(key, held, KEEP_SECONDS)
    return held


def _drawn(chart: Chart, dates: list[date]) -> dict[str, Any]:
    """A chart with a value for every day, and as the rows of a table, the latest first."""
    missing = None if chart.unit == "ratio" else 0
    lines = [
        {"label": line.label, "values": [line.by_day.get(day, missing) for day in dates]}
        for line in chart.lines
    ]
    rows = [
        {
            "day": day,
            "cells": [_written(line.by_day.get(day, missing), chart.unit) for line in chart.lines],
        }
        for day in reversed(dates)
    ]
    return {
        "key": chart.key,
        "title": chart.title,
        "unit": chart.unit,
        "lines": lines,
        "rows": rows,
        "today": _written(_total(chart, dates[-1:]), chart.unit),
        "total": _written(_total(chart, dates), chart.unit),
        "is_level": chart.is_level,
    }


def _total(chart: Chart, dates: list[date]) -> float | None:
    lines = [line.by_day for line in chart.lines if line.in_total]
    values = [by_day[day] for by_day in lines for day in dates if day in by_day]
    if chart.unit == "%":
        return sum(values) / len(values) if values else 0
    return None if chart.unit == "ratio" and not values else sum(values)


def _written(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "bytes":
        return filesizeformat(value)
    if unit == "%":
        return f"{value:.0f} %"
    if unit == "ratio":
        return f"{value:.4f}"
    return number_format(int(value), force_grouping=True)


def lasting(since: datetime | None) -> str:
    """How long ago a moment was, roughly: `40 s`, `12 min`, `3 h`, `5 d`; `–` for none."""
    if since is None:
        return "–"
    seconds = max(0, int((timezone.now() - since).total_seconds()))
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size or (size == 60 and seconds >= size):
            return f"{seconds // size} {name}"
    return f"{seconds} s"
