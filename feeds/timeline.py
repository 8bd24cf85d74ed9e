"""The newest videos around a reader, kept in Redis for those who read lately.

A *timeline* is a list of places, the newest first, of one circle of one reader; an *outbox* is one
of an author whom too many follow to be pushed to all. Both exist only once somebody has read them;
pushes go to what exists (LPUSHX) and make nothing. They hold candidates: who may see what is
asked when a page is made.

An entry is a place in 12 bytes. The last element of a list is its *mark*: `B…` while it is being
built, `F` and an entry when it is ready: it is complete above that entry, or altogether where
there is none. A list that is built from PostgreSQL exists, with its mark, *before* PostgreSQL is
read; so what is published meanwhile is pushed to it, and a list that was dropped meanwhile is not
finished. Pushes may come late, twice and in any order.

What is published but perhaps not yet pushed is in `PendingFanout`. A read takes these rows first
and the list after, so that whatever is committed is in one of them.
"""

import secrets
from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, partial

from django.conf import settings
from prometheus_client import Counter

from feeds import scripts
from feeds.behind import Pool
from feeds.circles import FOLLOWED, FRIENDS, Circle, rows
from feeds.seeds import Place, micros
from tiktok_clone.common import generation
from tiktok_clone.common.redis import Redis, RedisError, client

CAP, SLACK = 400, 20
OUTBOX_CAP = 100
MERGED_OUTBOXES = 50  # of more authors at once, PostgreSQL is asked
# From when a list was built, however often it is read: no list is wrong for longer where a process
# has died between a commit and its message.
LIFE_SECONDS = 24 * 60 * 60
BUILD_SECONDS = 30
_TIME_BYTES, _ID_BYTES = 7, 5
_LATEST: Place = (2**52, 2**40 - 1)  # in the year 2112
CIRCLES = {circle.name: circle for circle in (FOLLOWED, FRIENDS)}
COUNTED = Counter("loopy_feed_timelines", "Reads of cached timelines.", ["result"])
PLACES = Counter("loopy_feed_places", "Places of the newest first, by where they were.", ["source"])


@dataclass(frozen=True)
class Known:
    """The places that are known without PostgreSQL: all above some place.

    `places` go from new to old, each with where it was found: "pending", "timeline" or "outbox";
    `complete` says that there are no older ones.
    """

    places: dict[Place, str] = field(default_factory=dict)
    complete: bool = False

    def before(self, place: Place, count: int) -> list[Place]:
        """Return the first `count` of those that come after a place in the order."""
        return [one for one in self.places if one < place][:count]

    def count(self, known: list[Place], others: int) -> None:
        """Count places that were found: some of these, and others in the database."""
        for source, times in Tally(self.places[place] for place in known).items():
            PLACES.labels(source).inc(times)
        PLACES.labels("database").inc(others)


NOTHING = Known()


def newest(circle: Circle, reader: int, skip: int = 0) -> Known:
    """Return what Redis and the rows on their way to it know of a reader's circle.

    Where a list is missing, nothing is known, and it is built behind the answer.

    Args:
        circle: whose videos.
        reader: id of the person.
        skip: how many the reader has behind them. No list is so long as to help who has read
            more than `CAP` and `SLACK`, so then nobody is asked.
    """
    if skip > CAP + SLACK:
        COUNTED.labels("too_deep").inc()
        return NOTHING
    redis = client() if settings.FEED_CACHED_READERS else None
    name = generation.generation() if redis is not None else ""
    if redis is None or not name:
        return NOTHING
    pending, authors = _on_their_way(circle, reader)
    if len(authors) > MERGED_OUTBOXES:
        COUNTED.labels("too_many_outboxes").inc()
        return NOTHING
    wanted = [List.of_reader(circle.name, reader), *(List.of_author(pk) for pk in authors)]
    try:
        found = _read(redis, name, reader, wanted)
    except RedisError:
        COUNTED.labels("unavailable").inc()
        return NOTHING
    missing = [one for one, entries in zip(wanted, found, strict=True) if entries is None]
    for one in missing:
        _builders().submit(partial(build, one))
    COUNTED.labels("miss" if missing else "hit").inc()
    if missing:
        return NOTHING
    return _merge(pending, wanted, found)


