"""What a page of for-you costs, by how much people have done on the site.

    python -m tiktok_clone.embedded -- -m tests.benchmarks.for_you

Cold is the first page of a new seed: the order is begun, ranked and stored. In session is the next
page of it. Beside them stands the next page of `all`, whose cards cost the same. All are measured
in turn in one run, for readers at random, without a page that was prepared.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable

import django

SIZES = "10000,100000,1000000"
PAGE = 20
ACTS_OF_A_PERSON = 50
VIDEOS_OF_ACTS = 0.2  # so many videos as there are acts, at most MOST_VIDEOS
MOST_VIDEOS = 50_000
NEIGHBOURS = 200


def main() -> None:
    """Set Django up, make the scratch database, measure, print, and drop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="numbers of acts, with commas between")
    parser.add_argument("--repeats", type=int, default=60, help="readers measured at each size")
    parser.add_argument("--explain", action="store_true", help="print the queries and their times")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.test")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from tests.benchmarks import scratch

    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'acts':>10}{'people':>8}{'videos':>9}{'cold p50':>10}{'p95':>7}{'in session':>12}"
          f"{'p95':>7}{'all':>7}{'p95':>7}{'ratio':>7}{'load':>6}   (ms)")  # fmt: skip
    with scratch.database():
        for size in sorted(int(size) for size in options.sizes.split(",")):
            grow(size)
            measure(size, options.repeats)
            if options.explain:
                _explain()


def grow(acts: int) -> None:
    """Have people who did so many things, with a model of neighbours that was learned of them."""
    from feeds.models import ModelRun
    from tests.benchmarks import scratch

    videos = min(int(acts * VIDEOS_OF_ACTS), MOST_VIDEOS)
    for _ in scratch.grow_to(videos):
        pass
    ModelRun.objects.all().delete()
    ModelRun.objects.create(state=ModelRun.State.IN_SERVICE)
    people = acts // ACTS_OF_A_PERSON
    for sql in _FILL:
        _run(sql, {"people": people, "each": ACTS_OF_A_PERSON, "neighbours": NEIGHBOURS})


def measure(acts: int, repeats: int) -> None:
    """Print a line of the table."""
    from accounts.models import User
    from feeds.paging import make_page
    from feeds.seeds import new_seed, resume
    from videos.models import Video

    readers = list(User.objects.filter(affinities__isnull=False).distinct().order_by("pk"))
    chosen = random.Random(acts).sample(readers, min(repeats + 3, len(readers)))
    times: dict[str, list[float]] = {"cold": [], "session": [], "all": []}
    for reader in chosen:
        seed = new_seed("for-you", "ranked", reader.pk)
        page, cold = _timed(lambda seed=seed, reader=reader: make_page(reader, seed, 0, PAGE))
        assert len(page.shown) == PAGE
        every = make_page(reader, new_seed("all", "shuffle", reader.pk), 0, PAGE)
        for name, before in (("session", page), ("all", every)):
            seed = resume(before.seed, before.mode, before.order, reader.pk, before.next_skip)
            _, seconds = _timed(
                lambda seed=seed, reader=reader, before=before: make_page(
                    reader, seed, before.next_skip, PAGE
                )
            )
            times[name].append(seconds * 1000)
        times["cold"].append(cold * 1000)
    warm = {name: values[3:] for name, values in times.items()}
    median = {name: statistics.median(values) for name, values in warm.items()}
    late = {name: statistics.quantiles(values, n=20)[-1] for name, values in warm.items()}
    print(
        f"{acts:>10,}{len(readers):>8,}{Video.objects.count():>9,}{median['cold']:>10.1f}"
        f"{late['cold']:>7.1f}{median['session']:>12.1f}{late['session']:>7.1f}"
        f"{median['all']:>7.1f}{late['all']:>7.1f}{median['session'] / median['all']:>7.2f}"
        f"{os.getloadavg()[0]:>6.1f}",
        flush=True,
    )


def _timed(act: Callable[[], object]) -> tuple[object, float]:
    start = time.perf_counter()
    done = act()
    return done, time.perf_counter() - start


