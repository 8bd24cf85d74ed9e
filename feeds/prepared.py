"""The next pages of a reader, made before they are asked for.

One hash in Redis for each reader, `next:<user>`, holds which pages were prepared, their video ids
with whom each was for, and what the reader had done to them. Everything else is looked at when it
is used: every card must be there, not marked as gone, and still be for the same people. So what
is deleted or changes its audience takes effect at once, and a page from here equals the one that
PostgreSQL would give, but for what came (back) into the order after it was prepared.

Several pages are prepared at a time, since most of what it costs is the same for one as for many.

Fields of the hash:

- `version`: random. What changes what the reader may or wants to see deletes the whole hash; a
  preparation that began before finds another version, or none, and keeps nothing.
- `acts`, and `<video id>`: how many likes and saves were given or taken back, and which of them
  was the last of that video. A page that was begun before such an act on one of its videos is not
  used. Counted and not copied, since acts are delivered in any order.
- `at`: `acts` when the pages were begun. `order`: mode, order, when the seed is too old, and
  whether the pages go to the end of the order.
- `asked0`, `asked1`, …: the requests that the pages are the answers to; the one after the last
  page is there too. A seed like that of the first is `=`.
- `page0`, …: a line for each video: id, audience, what the reader did to it; then, if it is not the
  end, what follows, without the third. `pages`: how many.
"""

import logging
import secrets
import time
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from prometheus_client import Counter

from accounts.models import User
from feeds import cards, scripts
from feeds.cards import GONE, Entry, SharedCard, ShownCard, bits_of
from feeds.options import Asked
from feeds.paging import Page, Readahead, Slice, look_ahead
from feeds.seeds import LIFETIME, Seed, resume, sign
from feeds.shelf import Shelf
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.generation import after_commit, generation
from tiktok_clone.common.redis import Redis, RedisError, client

LIFE_SECONDS = 600
# A reader of so many acts while pages are prepared loses one prepared page.
MOST_ACTS = 1000
# So many videos are prepared at a time, but no more pages than this; after the first page only
# some, as most who look in go no further.
AHEAD, MOST_PAGES, FIRST_PAGES = 480, 24, 8
# Of for-you: what is ranked later knows more of the reader.
RANKED_PAGES = 4

SAME = b"="
TO_END, GOES_ON = "end", "on"
# Beside what the reader did to a video: that from here on they have seen all before.
SEEN = 8

logger = logging.getLogger(__name__)
COUNTED = Counter(
    "loopy_feed_prepared", "Further pages asked for, by how the prepared one fitted.", ["result"]
)


class _MissError(Exception):
    """There is no prepared page that may be used; the text says why in one word."""


def take(reader: int, asked: Asked) -> Page | None:
    """Return the page that was prepared for just this request, if it still holds.

    One round trip to Redis. PostgreSQL is asked only for cards that are no longer kept.
    """
    if asked.seed is None or not settings.FEED_PREFETCH_THREADS:
        return None
    try:
        page = _take(reader, asked)
    except _MissError as miss:
        COUNTED.labels(str(miss)).inc()
        return None
    except RedisError:
        COUNTED.labels("unavailable").inc()
        return None
    COUNTED.labels("hit").inc()
    return page


def prepare(reader: int, page: Page) -> bool:
    """Make the pages after this one and keep them in place of what was prepared before.

    Returns:
        Whether they were kept: not at the end, without Redis, for an account that has ended,
        nor when something changed meanwhile.
    """
    redis, name = client(), generation()
    if redis is None or not name or page.end:
        return False
    key = _key(name, reader)
    try:
        version, acts = _begin(redis, key)
        seed, slices = _following(reader, page)
        fields = _packed(reader, page, seed, slices)
        values = [version, MOST_PAGES, LIFE_SECONDS, "at", acts, *fields]
        kept = scripts.KEEP.run(redis, [key], values)
        if kept:
            Shelf().warm([entry.video for entry in _entries(slices[0])])
    except (DomainError, RedisError, User.DoesNotExist) as error:
        logger.info("Pages were not prepared: %s", type(error).__name__)
        return False
    return bool(kept)