@dataclass(frozen=True)
class List:
    """One list: whose, of which kind, and how long it may get."""

    kind: str
    owner: int
    cap: int

    @staticmethod
    def of_reader(circle: str, reader: int) -> "List":
        """The timeline of a circle of a reader."""
        return List(f"timeline:{circle}", reader, CAP)

    @staticmethod
    def of_author(author: int) -> "List":
        """The outbox of an author."""
        return List("outbox", author, OUTBOX_CAP)

    def key(self, name: str) -> str:
        """Its key in a generation."""
        return f"{_prefix(name)}{self.kind}:{self.owner}"

    @property
    def source(self) -> str:
        """What its places are said to come from: "timeline" or "outbox"."""
        return self.kind.partition(":")[0]

    @property
    def reader(self) -> int:
        """Who is counted as a cached reader for it; 0 for an outbox."""
        return 0 if self.kind == "outbox" else self.owner

    def load(self) -> list[Place]:
        """Return its places from PostgreSQL, the newest first."""
        if self.kind == "outbox":
            values = {"author": self.owner, "count": self.cap}
            return [(micros(time), pk) for time, pk in rows(_OF_AUTHOR, values)]
        circle = CIRCLES[self.kind.removeprefix("timeline:")]
        return circle.newest(self.owner, _LATEST, self.cap)


def build(one: List) -> bool:
    """Build a list that is missing, unless somebody does; returns whether it was done here.

    Raises:
        RedisError: Redis is away.
    """
    redis, name = client(), generation.generation()
    if redis is None or not name:
        return False
    mark = begin(redis, name, one)
    return mark is not None and finish(redis, name, one, mark, one.load())


def begin(redis: Redis, name: str, one: List) -> bytes | None:
    """Make the list with a mark of ours, to which pushes go from now on; None if there is one."""
    mark = b"B" + secrets.token_bytes(8)
    begun = scripts.BEGIN.run(redis, [one.key(name)], [mark, BUILD_SECONDS])
    return mark if begun else None


def finish(redis: Redis, name: str, one: List, mark: bytes, places: list[Place]) -> bool:
    """Fill the list in if it still has our mark; returns whether it had."""
    floor = pack(places[-1]) if len(places) >= one.cap else b""
    keys = [one.key(name), f"{_prefix(name)}readers"]
    limits = [LIFE_SECONDS, one.reader, settings.FEED_CACHED_READERS, _prefix(name)]
    marks, lengths, entries = [mark, b"F" + floor], [one.cap, SLACK], map(pack, places)
    return bool(scripts.FINISH.run(redis, keys, [*limits, *marks, *lengths, *entries]))


@dataclass(frozen=True)
class State:
    """How a list in Redis stands: `entries` are None where there is none, or it is being built."""

    one: List
    stage: str  # "absent", "being built" or "ready"
    entries: list[bytes] | None
    seconds: int  # that it has to live


def look(name: str, reader: int) -> tuple[list[State], int | None]:
    """Look at a reader's lists and at the outboxes they follow; nothing is changed by it.

    Returns:
        The states, timelines first; and the reader's place among the cached ones, 0 for who
        read last, None for who is not among them.

    Raises:
        RedisError: Redis is away.
    """
    redis = client()
    if redis is None or not name:
        return [], None
    authors = {pk for circle in CIRCLES.values() for pk in _on_their_way(circle, reader)[1]}
    wanted = [List.of_reader(circle, reader) for circle in CIRCLES]
    wanted += [List.of_author(pk) for pk in sorted(authors)[:MERGED_OUTBOXES]]
    pipe = redis.pipeline(transaction=False)
    for one in wanted:
        pipe.lrange(one.key(name), 0, -1)
        pipe.ttl(one.key(name))
    pipe.zrevrank(f"{_prefix(name)}readers", str(reader))
    *found, rank = pipe.execute()
    return [
        _state(one, elements, seconds)
        for one, elements, seconds in zip(wanted, found[::2], found[1::2], strict=True)
    ], rank


def _state(one: List, elements: list[bytes], seconds: int) -> State:
    if not elements:
        return State(one, "absent", None, 0)
    if elements[-1][:1] != b"F":
        return State(one, "being built", None, seconds)
    return State(one, "ready", elements, seconds)


