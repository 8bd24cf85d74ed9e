"""What it costs to record impressions and to settle the affinity, in ratios of one run.

    python -m tiktok_clone.embedded -- -m tests.benchmarks.impressions

A batch of 20 impressions is compared with 20 of one each, and each of them with the same work
without the affinity. A like is compared alike. All are measured in turn, on a scratch database
in which the person has watched thousands of clips.

Then several people report at once: batches with nothing in common, and batches that all have one
clip that everybody watches. Counters are written back as in production.
"""

import argparse
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings

BATCH = 20
VIDEOS = 20_000
SEEN = 5_000
PEOPLE, SECONDS, ROUNDS = 4, 3.0, 3


def main() -> None:
    """Set Django up, make the scratch database, measure, print, and drop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30, help="measurements of each kind")
    repeats = parser.parse_args().repeats
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.test")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    settings.VIEWS_WRITTEN_EVERY_SECONDS = 1.0
    from tests.benchmarks import scratch

    with scratch.database():
        for _ in scratch.grow_to(VIDEOS):
            pass
        run(repeats)


def run(repeats: int) -> None:
    """Measure every kind in turn and print the table."""
    from accounts.models import User

    user = User.objects.order_by("pk").first()
    assert user is not None
    least = _prepare(user.pk)
    kinds = _kinds(user, least)
    times: dict[str, list[float]] = {name: [] for name in kinds}
    statements: dict[str, int] = {}
    for n in range(repeats + 3):
        for name, act in kinds.items():
            seconds, count = _measure(lambda act=act, n=n: act(random.Random(n)))
            if n >= 3:  # the first ones warm up
                times[name].append(seconds)
                statements[name] = count
    medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
    unit = medians["20 impressions, one batch"]
    print(f"\n{'':34}{'median ms':>12}{'ratio':>8}{'statements':>12}")
    for name, median in medians.items():
        print(f"{name:34}{median:12.2f}{median / unit:8.2f}{statements[name]:12}")
    counts = {"nothing in common": 0, "one viral clip": 0}
    for _ in range(ROUNDS):  # in turn, so that what else the machine does weighs on both alike
        counts["nothing in common"] += _at_once(least, None)
        counts["one viral clip"] += _at_once(least, least)
    most = counts["nothing in common"]
    print(f"\nbatches a second of {PEOPLE} people at once")
    for name, count in counts.items():
        print(f"{name:34}{count / SECONDS / ROUNDS:12.0f}{count / most:8.2f}")


def _at_once(least: int, viral: int | None) -> int:
    """Have people report batches for a while; returns how many were recorded."""
    from django.db import connection

    from accounts.models import User
    from feeds.services import Watched, record_views

    people = list(User.objects.order_by("pk")[1 : PEOPLE + 1])
    until, done = time.perf_counter() + SECONDS, []

    def report(number: int) -> None:
        chance = random.Random(number)
        own = range(least + 1 + number, least + VIDEOS, PEOPLE)  # of nobody else
        while time.perf_counter() < until:
            ids = [*chance.sample(own, BATCH - 1), own[0] if viral is None else viral]
            record_views(people[number], [Watched(pk, chance.uniform(0, 9)) for pk in ids])
            done.append(number)
        connection.close()

    threads = [threading.Thread(target=report, args=[n]) for n in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def _kinds(user: Any, least: int) -> dict[str, Callable[[random.Random], object]]:
    from feeds.services import Watched, record_views
    from videos.services.engagement import like_video, unlike_video

    def some(chance: random.Random) -> list[Any]:
        ids = chance.sample(range(least, least + VIDEOS), BATCH)
        return [Watched(pk, chance.uniform(0, 9), chance.random() < 0.3) for pk in ids]

    def one_by_one(chance: random.Random) -> None:
        for one in some(chance):
            record_views(user, [one])

    def like(chance: random.Random) -> None:
        pk = chance.randrange(least, least + VIDEOS)
        like_video(user, pk)
        unlike_video(user, pk)

    def without(act: Callable[[random.Random], object]) -> Callable[[random.Random], object]:
        def bare(chance: random.Random) -> None:
            with _no_affinity():
                act(chance)

        return bare

    def batch(chance: random.Random) -> None:
        record_views(user, some(chance))

    return {
        "20 impressions, one batch": batch,
        "… without the affinity": without(batch),
        "20 impressions, one by one": one_by_one,
        "a like and its undoing": like,
        "… without the affinity ": without(like),
    }


@contextmanager
def _no_affinity() -> Iterator[None]:
    from feeds import affinity

    settle = affinity._settle
    affinity._settle = len
    try:
        yield
    finally:
        affinity._settle = settle


def _measure(act: Callable[[], object]) -> tuple[float, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    started = time.perf_counter()
    act()
    seconds = time.perf_counter() - started
    with CaptureQueriesContext(connection) as captured:
        act()
    return seconds, len(captured)


def _prepare(user_id: int) -> int:
    """Have the person watch SEEN clips; returns the lowest id of a clip."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM videos_video")
        least: int = cursor.fetchone()[0]
        cursor.execute(_SEEN, [user_id, SEEN])
        cursor.execute(_CARED, [user_id])
        for table in ("feeds_impression", "feeds_affinity"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    return least


_SEEN = """
INSERT INTO feeds_impression
    (user_id, video_id, times, seconds, completed, longest, first_at, last_at)
SELECT %s, id, 1, 3, 0, 3, now(), now() FROM videos_video ORDER BY random() LIMIT %s
"""
_CARED = """
INSERT INTO feeds_affinity (user_id, video_id, strength, followed, acted_at)
SELECT user_id, video_id, 0, false, last_at FROM feeds_impression WHERE user_id = %s
"""

if __name__ == "__main__":
    main()
