"""The order of a seed of for-you: stretches of ranked ids, each frozen when it is first needed.

A stretch is a row in PostgreSQL that begins where the one before ends, and a unique constraint on
its beginning lets one of those win who extend an order at the same time. What is stored never
changes: likes, models and videos that come meanwhile show in the stretches after. Redis keeps a
copy of the ids; a lost or an older one only costs a query.

Only whoever takes back what the feed goes by ends their orders (`end_orders`): the stretches are
deleted, and a seed that has none is refused (`seeds.resume`).
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from accounts.models import User
from feeds.models import FeedSession
from feeds.recommender import candidates
from feeds.recommender.ranking import Ranked, rank
from feeds.seeds import LIFETIME, Seed, ended, stretches_of
from tiktok_clone.common.generation import generation
from tiktok_clone.common.redis import RedisError, client
from videos.models import Video

# Places that are ranked at once: more are staler when they are read, fewer cost more often.
STRETCH = 60
# Of what was seen before nothing is ranked, and of places that a reader jumps to nothing neither.
LONG_STRETCH = 2000
JUMP = 300
# A stretch is made behind an answer when fewer places than this are left; three pages of 20.
AHEAD = 60
CACHED_SECONDS = 3600
# What can bring a video to a place.
SOURCES = ("taste", "tag", "creator", "followed", "popular", "fresh", "explored", "seen")
SERVED = Counter(
    "loopy_feed_for_you", "Places of for-you that were served, by what brought them.", ["source"]
)


@dataclass(frozen=True)
class Order:
    """What is ranked of an order so far.

    Attributes:
        ids: by place.
        seen_from: place from which on all was seen before; None while there is something new.
        ended: nothing comes after `ids`, ever.
    """

    ids: tuple[int, ...] = ()
    seen_from: int | None = None
    ended: bool = False


def order_of(seed: Seed, start: int, count: int) -> Order:
    """Return an order that has `count` places from `start` on, or all that there are.

    Where it is shorter it is extended first; it then takes as long as a first page does.
    """
    wanted = start + count
    # At the beginning nobody has looked whether the order that was copied has been ended.
    order = _cached(seed) if start else None
    if order is None or not _reaches(order, wanted):
        order = stored(seed)
        if not _reaches(order, wanted) and not _is_beyond_all(order, start):
            order = _extended(seed, order, wanted)
        _remember(seed, order)
    return order


def length(seed: Seed) -> int:
    """Return how many places an order has of which the end was reached."""
    order = _cached(seed)
    if order is None or not order.ended:
        order = stored(seed)
    return len(order.ids)


def stored(seed: Seed) -> Order:
    """Return what PostgreSQL has of an order; one query."""
    rows = stretches_of(seed).order_by("start")
    return _joined(rows.values_list("start", "ids", "seen", "last"))


def extend_ahead(seed: Seed, place: int) -> None:
    """Rank the stretch after next, if the reader comes near the end of what there is."""
    if stretches_of(seed).exists():
        order_of(seed, place, AHEAD)


def end_orders(reader: User) -> None:
    """Have no order of a reader go on; the caller has locked the account.

    Who asks for the next page is told to refresh, and no reason for a place is told any more.
    """
    FeedSession.objects.filter(reader=reader).delete()


def count_served(seed: Seed, videos: Collection[int]) -> None:
    """Count by source what was served of an order; one query, to be asked behind the answer."""
    served = set(videos)
    rows = stretches_of(seed).filter(ids__overlap=list(served))
    for ids, places, seen in rows.values_list("ids", "places", "seen"):
        for number, pk in enumerate(ids):
            if pk in served:
                SERVED.labels(_source(places, number, seen)).inc()


def _source(places: list[dict[str, Any]], number: int, seen: bool) -> str:
    if seen:
        return "seen"
    return str(places[number]["source"]) if places else "fresh"


def forget_old_sessions() -> int:
    """Delete the orders of seeds that have expired. Returns how many stretches."""
    old = timezone.now() - LIFETIME - timedelta(hours=1)
    return FeedSession.objects.filter(created_at__lt=old).delete()[0]


def _reaches(order: Order, wanted: int) -> bool:
    return order.ended or len(order.ids) >= wanted


def _is_beyond_all(order: Order, start: int) -> bool:
    """Whether there cannot be so many videos: a client's own number need not be counted up to."""
    if start < len(order.ids) + JUMP:
        return False
    last = Video.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return start > last + len(order.ids)


