"""Where a page takes its cards from: Redis, or PostgreSQL, from where they are kept for the next.

While Redis is away, each process keeps what it made for a few seconds (`AT_HAND`). No mark gets
there; but pages are then listed by PostgreSQL, and a card for others than it says is not used.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db.models import prefetch_related_objects

from feeds import cards
from feeds.cards import Entry, SharedCard, audience_of
from tiktok_clone.common.generation import generation
from tiktok_clone.common.redis import RedisError, client
from videos.models import Video
from videos.models.video import card_parts
from videos.representation import Card, represent_video

# Where cards are kept while Redis is away, and for how long their counts lag then.
AT_HAND, AT_HAND_SECONDS = "at_hand", 3


class Shelf:
    """Where one page takes its cards from; to be made before the database is read for it.

    What is read is kept under the generation of that moment, for some time from that moment on:
    a change that is committed meanwhile puts a mark there that stays for longer, or begins another
    generation.
    """

    def __init__(self) -> None:
        self.generation = generation()
        self._until = int(time.time()) + settings.FEED_CARD_SECONDS
        self._where = "redis"

    def cards(self, entries: Sequence[Entry]) -> dict[int, SharedCard]:
        """Return the cards by id, kept or made; a video that is not published any more gets none.

        A kept card for other people than the entry says is not used: only the entry was checked.
        One that is made may be for others, where the video has changed since.
        """
        found = {}
        held = self._read([entry.video for entry in entries])
        for entry, value in zip(entries, held, strict=True):
            card = cards.parse(value)
            if card is not None and card.audience == entry.audience:
                found[entry.video] = card
        cards.COUNTED.labels(self._where).inc(len(found))
        return found | self.fetch([entry.video for entry in entries if entry.video not in found])

    def warm(self, ids: list[int]) -> None:
        """Have the cards of published videos kept, so that the next reader finds them."""
        held = zip(ids, self._read(ids), strict=True)
        missing = [pk for pk, value in held if value is None]
        self.fetch(missing)

    def fetch(self, ids: list[int]) -> dict[int, SharedCard]:
        """Make cards from PostgreSQL, by id, and keep them; four queries."""
        if not ids:
            return {}
        rows = Video.objects.published().filter(pk__in=ids)
        return self.load(list(rows.select_related("author")))

    def load(self, videos: Sequence[Video]) -> dict[int, SharedCard]:
        """Make cards of published videos, their authors loaded, and keep them.

        One without files any more was deleted, and gets none.
        """
        if not videos:
            return {}
        prefetch_related_objects(videos, *card_parts())
        represented = {video: represent_video(video) for video in videos}
        made = {
            video.pk: SharedCard(audience_of(video), _open_json(card))
            for video, card in represented.items()
            if card["sources"]
        }
        cards.COUNTED.labels("postgresql").inc(len(made))
        self._keep(made)
        return made

    def _read(self, ids: list[int]) -> list[bytes | None]:
        redis = client()
        if redis is None or not self.generation:
            return self._read_at_hand(ids)
        try:
            held: Any = redis.mget([cards.key(self.generation, pk) for pk in ids]) if ids else []
        except RedisError:
            return self._read_at_hand(ids)
        return list(held)

    def _read_at_hand(self, ids: list[int]) -> list[bytes | None]:
        self._where = AT_HAND
        held = caches[AT_HAND].get_many(ids)
        return [held.get(pk) for pk in ids]

    def _keep(self, made: Mapping[int, SharedCard]) -> None:
        redis = client()
        values = {pk: card.audience.encode() + b"\n" + card.json for pk, card in made.items()}
        if redis is None or not self.generation:
            caches[AT_HAND].set_many(values, AT_HAND_SECONDS)
            return
        pipe = redis.pipeline(transaction=False)
        for pk, value in values.items():
            pipe.set(cards.key(self.generation, pk), value, nx=True, exat=self._until)
        try:
            pipe.execute()
        except RedisError:
            caches[AT_HAND].set_many(values, AT_HAND_SECONDS)


def _open_json(card: Card) -> bytes:
    """The card with its author last, without the braces that end both."""
    author = card.pop("author")
    text = json.dumps(card | {"author": author}, ensure_ascii=False, separators=(",", ":"))
    return text.encode()[:-2]