def warm(reader: int, page: Page) -> None:
    """Have the cards of the page after this one kept, if that page is prepared."""
    redis, name = client(), generation()
    if redis is None or not name:
        return
    try:
        slot = look(reader)
    except RedisError:
        return
    following = slot.after(page) if slot else None
    if following:
        Shelf().warm([entry.video for entry, _ in following])


def forget(*readers: int) -> None:
    """Drop what was prepared for readers when the present transaction is committed.

    For what changes which videos they may or want to see, or whom they follow.
    """
    after_commit(partial(_delete, readers))


def note_act(reader: int, *videos: int) -> None:
    """Tell of a like or save, given or taken back, when the present transaction is committed."""
    after_commit(partial(_count_acts, reader, videos))


@dataclass(frozen=True)
class Slot:
    """What was prepared for a reader, and seconds that it has to live.

    `pages` has the lines of each page by the request that it is the answer to.
    """

    mode: str
    order: str
    pages: dict[str, list[tuple[Entry, int | None]]]
    seconds: int

    @property
    def skip(self) -> int:
        """Where the first one begins."""
        return int(next(iter(self.pages)).split()[1])

    @property
    def videos(self) -> list[int]:
        """What all of them show."""
        return [
            entry.video
            for lines in self.pages.values()
            for entry, bits in lines
            if bits is not None
        ]

    def after(self, page: Page) -> list[tuple[Entry, int | None]] | None:
        """Return the lines of what follows a page, if that is prepared."""
        return self.pages.get(_asked(page.seed, page.next_skip, page.limit))


def look(reader: int) -> Slot | None:
    """Look at what was prepared for a reader; nothing is changed by it.

    Raises:
        RedisError: Redis is away.
    """
    redis, name = client(), generation()
    if redis is None or not name:
        return None
    key = _key(name, reader)
    pipe = redis.pipeline(transaction=False)
    pipe.hmget(key, ["order", *[f"asked{n}" for n in range(MOST_PAGES)]])
    pipe.hmget(key, [f"page{n}" for n in range(MOST_PAGES)])
    pipe.ttl(key)
    (order, *asked), pages, seconds = pipe.execute()
    if not order:
        return None
    mode, order, *_ = order.decode().split()
    first = asked[0].split()[0]
    held = {
        name.replace(SAME, first).decode(): _lines(page)
        for name, page in zip(asked, pages, strict=True)
        if page
    }
    return Slot(mode, order, held, seconds)


def _take(reader: int, asked: Asked) -> Page:
    redis, shelf = client(), Shelf()
    if redis is None or not shelf.generation:
        raise _MissError("unavailable")
    wanted = _asked(asked.seed, asked.skip, asked.limit)
    prefix = cards.key(shelf.generation, "")
    key = _key(shelf.generation, reader)
    result, *found = scripts.TAKE.run(redis, [key], [wanted, prefix, MOST_PAGES])
    if not found:
        raise _MissError(result.decode())
    facts, following, page, held, pages, left, cold = found
    mode, order, expires, to_end = facts.decode().split()
    if mode != asked.mode or asked.order not in (None, order):
        raise _MissError("other")
    if int(expires) <= time.time():
        raise _MissError("expired")
    lines = _lines(page)
    shared = _checked(shelf, [entry for entry, _ in lines], held)
    seed, next_skip, _ = following.decode().split()
    shown = [(entry, bits) for entry, bits in lines if bits is not None]
    ahead = lines[-1][0] if len(lines) > len(shown) else None
    return Page(
        mode=mode,
        order=order,
        seed=seed,
        skip=asked.skip,
        limit=asked.limit,
        next_skip=int(next_skip),
        end=ahead is None,
        shown=[ShownCard(entry.video, shared[entry.video], bits & ~SEEN) for entry, bits in shown],
        ahead=ahead,
        seen_from=next((n for n, (_, bits) in enumerate(shown) if bits & SEEN), None),
        readahead=Readahead(pages, left, to_end == TO_END, bool(cold)),
    )