def _extended(seed: Seed, order: Order, wanted: int) -> Order:
    reader = User.objects.get(pk=seed.reader)
    is_new_left, begun = True, bool(order.ids)
    while not _reaches(order, wanted):
        is_new_left = is_new_left and order.seen_from is None
        stretch = _next(reader, seed, order, wanted) if is_new_left else None
        # One that is not full has taken all that is new.
        is_new_left = stretch is not None and len(stretch.ids) >= STRETCH
        if not _insert(reader, seed, len(order.ids), stretch or _seen(reader, seed, order)):
            reader, is_new_left = User.objects.get(pk=seed.reader), True
        # Read, not added up: somebody else may have been the one.
        order = stored(seed)
        if begun and not order.ids:
            raise ended()
        begun = bool(order.ids)
    return order


@dataclass(frozen=True)
class _Stretch:
    ids: list[int]
    places: list[dict[str, Any]]
    seen: bool
    last: bool = False


def _next(reader: User, seed: Seed, order: Order, wanted: int) -> _Stretch | None:
    """Return what comes next of what is new, None when there is nothing new left."""
    if wanted - len(order.ids) > JUMP:
        ids = candidates.newest(reader, seed, order.ids, LONG_STRETCH)
        return _Stretch(ids, [], seen=False) if ids else None
    ranked = rank_next(reader, seed, order)
    if not ranked:
        return None
    return _Stretch([one.video for one in ranked], [_told(one) for one in ranked], seen=False)


def _seen(reader: User, seed: Seed, order: Order) -> _Stretch:
    ids = candidates.seen_longest_ago(reader, seed, order.ids, LONG_STRETCH)
    return _Stretch(ids, [], seen=True, last=len(ids) < LONG_STRETCH)


def rank_next(reader: User, seed: Seed, order: Order, count: int = STRETCH) -> list[Ranked]:
    """Rank what may come after an order, from all sources; nothing is stored."""
    found = candidates.gather(reader, seed, order.ids)
    return rank(
        found.videos,
        count,
        seed.key,
        len(order.ids),
        before=found.before,
        alike=found.alike,
    )


def _told(one: Ranked) -> dict[str, Any]:
    """What is kept of why a video stands at its place."""
    terms = [[term.name, term.value, term.because] for term in one.terms]
    return {"source": one.source, "score": one.score, "terms": terms}


@transaction.atomic
def _insert(reader: User, seed: Seed, start: int, stretch: _Stretch) -> bool:
    """Store a stretch unless there is one; returns whether what the reader allows is as it was.

    The row refers to the account, so whoever inserts it waits for somebody who ends the orders.
    """
    row = FeedSession(
        reader_id=seed.reader, seed=seed.signed_key, made=seed.made, start=start, **vars(stretch)
    )
    FeedSession.objects.bulk_create([row], ignore_conflicts=True)
    as_it_was = {"profiling": reader.profiling, "taste_since": reader.taste_since}
    if User.objects.filter(pk=reader.pk, **as_it_was).exists():
        return True
    transaction.set_rollback(True)
    return False


def _joined(rows: Iterable[tuple[int, list[int], bool, bool]]) -> Order:
    ids: list[int] = []
    seen_from, ended = None, False
    for start, stretch, seen, last in rows:
        ids += stretch
        ended = ended or last
        if seen and seen_from is None:
            seen_from = start
    return Order(tuple(ids), seen_from, ended)


def _cached(seed: Seed) -> Order | None:
    redis, name = client(), generation()
    if redis is None or not name:
        return None
    try:
        held: Any = redis.get(_redis_key(name, seed))
    except RedisError:
        return None
    if held is None:
        return None
    ids, seen_from, ended = json.loads(held)
    return Order(tuple(ids), seen_from, ended)


def _remember(seed: Seed, order: Order) -> None:
    """Keep a copy when what was stored is committed."""
    transaction.on_commit(partial(_write, seed, order), robust=True)


def _write(seed: Seed, order: Order) -> None:
    redis, name = client(), generation()
    if redis is None or not name or not order.ids:
        return
    value = json.dumps([order.ids, order.seen_from, order.ended], separators=(",", ":"))
    try:
        redis.set(_redis_key(name, seed), value, ex=CACHED_SECONDS)
    except RedisError:
        return


def _redis_key(name: str, seed: Seed) -> str:
    return f"feeds:{name}:session:{seed.reader}:{seed.key:x}:{seed.made}"
