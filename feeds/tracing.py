"""What each feed would serve a reader at this moment, and where each piece of it comes from.

For administrators. To look changes nothing: the pages are made from PostgreSQL, which gives the
same sequence as all caches do, and what is cached is then only read.
"""

from dataclasses import dataclass, field

from accounts.models import User
from feeds import cards, prepared, timeline
from feeds.circles import FOLLOWED, FRIENDS, Circle
from feeds.paging import make_page
from feeds.prepared import Slot
from feeds.recommender import sessions
from feeds.recommender.ranking import Term
from feeds.recommender.sessions import Order
from feeds.seeds import micros, new_seed
from feeds.timeline import State
from tiktok_clone.common.generation import generation
from tiktok_clone.common.redis import RedisError, breaker, client, left_alone
from videos.models import Video

LIMIT = 20
# Beside for-you; what a list in Redis may be of comes with its circle.
ORDERS: dict[str, tuple[str, str, Circle | None]] = {
    # title: mode, order, circle
    "All": ("all", "shuffle", None),
    "Following": ("following", "latest", FOLLOWED),
    "Following, shuffled": ("following", "shuffle", None),
    "Friends": ("friends", "latest", FRIENDS),
    "Friends, shuffled": ("friends", "shuffle", None),
}


@dataclass(frozen=True)
class Piece:
    """A video of a page: where its place was found, and where its card was.

    In for-you, the place is what brought it there, and `terms` are the parts of its `score`.
    """

    video: Video
    place: str
    card: str
    score: float | None = None
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Feed:
    """A page: the first one of a mode, or all that is prepared."""

    title: str
    order: str
    pieces: list[Piece]
    end: bool


@dataclass(frozen=True)
class Trace:
    """All that there is to see of a reader's feeds.

    `cached_as` is the reader's place among those whose timelines are kept, from 1; `redis` says
    how Redis is: "up", "away" or "not set".
    """

    feeds: list[Feed]
    redis: str
    generation: str
    lists: list[State] = field(default_factory=list)
    cached_as: int | None = None
    slot: Slot | None = None


def trace(reader: User) -> Trace:
    """Look at a reader's feeds; costs some queries for each mode and three round trips."""
    name = generation()
    with left_alone():
        pages = {title: _videos(reader, mode, order) for title, (mode, order, _) in ORDERS.items()}
        ranked = _ranked(reader)
    if client() is None:
        return Trace([ranked, *_feeds(reader, pages, [], cached=False)], "not set", name)
    try:
        states, rank = timeline.look(name, reader.pk)
        slot = prepared.look(reader.pk)
        feeds = [*_prepared(slot), ranked, *_feeds(reader, pages, states, cached=True)]
    except RedisError:
        return Trace([ranked, *_feeds(reader, pages, [], cached=False)], "away", name)
    cached_as = None if rank is None else rank + 1
    stage = "away" if breaker.is_open else "up"
    return Trace(feeds, stage, name, states, cached_as, slot)


def _ranked(reader: User) -> Feed:
    """The first places of a new seed in for-you, with what made them; no order is begun for it."""
    ranked = sessions.rank_next(reader, new_seed("for-you", "ranked", reader.pk), Order(), LIMIT)
    rows = Video.objects.select_related("author").in_bulk([one.video for one in ranked])
    pieces = [
        Piece(rows[one.video], one.source, "", one.score, one.terms)
        for one in ranked
        if one.video in rows
    ]
    return Feed("For you", "ranked", pieces, end=False)


def _videos(reader: User, mode: str, order: str) -> tuple[list[Video], bool]:
    page = make_page(reader, new_seed(mode, order, reader.pk), 0, LIMIT)
    ids = [card.video for card in page.shown]
    rows = Video.objects.select_related("author").in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows], page.end


def _feeds(
    reader: User, pages: dict[str, tuple[list[Video], bool]], states: list[State], *, cached: bool
) -> list[Feed]:
    feeds = []
    for title, (_, order, circle) in ORDERS.items():
        videos, end = pages[title]
        places = timeline.sources(circle, reader.pk, states) if circle and states else {}
        held = cards.look(videos) if cached else {}
        pieces = [
            Piece(
                video,
                places.get((micros(video.published_at), video.pk), "database")
                if video.published_at
                else "database",
                held.get(video.pk, "database"),
            )
            for video in videos
        ]
        feeds.append(Feed(title, order, pieces, end))
    return feeds


def _prepared(slot: Slot | None) -> list[Feed]:
    """What waits for the reader."""
    if slot is None:
        return []
    rows = Video.objects.select_related("author").in_bulk(slot.videos)
    videos = [rows[pk] for pk in slot.videos if pk in rows]
    held = cards.look(videos)
    pieces = [Piece(video, "prefetch", held[video.pk]) for video in videos]
    title = f"Prepared: {slot.mode}, after {slot.skip}"
    return [Feed(title, slot.order, pieces, end=False)]