def _checked(shelf: Shelf, wanted: list[Entry], held: list[bytes | None]) -> dict[int, SharedCard]:
    """Return the cards by id; those not kept any more come from PostgreSQL."""
    if GONE in held:
        raise _MissError("changed")
    parsed = [(entry.video, cards.parse(value)) for entry, value in zip(wanted, held, strict=True)]
    found = {pk: card for pk, card in parsed if card is not None}
    cards.COUNTED.labels("redis").inc(len(found))
    found |= shelf.fetch([pk for pk, card in parsed if card is None])
    if any(pk not in found or found[pk].audience != audience for pk, audience in wanted):
        raise _MissError("changed")
    return found


def _following(reader: int, page: Page) -> tuple[Seed, list[Slice[Entry]]]:
    """Make what follows a page, as the reader would get it."""
    most = MOST_PAGES if page.skip else FIRST_PAGES
    most = RANKED_PAGES if page.mode == "for-you" else most
    pages = max(1, min(AHEAD // page.limit, most))
    viewer = User.objects.active().get(pk=reader)
    seed = resume(page.seed, page.mode, page.order, reader, page.next_skip)
    return seed, look_ahead(viewer, seed, page.next_skip, page.limit, pages)


def _packed(reader: int, page: Page, seed: Seed, slices: list[Slice[Entry]]) -> list[str | int]:
    """Return names and values of fields."""
    bits = bits_of(reader, [entry for one in slices for entry in one.shown])
    expires = seed.made + int(LIFETIME.total_seconds())
    to_end = TO_END if slices[-1].ahead is None else GOES_ON
    fields: list[str | int] = ["order", f"{page.mode} {page.order} {expires} {to_end}"]
    fields += ["pages", len(slices), "asked0", _asked(page.seed, page.next_skip, page.limit)]
    for n, one in enumerate(slices):
        token = SAME.decode() if one.seed == seed else sign(one.seed)
        if one.seen_from is not None:
            bits[one.shown[one.seen_from].video] |= SEEN
        lines = [f"{entry.video} {entry.audience} {bits[entry.video]}" for entry in one.shown]
        lines += [f"{one.ahead.video} {one.ahead.audience}"] if one.ahead else []
        fields += [f"page{n}", "\n".join(lines)]
        fields += [f"asked{n + 1}", _asked(token, one.next_skip, page.limit)]
    return fields


def _lines(page: bytes) -> list[tuple[Entry, int | None]]:
    """Return the videos of a page that was packed; what only follows it has no bits."""
    parts = [line.split() for line in page.decode().splitlines()]
    return [
        (Entry(int(video), audience), int(bits[0]) if bits else None)
        for video, audience, *bits in parts
    ]


def _entries(one: Slice[Entry]) -> list[Entry]:
    return [*one.shown, one.ahead] if one.ahead else one.shown


def _begin(redis: Redis, key: str) -> tuple[bytes, int]:
    """Return the version, a new one where there is none, and the number of acts so far."""
    pipe = redis.pipeline()
    pipe.hsetnx(key, "version", secrets.token_hex(8))
    pipe.expire(key, LIFE_SECONDS)
    pipe.hmget(key, ["version", "acts"])
    version, acts = pipe.execute()[-1]
    return version, int(acts or 0)


def _delete(readers: tuple[int, ...], redis: Redis, name: str) -> None:
    redis.delete(*(_key(name, reader) for reader in readers))


def _count_acts(reader: int, videos: tuple[int, ...], redis: Redis, name: str) -> None:
    scripts.ACT.run(redis, [_key(name, reader)], [MOST_ACTS, *videos])


def _key(name: str, reader: int) -> str:
    return f"feeds:{name}:next:{reader}"


def _asked(seed: str | None, skip: int, limit: int) -> str:
    return f"{seed} {skip} {limit}"
