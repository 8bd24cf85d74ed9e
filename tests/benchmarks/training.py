"""What a training on the site costs at 810,000 acts of 30,000 people with 41,000 videos.

    python -m tiktok_clone.embedded -- -m tests.benchmarks.training

The second one is measured: it judges the new model against the one in service, which the first
does not have. Reading, judging and writing are in the figures. The rows are made up.
"""

import argparse
import os
from datetime import UTC, datetime, timedelta

import django

USERS, ITEMS, ROWS, THEMES = 30_000, 41_000, 1_080_000, 600
LATER = 0.02  # so many rows happen between the two trainings


def main() -> None:
    """Set Django up, fill a scratch database, train twice, print, and drop it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.training")
    parser.add_argument("--part", type=float, default=1.0, help="of all that, for a quick look")
    part = parser.parse_args().part
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.test")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before anything imports numpy
    django.setup()
    from feeds.recommender import training
    from tests.benchmarks import scratch
    from tests.benchmarks.measured import measured

    with scratch.database():
        rows = _fill(part)
        print(f"{rows:,} acts, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        _act(until=1 - LATER)
        training.learn(seconds=0)
        _act(until=1)
        cost = measured(training.learn)
        assert cost.done is not None
        print(f"{cost.done}: {cost.done.state} {cost.done.reason}")
        print(f"parameters: {cost.done.parameters}")
        print(f"{cost.cpu_seconds:.1f} CPU-seconds, {cost.peak_mb:,.0f} MB at most")
        print(f"duel: {cost.done.metrics.get('duel')}; load {os.getloadavg()[0]:.1f}")


def _fill(part: float) -> int:
    """Put people, videos and what will happen into the database; return how many acts."""
    import numpy as np
    from django.db import connection

    from accounts.models import User
    from tests.benchmarks import scratch
    from tests.feeds.themes import themed
    from videos.models import Video

    users, items, themes = (int(number * part) for number in (USERS, ITEMS, THEMES))
    rows = themed(users=users, items=items, rows=int(ROWS * part), themes=themes, timed=True)
    scratch.make_people(max(users, scratch.AUTHORS))
    for _ in scratch.grow_to(items):
        pass
    people = np.array(User.objects.order_by("pk").values_list("pk", flat=True)[:users])
    videos = np.array(Video.objects.order_by("pk").values_list("pk", flat=True))
    assert rows.at is not None
    share = np.argsort(np.argsort(rows.at)) / len(rows)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE act (person bigint, video bigint, share float)")
        with cursor.copy("COPY act FROM STDIN") as copy:
            for row in zip(people[rows.user], videos[rows.item], share, strict=True):
                copy.write_row([each.item() for each in row])
    return len(rows)


def _act(until: float) -> None:
    """Have the first part of it happen; the whole is a hundred days."""
    from django.db import connection

    first = datetime.now(UTC) - timedelta(days=100)
    with connection.cursor() as cursor:
        cursor.execute(_ACTS, [first, until])
        cursor.execute("ANALYZE feeds_affinity")


_ACTS = """
INSERT INTO feeds_affinity (user_id, video_id, strength, followed, acted_at)
SELECT person, video, 1, false, %s + share * interval '100 days' FROM act WHERE share <= %s
ON CONFLICT DO NOTHING
"""

if __name__ == "__main__":
    main()
