"""Which videos a feed may show and in which order: small objects in one dict, MODES.

A mode gives *candidates*: places of the frozen order, straight from an index, not yet
checked. `live` then leaves what the reader may see at this moment. Orders end at the
snapshot of the seed, so what is published later is in none of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.db import connection
from django.db.models import BigIntegerField, Exists, F, Func, OuterRef, QuerySet, Value
from django.db.models.expressions import RawSQL

from accounts.models import Block
from feeds.models import NotInterested
from feeds.seeds import Place, Seed, micros, moment
from feeds.shuffle import Permutation
from videos.models import SlotRun, Video
from videos.models.video import VideoQuerySet

if TYPE_CHECKING:
    from accounts.models.user import Viewer

# Up to so many people, the newest of each are read and merged; above, PostgreSQL walks
# down the index over time and leaves out what others posted.
MERGED_PEOPLE = 200
_LAST_ID = 2**63 - 1


def wanted_by(viewer: "Viewer", videos: VideoQuerySet) -> VideoQuerySet:
    """Leave out what the reader said no to, and the people whom they mute.

    It is asked when a page is made, so it holds at once, for seeds of before too.
    """
    if viewer is None or viewer.pk is None:
        return videos
    refused = NotInterested.objects.filter(user=viewer.pk, video=OuterRef("pk"))
    return videos.not_muted_by(viewer).exclude(Exists(refused))


@dataclass(frozen=True)
class Candidate:
    """A place of the order; `name` is what finds the video (its slot, or its id)."""

    name: int
    place: Place


class Mode(Protocol):
    """One mode in one order."""

    by_rank: bool  # `skip` is the place itself, so the token need not carry one

    def candidates(
        self, viewer: "Viewer", seed: Seed, after: Place | None, count: int
    ) -> list[Candidate]:
        """Return the next `count` candidates after a place; fewer only at the end."""
        ...

    def live(self, viewer: "Viewer", names: Iterable[int]) -> dict[int, Video]:
        """Return those that the reader may see now, by name, authors loaded; one query."""
        ...

    def place_at(self, viewer: "Viewer", seed: Seed, skip: int) -> Place | None:
        """Return the place of number `skip` (from 1); None when the order is shorter."""
        ...


class Everybody:
    """`all`: the permutation of the shuffle's places at the snapshot. A place is (rank, slot)."""

    by_rank = True

    def candidates(
        self, viewer: "Viewer", seed: Seed, after: Place | None, count: int
    ) -> list[Candidate]:
        """Permute the next ranks; slots of the first epoch are known without a query."""
        start = after[0] + 1 if after else 0
        places = Permutation(seed.snapshot.used, seed.key).slots(start, count)
        slots = SlotRun.objects.slots(seed.snapshot.epoch, places)
        return [Candidate(slot, (rank, slot)) for rank, slot in enumerate(slots, start)]

    def live(self, viewer: "Viewer", names: Iterable[int]) -> dict[int, Video]:
        """Fetch by slot what everybody may see, less blocks.

        What only some may see is not in `all`, not even for them.
        """
        videos = Video.objects.visible_to(None).filter(slot__in=list(names))
        if viewer is not None and viewer.pk is not None:
            videos = videos.exclude(Exists(Block.objects.between(viewer.pk, OuterRef("author"))))
        videos = wanted_by(viewer, videos).select_related("author")
        return {video.slot: video for video in videos if video.slot is not None}

    def place_at(self, viewer: "Viewer", seed: Seed, skip: int) -> Place | None:
        """Skip counts ranks, holes included."""
        return (skip - 1, 0)


@dataclass(frozen=True)
class Circle:
    """Some people around a reader: SQL for their ids, with %(reader)s."""

    sql: str

    def some(self, reader: int, count: int) -> list[int]:
        """Return the ids of at most `count` of them."""
        rows = _rows(f"{self.sql} LIMIT %(count)s", {"reader": reader, "count": count})
        return [row[0] for row in rows]


FOLLOWED = Circle("SELECT followee_id FROM accounts_follow WHERE follower_id = %(reader)s")
FRIENDS = Circle(
    "SELECT high_id FROM accounts_friendship WHERE low_id = %(reader)s"
    " UNION ALL SELECT low_id FROM accounts_friendship WHERE high_id = %(reader)s"
)


