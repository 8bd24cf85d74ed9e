"""What it costs to bring a publication to those who follow its author.

- A push to timelines, against a pipeline of ZADD and ZREMRANGEBYRANK to the same followers, which
  is the usual way; processor time of this process and of Redis together, for each follower. Once
  with all of them cached, once with a tenth: the usual way writes to everybody.
- What a cached reader takes in Redis, key by key.
- Publications of authors with 1,000 to 1,000,000 followers: jobs, scripts of Redis, how long they
  take, and how long the first page of a cached follower takes, with the publication on it: right
  after the commit, when a row says that it is on its way, and when it has been delivered.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from tqdm import tqdm

from accounts.models import Follow, User
from feeds import fanout, prepared, timeline
from feeds.models import PendingFanout, PullAuthor
from feeds.paging import Readahead, make_page
from feeds.seeds import new_seed
from feeds.timeline import CAP, SLACK, List
from tests.benchmarks import scratch
from tiktok_clone.common import generation
from tiktok_clone.common.redis import Redis, client
from videos.models import Video

FOLLOWERS = 10_000
PUSHES = 5
POPULAR = (1_000, 10_000, 100_000, 1_000_000)
PLOT = Path(__file__).resolve().parents[2] / "docs" / "img" / "fan_out.png"


@dataclass(frozen=True)
class Publication:
    """What a publication cost: jobs, scripts of Redis, seconds of all jobs together.

    `pending` and `page` are seconds of a follower's first page, before and after them.
    """

    jobs: int
    commands: int
    seconds: float
    pending: float
    page: float


def run() -> None:
    """Measure, print the figures, draw the plot; in a scratch database and Redis."""
    settings.REDIS_TIMEOUT = 10  # a busy machine is no fault here
    redis = client()
    if redis is None:
        raise SystemExit("This needs Redis: REDIS_URL is not set.")
    settings.FEED_CACHED_READERS = FOLLOWERS
    load = os.getloadavg()[0]  # of others, before this adds to it
    scratch.make_people(FOLLOWERS + len(POPULAR) + 1)
    for _ in scratch.grow_to(1000):
        pass
    ratios = {share: _ratio(redis, share) for share in (1.0, 0.1)}
    taken = _taken(redis)
    published = {count: _published(redis, count) for count in tqdm(POPULAR, desc="publishing")}
    tqdm.write(_table(load, ratios, taken, published))
    _draw(ratios, published)


def _ratio(redis: Redis, share: float) -> tuple[float, float]:
    """Return microseconds for each follower of a push, and of the usual way."""
    followers = list(User.objects.order_by("pk").values_list("pk", flat=True)[:FOLLOWERS])
    name = generation.generation()
    _fill(redis, name, followers[: int(len(followers) * share)])
    ours, usual = [], []
    for n in tqdm(range(PUSHES), desc=f"{share:.0%} cached"):
        place = (10**15 + n, n)
        ours.append(_cost(redis, lambda place=place: _push(redis, name, followers, place)))
        usual.append(_cost(redis, lambda n=n: _write_to_all(redis, followers, n)))
    redis.flushdb()
    return tuple(  # type: ignore[return-value]
        statistics.median(costs) / len(followers) * 1e6 for costs in (ours, usual)
    )


def _push(redis: Redis, name: str, followers: list[int], place: tuple[int, int]) -> None:
    for batch in _batches(followers):
        lists = [List.of_reader("following", follower) for follower in batch]
        timeline.push(redis, name, lists, place)


def _write_to_all(redis: Redis, followers: list[int], score: int) -> None:
    for batch in _batches(followers):
        pipe = redis.pipeline(transaction=False)
        for follower in batch:
            pipe.zadd(f"usual:{follower}", {f"{score}": score})
            pipe.zremrangebyrank(f"usual:{follower}", 0, -CAP - 1)
        pipe.execute()


def _batches(followers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(followers), fanout.BATCH):
        yield followers[start : start + fanout.BATCH]


def _fill(redis: Redis, name: str, followers: list[int]) -> None:
    """Full lists for readers of the one kind, full sets of the same for the other."""
    places = [timeline.pack((10**14 + n, n)) for n in range(CAP)][::-1]
    scores = {str(n): n for n in range(CAP)}
    pipe = redis.pipeline(transaction=False)
    for follower in followers:
        key = List.of_reader("following", follower).key(name)
        pipe.rpush(key, *places, b"F" + places[-1])
        pipe.zadd(f"usual:{follower}", scores)
        if len(pipe) >= 1000:
            pipe.execute()
    pipe.execute()


def _cost(redis: Redis, work: Callable[[], None]) -> float:
    """Return processor seconds of this process and of Redis."""
    before, own = _cpu(redis), time.process_time()
    work()
    return time.process_time() - own + _cpu(redis) - before


def _cpu(redis: Redis) -> float:
    used: Any = redis.info("cpu")
    return float(used["used_cpu_user"] + used["used_cpu_sys"])


def _taken(redis: Redis) -> dict[str, int]:
    """Return the bytes of all that Redis has of one reader, by what it is.

    Full lists, with the slack that they may have for a while, and as many prepared pages as there
    may be. What a set of readers takes is what it grows by.
    """
    name, readers = generation.generation(), f"feeds:{generation.generation()}:readers"
    places = [timeline.pack((10**15 + n, 10**6 + n)) for n in range(CAP + SLACK)]
    lists = {f"timeline of {name}": List.of_reader(name, 1) for name in timeline.CIRCLES}
    for one in lists.values():
        redis.rpush(one.key(name), *places[::-1], b"F" + places[0])
    found = {what: _size(redis, one.key(name)) for what, one in lists.items()}
    redis.zadd(readers, {str(10**6 + n): n for n in range(1000)})
    found["place among the readers"] = _size(redis, readers) // 1000
    reader = User.objects.order_by("pk")[0]
    page = make_page(reader, new_seed("all", "shuffle", reader.pk), 0, 20)
    page = replace(page, readahead=Readahead(pages=1))  # in the middle of a scroll
    assert prepared.prepare(reader.pk, page)
    found["prepared pages"] = _size(redis, prepared._key(name, reader.pk))
    redis.flushdb()
    return found


def _size(redis: Redis, key: str) -> int:
    taken: Any = redis.memory_usage(key, samples=0)
    return int(taken)


def _published(redis: Redis, count: int) -> Publication:
    """Have an author with so many followers publish; up to FOLLOWERS of them are real rows."""
    author = User.objects.order_by("-pk")[POPULAR.index(count)]
    others = User.objects.order_by("pk").values_list("pk", flat=True)[: min(count, FOLLOWERS)]
    Follow.objects.bulk_create(
        [Follow(follower_id=pk, followee=author) for pk in others if pk != author.pk],
        ignore_conflicts=True,
    )
    User.objects.filter(pk=author.pk).update(followers_count=count)
    reader = User.objects.order_by("pk")[0]
    _fill(redis, generation.generation(), list(others))
    video = Video.objects.filter(slot=POPULAR.index(count)).get()
    with transaction.atomic():
        Video.objects.filter(pk=video.pk).update(author=author, published_at=_latest())
        video.refresh_from_db()
        fanout.announce(video)
    for pulled in PullAuthor.objects.values_list("author", flat=True):
        assert timeline.build(List.of_author(pulled))
    for one in ("following", "friends"):
        redis.delete(List.of_reader(one, reader.pk).key(generation.generation()))
        assert timeline.build(List.of_reader(one, reader.pk))
    pending = _page(reader, video.pk)
    before, began = _commands(redis), time.perf_counter()
    jobs, after = 1, fanout.deliver(video.pk, 0)
    while after is not None:
        jobs, after = jobs + 1, fanout.deliver(video.pk, after)
    seconds, commands = time.perf_counter() - began, _commands(redis) - before
    PendingFanout.objects.all().delete()
    page = _page(reader, video.pk)
    redis.flushdb()
    return Publication(jobs, commands, seconds, pending, page)


def _page(reader: User, video: int) -> float:
    """Return the seconds of a first page that comes from Redis and has a video."""
    hits, times = timeline.COUNTED.labels("hit")._value, []
    for _ in range(PUSHES):
        before, start = hits.get(), time.perf_counter()
        assert video in _first(reader)
        times.append(time.perf_counter() - start)
        assert hits.get() == before + 1, "this page did not come from Redis"
    return statistics.median(times)


def _latest() -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE videos_slotepoch SET last_published_at = clock_timestamp()"
            " RETURNING last_published_at"
        )
        return cursor.fetchone()[0]


def _first(reader: User) -> list[int]:
    page = make_page(reader, new_seed("following", "latest", reader.pk), 0, 20)
    return [card.video for card in page.shown]


def _commands(redis: Redis) -> int:
    """Return how many commands Redis was asked for, scripts counted once."""
    stats: Any = redis.info("commandstats")
    return int(sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in _ASKED))


# What the product sends; commands inside of scripts are counted by Redis beside these.
_ASKED = ("eval", "evalsha")


def _table(
    load: float,
    ratios: dict[float, tuple[float, float]],
    taken: dict[str, int],
    published: dict[int, Publication],
) -> str:
    lines = ["", f"Fan-out to {FOLLOWERS:,} followers, load before it {load:.1f}"]
    for share, (ours, usual) in ratios.items():
        lines.append(
            f"{share:>5.0%} of them cached: {ours:.2f} µs a follower, ZADD + ZREMRANGEBYRANK"
            f" {usual:.2f} µs, ratio {ours / usual:.2f}"
        )
    lines.append(f"a cached reader takes {sum(taken.values()):,} bytes of Redis at most:")
    lines += [f"{size:>10,} {what}" for what, size in taken.items()]
    lines.append(
        f"{'followers':>10} {'jobs':>5} {'scripts':>8} {'ms':>8}"
        f" {'ms of a page before':>20} {'and after':>10}"
    )
    lines += [
        f"{count:>10,} {one.jobs:>5} {one.commands:>8} {one.seconds * 1000:>8.1f}"
        f" {one.pending * 1000:>20.1f} {one.page * 1000:>10.1f}"
        for count, one in published.items()
    ]
    return "\n".join(lines)


def _draw(ratios: dict[float, tuple[float, float]], published: dict[int, Publication]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (costs, commands) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    for n, (ours, usual) in enumerate(ratios.values()):
        for offset, value, color, name in (
            (-0.2, usual, "#8a8f98", "ZADD + ZREMRANGEBYRANK"),
            (0.2, ours, "#fe2c55", "this feed"),
        ):
            label = name if not n else None
            drawn = costs.bar(n + offset, value, 0.38, color=color, label=label)
            costs.bar_label(drawn, fmt="%.1f")
    costs.set_xticks(range(len(ratios)), [f"{share:.0%} cached" for share in ratios])
    costs.set_ylabel("µs of processor time a follower")
    costs.legend(fontsize=8)
    counts = [*published]
    for name, values, color in (
        ("round trips to Redis", [one.commands for one in published.values()], "#fe2c55"),
        ("jobs", [one.jobs for one in published.values()], "#8a8f98"),
        ("ms until delivered", [one.seconds * 1000 for one in published.values()], "#25b7b0"),
    ):
        commands.plot(counts, values, "o-", color=color, label=name)
    commands.set(xscale="log", yscale="log", xlabel="followers", ylabel="of a publication")
    commands.legend(fontsize=8)
    commands.grid(alpha=0.25)
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=130)
