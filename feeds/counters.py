"""Views and watch time of videos against the impressions, raised where some were lost.

Impressions go with the account of who watched and views stay, so there may be more counted than
there are rows; what is counted may be too little where a second of it was lost on the way
(`feeds/writeback.py`).
"""

import math
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, F, Sum
from django.utils import timezone

from feeds.models import WATCHED, Impression
from tiktok_clone.common import counting
from tiktok_clone.common.counting import Drift
from videos.models import Video

RECENT = timedelta(days=2)
# What was reported later may be on its way.
WRITTEN = timedelta(minutes=10)
MOST, CHUNK = 20_000, 500


def reconcile(*, dry_run: bool = False) -> list[Drift]:
    """Raise what is counted of videos that were watched lately, and return what was too low."""
    watched = Impression.objects.filter(last_at__gte=timezone.now() - RECENT).order_by()
    ids = list(watched.values_list("video", flat=True).distinct()[:MOST])
    chunks = (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
    drifts = [drift for chunk in chunks for drift in _too_low(chunk)]
    if not dry_run:
        for drift in drifts:
            _raise(drift)
    return counting.report(drifts)


def _too_low(ids: list[int]) -> Iterator[Drift]:
    rows = Impression.objects.filter(video__in=ids, last_at__lt=timezone.now() - WRITTEN).order_by()
    counted = rows.values_list("video", "video__views_count", "video__watch_seconds")
    said = counted.annotate(views=Count("pk", filter=WATCHED), total=Sum("seconds"))
    for pk, views_count, watch_seconds, views, seconds in said:
        if views > views_count:
            yield Drift("video", pk, "views_count", views_count, views)
        held, found = math.ceil(watch_seconds), math.floor(seconds)
        if found > held:
            yield Drift("video", pk, "watch_seconds", held, found)


def _raise(drift: Drift) -> None:
    """Add what is missing, as others may add meanwhile; once, should two find it."""
    low = Video.objects.filter(pk=drift.pk, **{f"{drift.field}__lt": drift.counted})
    low.update(**{drift.field: F(drift.field) + drift.counted - drift.found})
