"""The next page of a reader, made before it is asked for.

One hash in Redis for each reader, `next:<user>`, holds which page was prepared, its video ids
with whom each was for, and what the reader had done to them. Everything else is looked at when it
is used: every card must be there, not marked as gone, and still be for the same people. So what
is deleted or changes its audience takes effect at once, and a page from here equals the one that
PostgreSQL would give, but for what came (back) into the order after it was prepared.

Fields of the hash:

- `version`: random. What changes what the reader may or wants to see deletes the whole hash; a
  preparation that began before finds another version, or none, and keeps nothing.
- `acts`, and `<video id>`: how many likes and saves were given or taken back, and which of them
  was the last of that video. A page that was begun before such an act on one of its videos is not
  used. Counted and not copied, since acts are delivered in any order.
- `asked`, `ids`, `page`, `at`: what the page is the answer to, its ids, the rest of it, and
  `acts` when it was begun.
"""

import json
import logging
import secrets
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from prometheus_client import Counter

from accounts.models import User
from feeds import cards
from feeds.cards import GONE, SharedCard, Shelf, ShownCard
from feeds.options import Asked
from feeds.paging import Page, make_page
from feeds.seeds import LIFETIME, Seed, resume
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.generation import after_commit, generation
from tiktok_clone.common.redis import Redis, RedisError, client
from videos.models import Video

LIFE_SECONDS = 600
# A reader of so many acts while pages are prepared loses one prepared page.
MOST_ACTS = 1000

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
    """Make the page after this one and keep it in place of what was prepared before.

    Returns:
        Whether it was kept: not at the end, without Redis, for an account that has ended,
        nor when something changed meanwhile.
    """
    redis, name = client(), generation()
    if redis is None or not name or page.end:
        return False
    hash_key = _key(name, reader)
    try:
        version, acts = _begin(redis, hash_key)
        seed, following = _following(reader, page)
        slot = [_asked(page.seed, page.next_skip, page.limit), *_packed(seed, following)]
        kept = redis.register_script(_KEEP)([hash_key], [version, acts, LIFE_SECONDS, *slot])
    except (DomainError, RedisError, User.DoesNotExist) as error:
        logger.info("A page was not prepared: %s", type(error).__name__)
        return False
    return bool(kept)


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
    """What was prepared for a reader: the page after `skip`, and seconds that it has to live."""

    mode: str
    order: str
    skip: int
    videos: list[int]
    acts: int
    seconds: int


def look(reader: int) -> Slot | None:
    """Look at what was prepared for a reader; nothing is changed by it.

    Raises:
        RedisError: Redis is away.
    """
    redis, name = client(), generation()
    if redis is None or not name:
        return None
    hash_key = _key(name, reader)
    pipe = redis.pipeline(transaction=False)
    pipe.hmget(hash_key, ["asked", "ids", "page", "acts"])
    pipe.ttl(hash_key)
    (asked, ids, page, acts), seconds = pipe.execute()
    if not asked:
        return None
    rest = json.loads(page)
    videos = [int(pk) for pk in ids.split()][: len(rest["shown"])]
    skip = int(asked.split()[-2])
    return Slot(rest["mode"], rest["order"], skip, videos, int(acts or 0), seconds)


def _take(reader: int, asked: Asked) -> Page:
    redis, shelf = client(), Shelf()
    if redis is None or not shelf.generation:
        raise _MissError("unavailable")
    wanted = _asked(asked.seed, asked.skip, asked.limit)
    script = redis.register_script(_TAKE)
    prefix = cards.key(shelf.generation, "")
    result, *found = script([_key(shelf.generation, reader)], [wanted, prefix])
    if found == []:
        raise _MissError(result.decode())
    slot = json.loads(found[0])
    if slot["mode"] != asked.mode or asked.order not in (None, slot["order"]):
        raise _MissError("other")
    if slot["expires"] <= time.time():
        raise _MissError("expired")
    entries = [*slot["shown"], *([slot["ahead"]] if slot["ahead"] else [])]
    shared = _checked(shelf, [(pk, audience) for pk, audience, *_ in entries], found[1])
    return Page(
        mode=slot["mode"],
        order=slot["order"],
        seed=slot["seed"],
        skip=asked.skip,
        limit=asked.limit,
        next_skip=slot["next_skip"],
        end=slot["ahead"] is None,
        shown=[ShownCard(pk, shared[pk], bits) for pk, _, bits in slot["shown"]],
        ahead=tuple(slot["ahead"]) if slot["ahead"] else None,
        seen_from=slot["seen_from"],
    )