def sources(circle: Circle, reader: int, states: list[State]) -> dict[Place, str]:
    """Say where a read would find each place that it knows without the database's order.

    Returns:
        `{place: "pending" | "timeline" | "outbox"}`, empty where a list is missing, since then
        all comes from PostgreSQL.
    """
    pending, authors = _on_their_way(circle, reader)
    wanted = [List.of_reader(circle.name, reader), *(List.of_author(pk) for pk in authors)]
    held = {state.one: state.entries for state in states}
    lists = [held.get(one) for one in wanted]
    if len(authors) > MERGED_OUTBOXES or any(entries is None for entries in lists):
        return {}
    return _merge(pending, wanted, lists).places


def push(redis: Redis, name: str, lists: Iterable[List], place: Place) -> int:
    """Put a place in front of those lists that exist, in one round trip; returns how many.

    All of them are of one kind of length.
    """
    wanted = list(lists)
    if not wanted:
        return 0
    keys = [one.key(name) for one in wanted]
    return int(scripts.PUSH.run(redis, keys, [pack(place), wanted[0].cap, SLACK]))


def drop(*readers: int) -> None:
    """Forget the timelines of readers when the present transaction is committed."""
    lists = [List.of_reader(circle, reader) for circle in CIRCLES for reader in readers]
    generation.after_commit(lambda redis, name: redis.delete(*(one.key(name) for one in lists)))


def pack(place: Place) -> bytes:
    """Return a place in 12 bytes, which compare as places do."""
    return place[0].to_bytes(_TIME_BYTES, "big") + place[1].to_bytes(_ID_BYTES, "big")


def unpack(entry: bytes) -> Place:
    """Return the place of an entry."""
    return int.from_bytes(entry[:_TIME_BYTES], "big"), int.from_bytes(entry[_TIME_BYTES:], "big")


def _on_their_way(circle: Circle, reader: int) -> tuple[list[Place], list[int]]:
    """Return places that may not have been pushed yet, and authors with outboxes; one query."""
    pending: list[Place] = []
    authors: list[int] = []
    for time, pk in rows(_WAITING.format(people=circle.sql), {"reader": reader}):
        if time is None:
            authors.append(pk)
        else:
            pending.append((micros(time), pk))
    return pending, authors


def _read(redis: Redis, name: str, reader: int, lists: list[List]) -> list[list[bytes] | None]:
    """Return the elements of each list that is ready; one round trip."""
    keys = [f"{_prefix(name)}readers", *(one.key(name) for one in lists)]
    limits = [LIFE_SECONDS, reader, settings.FEED_CACHED_READERS, _prefix(name)]
    found: list[list[bytes] | None] = scripts.READ.run(redis, keys, limits)
    return found


def _merge(pending: list[Place], lists: list[List], found: list[list[bytes] | None]) -> Known:
    """Return what is known above the highest of the floors; a video's latest place counts."""
    origin = dict.fromkeys(pending, "pending")
    floors = []
    for one, elements in zip(lists, found, strict=True):
        *entries, mark = elements or [b"F"]
        floors.append(mark[1:])
        origin |= dict.fromkeys(map(unpack, entries), one.source)
    floor = unpack(max(floors)) if any(floors) else None
    latest = {pk: (time, pk) for time, pk in sorted(origin)}
    places = sorted(latest.values(), reverse=True)
    above = {place: origin[place] for place in places if floor is None or place > floor}
    return Known(above, complete=floor is None)


@cache
def _builders() -> Pool:
    return Pool("timelines", 1)


def _prefix(name: str) -> str:
    return f"feeds:{name}:"


_OF_AUTHOR = """
SELECT published_at, id FROM videos_video
WHERE author_id = %(author)s AND published_at IS NOT NULL
ORDER BY published_at DESC, id DESC
LIMIT %(count)s
"""
# An author who has just lost their outbox may have put the latest ones only there.
_WAITING = """
SELECT published_at, video_id AS pk FROM feeds_pendingfanout WHERE author_id IN ({people})
UNION ALL
SELECT NULL, author_id FROM feeds_pullauthor
WHERE author_id IN ({people}) AND (ended_at IS NULL OR ended_at > now() - interval '1 minute')
"""
