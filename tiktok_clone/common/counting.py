"""Counters against the rows that they count: finds drift and mends it.

Services keep counters exact; this is the net below them, for a bug or a hand in the
database. Each app says in its `counters` what it counts.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

log = logging.getLogger(__name__)

Rows = Callable[[], QuerySet[Any]]


@dataclass(frozen=True)
class Counter:
    """`field` of `model` counts `rows`, which point to it by the path `to`."""

    model: type[models.Model]
    field: str
    rows: Rows
    to: str


@dataclass(frozen=True)
class Drift:
    """A counter that was wrong: `found` in the row, `counted` rows."""

    model: str
    pk: int
    field: str
    found: int
    counted: int

    def __str__(self) -> str:
        return f"{self.model} {self.pk}: {self.field} is {self.found}, rows are {self.counted}"


def reconcile(counters: Iterable[Counter], *, dry_run: bool = False) -> list[Drift]:
    """Compare counters with their rows, set those that are wrong, and return what was.

    Safe beside running services: a row that looks wrong is locked and counted again.

    Args:
        counters: what is compared.
        dry_run: only tell.
    """
    return report(drift for counter in counters for drift in _reconcile(counter, dry_run))


def report(drifts: Iterable[Drift]) -> list[Drift]:
    """Write a warning about each, and return them."""
    told = list(drifts)
    for drift in told:
        log.warning("counter drift: %s", drift)
    return told


def _reconcile(counter: Counter, dry_run: bool) -> Iterator[Drift]:
    for pk in list(_suspects(counter)):
        drift = _settle(counter, pk, dry_run)
        if drift is not None:
            yield drift


def _suspects(counter: Counter) -> Iterable[int]:
    per_row = (
        counter.rows()
        .filter(**{counter.to: OuterRef("pk")})
        .order_by()
        .values(counter.to)
        .annotate(total=Count("pk"))
        .values("total")
    )
    counted = Coalesce(Subquery(per_row, output_field=IntegerField()), 0)
    rows = counter.model._default_manager.annotate(counted=counted)
    return rows.exclude(counted=F(counter.field)).order_by("pk").values_list("pk", flat=True)


@transaction.atomic
def _settle(counter: Counter, pk: int, dry_run: bool) -> Drift | None:
    """Count one row again under its lock, which every service takes before it counts."""
    locked = counter.model._default_manager.select_for_update(no_key=True).filter(pk=pk)
    found = locked.values_list(counter.field, flat=True).first()
    if found is None:
        return None
    counted = counter.rows().filter(**{counter.to: pk}).count()
    if counted == found:
        return None
    if not dry_run:
        locked.update(**{counter.field: counted})
    return Drift(counter.model._meta.model_name or "", pk, counter.field, found, counted)