def _checked(
    shelf: Shelf, wanted: list[tuple[int, str]], held: list[bytes | None]
) -> dict[int, SharedCard]:
    """Return the cards by id; those not kept any more come from PostgreSQL."""
    if GONE in held:
        raise _MissError("changed")
    parsed = {pk: cards.parse(value) for (pk, _), value in zip(wanted, held, strict=True)}
    found = {pk: card for pk, card in parsed.items() if card is not None}
    cards.COUNTED.labels("redis").inc(len(found))
    if missing := parsed.keys() - found.keys():
        rows = Video.objects.published().filter(pk__in=missing).select_related("author")
        found |= shelf.load(list(rows))
    if any(pk not in found or found[pk].audience != audience for pk, audience in wanted):
        raise _MissError("changed")
    return found


def _following(reader: int, page: Page) -> tuple[Seed, Page]:
    """Make the page after one, as the reader would get it."""
    person = User.objects.active().get(pk=reader)
    seed = resume(page.seed, page.mode, page.order, reader, page.next_skip)
    return seed, make_page(person, seed, page.next_skip, page.limit)


def _packed(seed: Seed, page: Page) -> tuple[str, str]:
    """Return the ids to look for, and the rest of a page."""
    shown = [(card.video, card.shared.audience, card.bits) for card in page.shown]
    ids = [pk for pk, *_ in shown] + ([page.ahead[0]] if page.ahead else [])
    rest = {
        "mode": page.mode,
        "order": page.order,
        "seed": page.seed,
        "next_skip": page.next_skip,
        "expires": seed.made + LIFETIME.total_seconds(),
        "shown": shown,
        "ahead": page.ahead,
        "seen_from": page.seen_from,
    }
    return " ".join(map(str, ids)), json.dumps(rest, separators=(",", ":"))


def _begin(redis: Redis, hash_key: str) -> tuple[bytes, int]:
    """Return the version, a new one where there is none, and the number of acts so far."""
    pipe = redis.pipeline()
    pipe.hsetnx(hash_key, "version", secrets.token_hex(8))
    pipe.expire(hash_key, LIFE_SECONDS)
    pipe.hmget(hash_key, ["version", "acts"])
    version, acts = pipe.execute()[-1]
    return version, int(acts or 0)


def _delete(readers: tuple[int, ...], redis: Redis, name: str) -> None:
    redis.delete(*(_key(name, reader) for reader in readers))


def _count_acts(reader: int, videos: tuple[int, ...], redis: Redis, name: str) -> None:
    redis.register_script(_ACT)([_key(name, reader)], [MOST_ACTS, *videos])


def _key(name: str, reader: int) -> str:
    return f"feeds:{name}:next:{reader}"


def _asked(seed: str | None, skip: int, limit: int) -> str:
    return f"{seed} {skip} {limit}"


# The keys of the cards follow from the hash, so all keys have to be on one server.
_TAKE: Any = """
local held = redis.call('HMGET', KEYS[1], 'asked', 'ids', 'page', 'at')
if not held[1] then return {'absent'} end
if held[1] ~= ARGV[1] then return {'other'} end
local ids, keys = {}, {}
for id in string.gmatch(held[2], '%d+') do
  ids[#ids + 1] = id
  keys[#keys + 1] = ARGV[2] .. id
end
if #ids == 0 then return {'found', held[3], {}} end
for _, act in ipairs(redis.call('HMGET', KEYS[1], unpack(ids))) do
  if act and tonumber(act) > tonumber(held[4]) then return {'acted'} end
end
return {'found', held[3], redis.call('MGET', unpack(keys))}
"""
_KEEP: Any = """
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'at', ARGV[2], 'asked', ARGV[4], 'ids', ARGV[5], 'page', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
_ACT: Any = """
if redis.call('EXISTS', KEYS[1]) == 0 then return end
local acts = redis.call('HINCRBY', KEYS[1], 'acts', 1)
if acts > tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
for i = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], acts) end
"""
