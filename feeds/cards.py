"""The cards of a page: what everybody sees of each video, kept ready, and each reader's part.

What all readers share is kept in Redis under `card:<video>`: a line that says who may see it,
then its JSON without the last two braces. What depends on the reader goes in there, so that a
page is put together from bytes alone.

Whatever changes a card, or who may see it, puts a *gone* mark in its place when it is committed
(`drop`), and cards are never written over anything. A card ends at a moment that is fixed before
the database is read for it, and a mark outlives each card that was begun before it. So who read
the database before the change cannot bring the old card back, however late what they send is read.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from prometheus_client import Counter

from tiktok_clone.common.compiled import bigints
from tiktok_clone.common.generation import after_commit, generation, renew
from tiktok_clone.common.redis import Redis, client
from videos.models import Video, Visibility
from videos.representation import Card

LIKED, SAVED, FOLLOWING = 1, 2, 4
GONE = b""
DIGEST_LENGTH = 8
# A mark stays for so many seconds longer than a card: clocks may differ by as much.
CLOCK_SECONDS = 5
# Marks are put in chunks; an author of more videos than the most begins a new generation.
CHUNK, MOST = 500, 5000
# So many acts a second may drop a card, so that their counts show at once.
COUNTED_A_SECOND = 5

COUNTED = Counter("loopy_feed_cards", "Cards of feed pages, by where they were found.", ["found"])


class SharedCard(NamedTuple):
    """A card but for the reader's part.

    `audience` is the author's id, a digest of the caption, since people mute words, and if it is
    not for everybody the visibility and whether the account is private: two cards of a video with
    the same one are for the same people, as long as nobody's relations and wishes change.
    """

    audience: str
    json: bytes

    @property
    def author(self) -> int:
        """Id of the author."""
        return int(self.audience.partition(":")[0])


class Entry(NamedTuple):
    """A video in an order, and whom it is for, as `SharedCard.audience` says it."""

    video: int
    audience: str

    @property
    def author(self) -> int:
        """Id of the author."""
        return int(self.audience.partition(":")[0])


class ShownCard(NamedTuple):
    """A card as one reader sees it: `bits` of LIKED, SAVED, FOLLOWING; None for visitors."""

    video: int
    shared: SharedCard
    bits: int | None

    @property
    def json(self) -> bytes:
        """The whole card."""
        return self.shared.json + _TAILS[self.bits]

    def as_dict(self) -> Card:
        """The whole card for templates."""
        card: Card = json.loads(self.json)
        return card


def audience_of(video: Video) -> str:
    """Say whom a published video is for; its author is loaded."""
    caption = hashlib.md5(video.caption.encode(), usedforsecurity=False).hexdigest()
    says = caption[:DIGEST_LENGTH]
    return audience(video.author_id, says, video.visibility, is_private=video.author.is_private)


def audience(author: int, says: str, visibility: str, *, is_private: bool) -> str:
    """Say whom a video is for; shortest where it is for everybody, as most are.

    Args:
        author: id of a person.
        says: the first DIGEST_LENGTH digits of the caption's MD5, as PostgreSQL gives it as well.
        visibility: of the video.
        is_private: whether the author's account is.
    """
    if visibility == Visibility.PUBLIC and not is_private:
        return f"{author}:{says}"
    return f"{author}:{says}:{visibility}:{'private' if is_private else 'open'}"


def show(cards: Mapping[int, SharedCard], reader: int | None) -> list[ShownCard]:
    """Add the reader's part to cards by video id: one query, none for nobody (None)."""
    if reader is None:
        return [ShownCard(pk, card, None) for pk, card in cards.items()]
    bits = bits_of(reader, [Entry(pk, card.audience) for pk, card in cards.items()])
    return [ShownCard(pk, card, bits[pk]) for pk, card in cards.items()]


