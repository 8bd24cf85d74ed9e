"""Which videos a feed may show and in which order: small objects in one dict, MODES.

A mode gives *candidates*: places of the frozen order, straight from an index, not yet
checked. `live` then leaves what the reader may see at this moment. Orders end at the
snapshot of the seed, so what is published later is in none of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import BigIntegerField, BooleanField, Exists, F, Func, OuterRef, Value
from django.db.models.expressions import RawSQL

from accounts.models import Block
from feeds import timeline
from feeds.circles import FOLLOWED, FRIENDS, Circle, rows
from feeds.recommender import sessions
from feeds.seeds import Place, Seed, micros
from feeds.shuffle import Permutation
from feeds.wishes import recommendable, wanted_by
from tiktok_clone.common.compiled import Named
from videos.models import SlotRun, Video
from videos.models.video import VideoQuerySet

if TYPE_CHECKING:
    from accounts.models.user import Viewer

_LAST_ID = 2**63 - 1


@dataclass(frozen=True)
class Candidate:
    """A place of the order; `name` is what finds the video (its slot, or its id)."""

    name: int
    place: Place


# Of videos, or what stands for them in a query that is made once.
Names = Iterable[int] | Named
# (after, count) → the next `count` candidates after a place; fewer only at the end.
Source = Callable[[Place | None, int], list[Candidate]]


class Mode(Protocol):
    """One mode in one order."""

    by_rank: bool  # `skip` is the place itself, so the token need not carry one
    name: str  # the column of videos that candidates are found by

    def source(self, seed: Seed, skip: int) -> Source:
        """Return what reads the order for one page.

        Args:
            seed: the order.
            skip: how many come before the page; only what work is saved depends on it.
        """
        ...

    def live(self, viewer: "Viewer", names: Names) -> VideoQuerySet:
        """Those of the named videos that the reader may see now, in any order."""
        ...

    def place_at(self, viewer: "Viewer", seed: Seed, skip: int) -> Place | None:
        """Return the place of number `skip` (from 1); None when the order is shorter."""
        ...

    def next_skip(self, seed: Seed, skip: int, last: Place, following: Place | None) -> int:
        """Return where the next page starts in an order by rank.

        Args:
            seed: the order.
            skip: where this page starts.
            last: its last place; the one before `skip` if it has none.
            following: the next place of which something is to be seen; None at the end.
        """
        ...

    def seen_from(self, skip: int, places: Sequence[Place]) -> int | None:
        """Return from which of a page's places on all was seen before, if that begins there."""
        ...


class ByRank:
    """What orders share that number their places from 0. A place is (rank, what the mode needs)."""

    by_rank = True

    def place_at(self, viewer: "Viewer", seed: Seed, skip: int) -> Place | None:
        """Skip counts ranks, holes included."""
        return (skip - 1, 0)

    def seen_from(self, skip: int, places: Sequence[Place]) -> int | None:
        """New and old are mixed."""
        return None


class Everybody(ByRank):
    """`all`: the permutation of the shuffle's places at the snapshot. A place is (rank, slot)."""

    name = "slot"

    def source(self, seed: Seed, skip: int) -> Source:
        """Permute the next ranks; slots of the first epoch are known without a query."""
        order = Permutation(seed.snapshot.used, seed.key)

        def candidates(after: Place | None, count: int) -> list[Candidate]:
            start = after[0] + 1 if after else 0
            slots = SlotRun.objects.slots(seed.snapshot.epoch, order.slots(start, count))
            return [Candidate(slot, (rank, slot)) for rank, slot in enumerate(slots, start)]

        return candidates

    def live(self, viewer: "Viewer", names: Names) -> VideoQuerySet:
        """By slot what everybody may see, less blocks.

        What only some may see is not in `all`, not even for them.
        """
        videos = _named(Video.objects.visible_to(None), self.name, names)
        if viewer is not None and viewer.pk is not None:
            videos = videos.exclude(Exists(Block.objects.between(viewer.pk, OuterRef("author"))))
        return wanted_by(viewer, videos)

    def next_skip(self, seed: Seed, skip: int, last: Place, following: Place | None) -> int:
        """Holes are not looked at again."""
        return following[0] if following else max(skip, seed.snapshot.used)


class OfCircle:
    """What the orders of a circle's videos share."""

    by_rank = False
    name = "id"

    def __init__(self, circle: Circle) -> None:
        self.circle = circle

    def live(self, viewer: "Viewer", names: Names) -> VideoQuerySet:
        """By id what the reader may see, friends-only videos included."""
        videos = self._of_circle(viewer, viewer.pk if viewer else None)
        return _named(videos, self.name, names)

    def next_skip(self, seed: Seed, skip: int, last: Place, following: Place | None) -> int:
        """Not asked: the token carries the place."""
        raise NotImplementedError

    def seen_from(self, skip: int, places: Sequence[Place]) -> int | None:
        """New and old are mixed."""
        return None

    def _visible(self, viewer: "Viewer", seed: Seed) -> VideoQuerySet:
        videos = self._of_circle(viewer, seed.reader)
        return videos.filter(published_at__lte=seed.snapshot.taken_at)

    def _of_circle(self, viewer: "Viewer", reader: int | None) -> VideoQuerySet:
        """What the reader may and wants to see of those who are in the circle now."""
        sql = self.circle.sql
        people = RawSQL(sql.replace("%(reader)s", "%s"), [reader] * sql.count("%(reader)s"))  # noqa: S611
        videos = Video.objects.published().visible_to(viewer)
        return wanted_by(viewer, videos).filter(author__in=people)


