"""How often caches had what was asked for, and what brought the places of for-you, by the day.

For the administration's charts. Each process counts for itself (the counters that Prometheus
reads) and adds what is new to a row now and then, behind an answer. A crash loses a minute of it.
"""

import threading
import time
from collections import Counter as Tally
from collections.abc import Iterable

from django.db import connection
from django.utils import timezone
from prometheus_client import Counter

from feeds import cards, prepared, timeline
from feeds.recommender import sessions

EVERY_SECONDS = 60
KINDS: dict[str, tuple[Counter, str, frozenset[str]]] = {
    # name: counter, its label, the values that are hits
    "prepared": (prepared.COUNTED, "result", frozenset({"hit"})),
    "timelines": (timeline.COUNTED, "result", frozenset({"hit"})),
    "cards": (cards.COUNTED, "found", frozenset({"redis"})),
    # Of places in for-you, those of one source.
    **{name: (sessions.SERVED, "source", frozenset({name})) for name in sessions.SOURCES},
}
_lock = threading.Lock()
_written: Tally[tuple[str, bool]] = Tally()
_next = 0.0


def write_sometimes() -> None:
    """Add what this process counted since the last time, once a minute."""
    global _next
    now = time.monotonic()
    if now < _next or not _lock.acquire(blocking=False):
        return
    try:
        _next = now + EVERY_SECONDS
        write()
    finally:
        _lock.release()


def write() -> None:
    """Add what this process counted since the last time."""
    counted = _counted()
    new = {key: total - _written[key] for key, total in counted.items()}
    rows = [(kind, hit, total) for (kind, hit), total in sorted(new.items()) if total > 0]
    if rows:
        _add(rows)
        _written.update({(kind, hit): total for kind, hit, total in rows})


def _counted() -> Tally[tuple[str, bool]]:
    found: Tally[tuple[str, bool]] = Tally()
    for kind, (counter, label, hits) in KINDS.items():
        for metric in counter.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    found[kind, sample.labels[label] in hits] += int(sample.value)
    return found


def _add(rows: Iterable[tuple[str, bool, int]]) -> None:
    today = timezone.now().date()
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, [(today, kind, hit, total) for kind, hit, total in rows])


_ADD = """
INSERT INTO feeds_cachereads (day, kind, hit, total) VALUES (%s, %s, %s, %s)
ON CONFLICT (day, kind, hit) DO UPDATE SET total = feeds_cachereads.total + excluded.total
"""