class OfCircle:
    """What the orders of a circle's videos share."""

    by_rank = False

    def __init__(self, circle: Circle) -> None:
        self.circle = circle

    def live(self, viewer: "Viewer", names: Iterable[int]) -> dict[int, Video]:
        """Fetch by id what the reader may see, friends-only videos included."""
        videos = Video.objects.published().visible_to(viewer).filter(pk__in=list(names))
        videos = wanted_by(viewer, videos).select_related("author")
        return {video.pk: video for video in videos}

    def _visible(self, viewer: "Viewer", seed: Seed) -> QuerySet[Video]:
        people = RawSQL(self.circle.sql.replace("%(reader)s", "%s"), [seed.reader] * self._readers)  # noqa: S611
        videos = Video.objects.published().visible_to(viewer)
        return wanted_by(viewer, videos).filter(
            author__in=people, published_at__lte=seed.snapshot.taken_at
        )

    @property
    def _readers(self) -> int:
        return self.circle.sql.count("%(reader)s")


class Latest(OfCircle):
    """Newest first. A place is (microseconds of published_at, id).

    Times of publication are given out under the lock of one row, in the order of the
    commits (`SlotEpoch.stamp`): nothing older than the snapshot can appear later.
    """

    def candidates(
        self, viewer: "Viewer", seed: Seed, after: Place | None, count: int
    ) -> list[Candidate]:
        """Merge the newest of each, or walk down the index over time when they are many."""
        people = self.circle.some(seed.reader, MERGED_PEOPLE + 1)
        before, before_id = after or (micros(seed.snapshot.taken_at), _LAST_ID)
        values = {
            "reader": seed.reader,
            "people": people,
            "before": moment(before),
            "before_id": before_id,
            "count": count,
        }
        sql = _MERGE if len(people) <= MERGED_PEOPLE else _WALK.format(people=self.circle.sql)
        return [Candidate(pk, (micros(time), pk)) for time, pk in _rows(sql, values)]

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

    def candidates(
        self, viewer: "Viewer", seed: Seed, after: Place | None, count: int
    ) -> list[Candidate]:
        """Return the next smallest hashes."""
        after_hash, after_id = after or (-(2**63), -1)
        values = {
            "reader": seed.reader,
            "key": _signed(seed.key),
            "taken_at": seed.snapshot.taken_at,
            "after": after_hash,
            "after_id": after_id,
            "count": count,
        }
        rows = _rows(_HASHED.format(people=self.circle.sql), values)
        return [Candidate(pk, (value, pk)) for value, pk in rows]

    def place_at(self, viewer: "Viewer", seed: Seed, skip: int) -> Place | None:
        """Count from the smallest hash, as the order stands now."""
        hashed: Any = Func(
            F("pk"),
            Value(_signed(seed.key)),
            function="hashint8extended",
            output_field=BigIntegerField(),
        )
        rows = self._visible(viewer, seed).annotate(hashed=hashed).order_by("hashed", "pk")
        return next(iter(rows.values_list("hashed", "pk")[skip - 1 : skip]), None)


_MERGE = """
SELECT newest.published_at, newest.id
FROM unnest(%(people)s::bigint[]) AS person (id)
CROSS JOIN LATERAL (
    SELECT video.published_at, video.id
    FROM videos_video AS video
    WHERE video.author_id = person.id
      AND (video.published_at, video.id) < (%(before)s, %(before_id)s)
    ORDER BY video.published_at DESC, video.id DESC
    LIMIT %(count)s
) AS newest
ORDER BY newest.published_at DESC, newest.id DESC
LIMIT %(count)s
"""
_WALK = """
SELECT video.published_at, video.id
FROM videos_video AS video
WHERE video.author_id IN ({people})
  AND (video.published_at, video.id) < (%(before)s, %(before_id)s)
ORDER BY video.published_at DESC, video.id DESC
LIMIT %(count)s
"""
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

MODES: dict[str, dict[str, Mode]] = {
    "all": {"shuffle": Everybody()},
    "following": {"shuffle": Shuffled(FOLLOWED), "latest": Latest(FOLLOWED)},
    "friends": {"shuffle": Shuffled(FRIENDS), "latest": Latest(FRIENDS)},
}


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _signed(key: int) -> int:
    return key - 2**64 if key >= 2**63 else key