def bits_of(reader: int, entries: Iterable[Entry]) -> dict[int, int]:
    """Return LIKED, SAVED and FOLLOWING of a reader for each video; one query."""
    authors = {entry.video: entry.author for entry in entries}
    if not authors:
        return {}
    values: dict[str, Any] = {
        "reader": reader,
        "videos": bigints(authors),
        "authors": bigints(authors.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BITS, values)
        return dict(cursor.fetchall())


_BITS = f"""
SELECT entry.video,
    {LIKED} * EXISTS (SELECT FROM videos_like AS mine
                WHERE mine.user_id = %(reader)s AND mine.video_id = entry.video)::int
    + {SAVED} * EXISTS (SELECT FROM videos_save AS mine
                WHERE mine.user_id = %(reader)s AND mine.video_id = entry.video)::int
    + {FOLLOWING} * EXISTS (SELECT FROM accounts_follow AS mine
                WHERE mine.follower_id = %(reader)s AND mine.followee_id = entry.author)::int
FROM unnest(%(videos)s::bigint[], %(authors)s::bigint[]) AS entry (video, author)
"""  # noqa: S608


def look(videos: Sequence[Video]) -> dict[int, str]:
    """Say where a page would find the card of each video: "card", "gone" or "database".

    Raises:
        RedisError: Redis is away.
    """
    redis, name = client(), generation()
    if redis is None or not name or not videos:
        return {video.pk: "database" for video in videos}
    held: Any = redis.mget([key(name, video.pk) for video in videos])
    return {video.pk: _found(video, value) for video, value in zip(videos, held, strict=True)}


def _found(video: Video, held: bytes | None) -> str:
    if held == GONE:
        return "gone"
    card = parse(held)
    fits = card is not None and card.audience == audience_of(video)
    return "card" if fits else "database"


def key(name: str, video: object) -> str:
    """The key of a card in a generation."""
    return f"feeds:{name}:card:{video}"


def parse(held: bytes | None) -> SharedCard | None:
    """Return the card that a value in Redis is; None for a mark, or for nothing."""
    if not held:
        return None
    audience, _, body = held.partition(b"\n")
    return SharedCard(audience.decode(), body)


def drop(*videos: int) -> None:
    """Put marks in the place of cards when the present transaction is committed."""
    after_commit(partial(_mark, videos))


def drop_all_of(author: int) -> None:
    """The same with all cards of an author."""
    after_commit(partial(_mark_all_of, author))


def recount(video: int) -> None:
    """Have counts that an act has changed shown at once, when the present transaction is committed.

    A few times a second for each card: what many like at the same moment is kept nevertheless.
    """
    after_commit(partial(_forget_counts, video))


def _forget_counts(video: int, redis: Redis, name: str) -> None:
    card = key(name, video)
    redis.eval(_FORGET_COUNTS, 2, card, f"{card}:counted", COUNTED_A_SECOND)


def _mark(videos: Iterable[int], redis: Redis, name: str) -> None:
    pipe = redis.pipeline(transaction=False)
    for pk in videos:
        pipe.set(key(name, pk), GONE, ex=settings.FEED_CARD_SECONDS + CLOCK_SECONDS)
    pipe.execute()


def _mark_all_of(author: int, redis: Redis, name: str) -> None:
    rows = Video.objects.filter(author=author).order_by()
    ids = list(rows.values_list("pk", flat=True)[: MOST + 1])
    if len(ids) > MOST:
        renew()
        return
    for start in range(0, len(ids), CHUNK):
        _mark(ids[start : start + CHUNK], redis, name)


# A mark stays; a card goes, unless it has gone often in this second.
_FORGET_COUNTS = """
local times = redis.call('INCR', KEYS[2])
if times == 1 then redis.call('EXPIRE', KEYS[2], 1) end
if times <= tonumber(ARGV[1]) and redis.call('GET', KEYS[1]) ~= '' then
  redis.call('DEL', KEYS[1])
end
"""


def _tail(bits: int) -> bytes:
    following, liked, saved = (
        b"true" if bits & bit else b"false" for bit in (FOLLOWING, LIKED, SAVED)
    )
    return b',"following":%b},"liked":%b,"saved":%b}' % (following, liked, saved)


_TAILS: dict[int | None, bytes] = {None: b"}}"} | {bits: _tail(bits) for bits in range(8)}