class Latest(OfCircle):
    """Newest first. A place is (microseconds of published_at, id).

    Times of publication are given out under the lock of one row, in the order of the
    commits (`SlotEpoch.stamp`): nothing older than the snapshot can appear later.
    """

    def source(self, seed: Seed, skip: int) -> Source:
        """Take what Redis keeps of the newest, read once; PostgreSQL has the rest."""
        known = timeline.newest(self.circle, seed.reader, skip)
        start = (micros(seed.snapshot.taken_at), _LAST_ID)

        def candidates(after: Place | None, count: int) -> list[Candidate]:
            before = after or start
            found, older = known.before(before, count), []
            if len(found) < count and not known.complete:
                before = found[-1] if found else before
                older = self.circle.newest(seed.reader, before, count - len(found))
            known.count(found, len(older))
            return [Candidate(place[1], place) for place in found + older]

        return candidates

    def place_at(self, viewer: "Viewer", seed: Seed, skip: int) -> Place | None:
        """Count from the newest, as the order stands now."""
        rows = self._visible(viewer, seed).order_by("-published_at", "-id")
        found = rows.values_list("published_at", "pk")[skip - 1 : skip]
        return next(((micros(time), pk) for time, pk in found if time), None)


class Shuffled(OfCircle):
    """By a keyed hash of the id. A place is (hash, id).

    Hashed is the id and not the slot, since what is for friends only has none. The
    candidates are read from the index over (author, published_at, id) alone, and a heap of
    the page's size sorts them: the cost is one index entry for each video of the circle,
    whatever the size of the table or the page's place.
    """

    def source(self, seed: Seed, skip: int) -> Source:
        """Find the next smallest hashes."""

        def candidates(after: Place | None, count: int) -> list[Candidate]:
            after_hash, after_id = after or (-(2**63), -1)
            values = {
                "reader": seed.reader,
                "key": seed.signed_key,
                "taken_at": seed.snapshot.taken_at,
                "after": after_hash,
                "after_id": after_id,
                "count": count,
            }
            found = rows(_HASHED.format(people=self.circle.sql), values)
            return [Candidate(pk, (value, pk)) for value, pk in found]

        return candidates

    def place_at(self, viewer: "Viewer", seed: Seed, skip: int) -> Place | None:
        """Count from the smallest hash, as the order stands now."""
        hashed: Any = Func(
            F("pk"),
            Value(seed.signed_key),
            function="hashint8extended",
            output_field=BigIntegerField(),
        )
        rows = self._visible(viewer, seed).annotate(hashed=hashed).order_by("hashed", "pk")
        return next(iter(rows.values_list("hashed", "pk")[skip - 1 : skip]), None)


_HASHED = """
SELECT hashed, id
FROM (
    SELECT hashint8extended(video.id, %(key)s) AS hashed, video.id
    FROM videos_video AS video
    WHERE video.author_id IN ({people}) AND video.published_at <= %(taken_at)s
) AS candidate
WHERE (hashed, id) > (%(after)s, %(after_id)s)
ORDER BY hashed, id
LIMIT %(count)s
"""


class ForYou(ByRank):
    """`for-you`: what is ranked for the reader.

    A place is (rank, the rank from which on all was seen before); the latter is _LAST_ID where the
    video is new.
    """

    name = "id"

    def source(self, seed: Seed, skip: int) -> Source:
        """Take what is ranked already; the order is extended where the page goes beyond."""

        def candidates(after: Place | None, count: int) -> list[Candidate]:
            start = after[0] + 1 if after else 0
            order = sessions.order_of(seed, start, count)
            seen_from = _LAST_ID if order.seen_from is None else order.seen_from
            return [
                Candidate(pk, (rank, seen_from if rank >= seen_from else _LAST_ID))
                for rank, pk in enumerate(order.ids[start : start + count], start)
            ]

        return candidates

    def live(self, viewer: "Viewer", names: Names) -> VideoQuerySet:
        """By id what may be recommended to the reader."""
        return _named(recommendable(viewer), self.name, names)

    def next_skip(self, seed: Seed, skip: int, last: Place, following: Place | None) -> int:
        """Right after the last: so a page knows by its start whether the seen begin on it."""
        if following:
            return last[0] + 1
        return max(skip, sessions.length(seed))

    def seen_from(self, skip: int, places: Sequence[Place]) -> int | None:
        """No page before this one had any of them."""
        found = (number for number, (_, first) in enumerate(places) if skip <= first < _LAST_ID)
        return next(found, None)


MODES: dict[str, dict[str, Mode]] = {
    "for-you": {"ranked": ForYou()},
    "all": {"shuffle": Everybody()},
    "following": {"shuffle": Shuffled(FOLLOWED), "latest": Latest(FOLLOWED)},
    "friends": {"shuffle": Shuffled(FRIENDS), "latest": Latest(FRIENDS)},
}


def _named(videos: VideoQuerySet, column: str, names: Names) -> VideoQuerySet:
    """Leave those whose number in a column is one of the names; one parameter for all of them."""
    given: Any = names if isinstance(names, Named) else list(names)
    found = RawSQL(f"videos_video.{column} = ANY(%s)", [given], output_field=BooleanField())  # noqa: S611
    return videos.filter(found)