def _explain() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User
    from feeds.paging import make_page
    from feeds.seeds import new_seed

    reader = User.objects.filter(affinities__isnull=False).order_by("pk").last()
    assert reader is not None
    start = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        make_page(reader, new_seed("for-you", "ranked", reader.pk), 0, PAGE)
    spent = time.perf_counter() - start
    for query in captured:
        print(query["time"], " ".join(query["sql"].split())[:160])
    total = sum(float(query["time"]) for query in captured)
    print(f"{len(captured)} queries, {total:.3f} of {spent:.3f} s")


def _run(sql: str, values: dict[str, int]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)


# People like what lies near a place of their own among the videos, and now and then anything.
_FILL = [
    """
    TRUNCATE feeds_affinity, feeds_impression, feeds_feedsession, feeds_neighbours,
        videos_videohashtag, accounts_follow, videos_like
    """,
    """
    INSERT INTO accounts_user (password, is_superuser, created_at, email, handle, name, bio, avatar,
        is_private, findable_by_email, is_active, is_staff, followers_count, following_count,
        videos_count, likes_count)
    SELECT '!', false, now(), 'r' || n || '@example.org', 'r' || n, 'Reader', '', '',
        false, true, true, false, 0, 0, 0, 0
    FROM generate_series(1, %(people)s) AS n
    ON CONFLICT DO NOTHING
    """,
    """
    UPDATE videos_video SET
        published_at = now() - (last.id - videos_video.id) * interval '5 minutes',
        trend = CASE WHEN videos_video.id %% 50 = 0 THEN random() * 100 ELSE 0 END,
        views_count = least(last.id - videos_video.id, 5000),
        shown_count = least(last.id - videos_video.id, 200)
    FROM (SELECT max(id) AS id FROM videos_video) AS last
    """,
    "UPDATE videos_slotepoch SET last_published_at = now()",
    """
    INSERT INTO videos_hashtag (name, videos_count, created_at, search_text)
    SELECT 'tag' || n, 0, now(), 'tag' || n FROM generate_series(1, 300) AS n
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO videos_videohashtag (video_id, hashtag_id)
    SELECT video.id, least.id + (video.id * 31 + n * 97) %% 300
    FROM videos_video AS video, generate_series(1, 3) AS n,
        (SELECT min(id) AS id FROM videos_hashtag) AS least
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO feeds_impression (user_id, video_id, times, seconds, completed, longest,
        first_at, last_at)
    SELECT person.id, bound.least + CASE WHEN n %% 5 = 0
            THEN floor(random() * bound.count)::bigint
            ELSE (person.id * 7919 + floor(random() * 300)::bigint) %% bound.count END,
        1, 8, 1, 8, now(), now() - random() * interval '60 days'
    FROM (SELECT id FROM accounts_user WHERE handle LIKE 'r%%'
          ORDER BY id LIMIT %(people)s) AS person,
        generate_series(1, %(each)s) AS n,
        (SELECT min(id) AS least, count(*) AS count FROM videos_video) AS bound
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO feeds_affinity (user_id, video_id, strength, followed, acted_at)
    SELECT user_id, video_id,
        CASE WHEN video_id %% 7 = 0 THEN -0.2 ELSE 0.2 + random() * 2 END, false, last_at
    FROM feeds_impression
    """,
    """
    INSERT INTO accounts_follow (follower_id, followee_id, created_at)
    SELECT person.id, author.id, now()
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM accounts_user
          WHERE handle LIKE 'r%%') AS person,
        generate_series(1, 20) AS n,
        LATERAL (
            SELECT id FROM accounts_user WHERE handle = 'p' || (1 + (n * 37) %% 2000)
        ) AS author
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO feeds_neighbours (run_id, item_id, neighbours, weights, popularity)
    SELECT run.id, video.id, near.ids, near.weights, 0
    FROM (SELECT max(id) AS id FROM feeds_modelrun) AS run, videos_video AS video,
        (SELECT min(id) AS least, count(*) AS count FROM videos_video) AS bound,
        LATERAL (
            SELECT array_agg(bound.least + (video.id - bound.least + n * (1 + video.id %% 3))
                             %% bound.count ORDER BY n) AS ids,
                array_agg(1.0 / n ORDER BY n) AS weights
            FROM generate_series(1, %(neighbours)s) AS n
        ) AS near
    """,
    "ANALYZE",
]


if __name__ == "__main__":
    main()
