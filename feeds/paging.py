"""A page: a slice of a frozen order, topped up until it is full or the order is at its end."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Generic, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField
from django.db.models.functions import MD5, Left

from accounts.models import User
from feeds.cards import DIGEST_LENGTH, Entry, SharedCard, ShownCard, audience, show
from feeds.modes import MODES, Mode, Source
from feeds.seeds import Place, Seed, sign
from feeds.shelf import Shelf
from feeds.shuffle import overfetch
from feeds.wishes import any_reader
from tiktok_clone.common.compiled import Compiled, Named, bigints
from videos.representation import Card

if TYPE_CHECKING:
    from accounts.models.user import Viewer

# The most places that one round looks at.
LARGEST_ROUND = 4000
# More pages are prepared when only a third of them is left.
LOW_SHARE = 3
Row = TypeVar("Row")


@dataclass(frozen=True)
class Readahead:
    """Of a page that was prepared: how many were prepared together, and how many follow it.

    `to_end` says that the last of them is the last of the order, `cold` that cards of the next one
    are missing.
    """

    pages: int = 0
    left: int = 0
    to_end: bool = False
    cold: bool = False

    @property
    def is_low(self) -> bool:
        """Whether more should be prepared now, so that a quick reader does not overtake that."""
        return not self.to_end and self.left <= max(1, self.pages // LOW_SHARE)


NOTHING_PREPARED = Readahead()


@dataclass(frozen=True)
class Page:
    """What a feed request answers. `seed` and `next_skip` are what to ask for next.

    `ahead` is what makes it not the end: the first video of the next page.
    """

    mode: str
    order: str
    seed: str
    skip: int
    limit: int
    next_skip: int
    end: bool
    shown: list[ShownCard]
    ahead: Entry | None
    # From which of `shown` on the reader has seen all before, on the page where that begins.
    seen_from: int | None = None
    readahead: Readahead = field(default=NOTHING_PREPARED, compare=False)

    @cached_property
    def results(self) -> list[Card]:
        """The cards for templates."""
        return [card.as_dict() for card in self.shown]


class LiveShare:
    """How many of the places looked at lately were live: a guess that only saves rounds.

    The sequence never depends on it, so each process keeps its own.
    """

    WEIGHT = 0.1

    def __init__(self) -> None:
        self.value = 1.0

    def learn(self, live: int, asked: int) -> None:
        """Move the guess a little towards what was found."""
        if asked:
            self.value += self.WEIGHT * (live / asked - self.value)


class Scan(Generic[Row]):
    """Reads an order from a place on and keeps what is live. Pure but for the two functions.

    Args:
        candidates: reads the order.
        live: names → rows by name, of those that may be shown now.
        after: where to start; None for the beginning.
        share: the guess of how many are live.
    """

    def __init__(
        self,
        candidates: Source,
        live: Callable[[Iterable[int]], dict[int, Row]],
        after: Place | None,
        share: LiveShare,
    ) -> None:
        self.found: list[tuple[Place, Row]] = []
        self.at_end = False
        self._candidates = candidates
        self._live = live
        self._names: dict[Place, int] = {}
        self._after = after
        self._share = share

    def top_up(self, wanted: int) -> None:
        """Look further until `wanted` are found or the order is at its end."""
        least = 0
        while len(self.found) < wanted and not self.at_end:
            count = overfetch(wanted - len(self.found), self._share.value)
            count = min(max(count, least), LARGEST_ROUND)
            self._round(count)
            least = count * 2  # a stretch of holes is crossed in few rounds

    def look_again(self, places: Collection[Place]) -> None:
        """Read what was found at some places anew; what is live no more is dropped."""
        rows = self._live([self._names[place] for place in places])
        fresh = [
            (place, rows.get(self._names[place]) if place in places else row)
            for place, row in self.found
        ]
        self.found = [(place, row) for place, row in fresh if row is not None]

    def _round(self, count: int) -> None:
        batch = self._candidates(self._after, count)
        rows = self._live([candidate.name for candidate in batch]) if batch else {}
        self._share.learn(len(rows), len(batch))
        self.found += [(one.place, rows[one.name]) for one in batch if one.name in rows]
        self._names |= {one.place: one.name for one in batch}
        self.at_end = len(batch) < count
        if batch:
            self._after = batch[-1].place


_shares: dict[Mode, LiveShare] = {
    mode: LiveShare() for orders in MODES.values() for mode in orders.values()
}


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """A page's part of an order: what is shown, what follows first, and the order from there."""

    shown: list[Row]
    ahead: Row | None
    next_skip: int
    seed: Seed
    seen_from: int | None = None


def make_page(viewer: "Viewer", seed: Seed, skip: int, limit: int) -> Page:
    """Return the page of an order at a place, as the reader may see it now.

    Args:
        viewer: the reader whom the seed was made for, or nobody.
        seed: the order; where its own place is at `skip`, that is where the page starts.
        skip: any number from 0; past the end it gives an empty page.
        limit: how many, from 1.
    """
    shelf = Shelf()
    scan = _scan(viewer, seed, skip)
    # One more than the page tells whether this is the end.
    cards = _fill(scan, shelf, limit + 1) if scan else {}
    part = _slices(seed, skip, limit, scan, 1)[0]
    shown = {entry.video: cards[entry.video] for entry in part.shown}
    return Page(
        mode=seed.mode,
        order=seed.order,
        seed=sign(part.seed),
        skip=skip,
        limit=limit,
        next_skip=part.next_skip,
        end=part.ahead is None,
        shown=show(shown, viewer.pk if viewer else None),
        ahead=part.ahead,
        seen_from=part.seen_from,
    )


def look_ahead(viewer: User, seed: Seed, skip: int, limit: int, pages: int) -> list[Slice[Entry]]:
    """Return what the next pages show, at most so many and at least one, without their cards.

    One scan for all of them: a fraction of the cost of that many pages.

    Args:
        viewer: the reader whom the seed was made for.
    """
    scan = _scan(viewer, seed, skip)
    if scan:
        scan.top_up(pages * limit + 1)
    return _slices(seed, skip, limit, scan, pages)


def _scan(viewer: "Viewer", seed: Seed, skip: int) -> Scan[Entry] | None:
    """Return what reads the order from a place on; None past its end."""
    mode = MODES[seed.mode][seed.order]
    beyond, after = _start(mode, viewer, seed, skip)
    if beyond:
        return None
    reader = viewer.pk if viewer else None
    mutes_words = isinstance(viewer, User) and viewer.mutes_words
    listing = _listing(seed.mode, seed.order, is_known=reader is not None, mutes_words=mutes_words)
    return Scan(mode.source(seed, skip), partial(_entries, listing, reader), after, _shares[mode])


def _entries(listing: Compiled, reader: int | None, names: Iterable[int]) -> dict[int, Entry]:
    """Return what the reader may see now, by name; one query."""
    found = listing.rows(reader=reader, names=bigints(names))
    return {
        name: Entry(pk, audience(author, says, visibility, is_private=is_private))
        for name, pk, author, says, visibility, is_private in found
    }


@cache
def _listing(mode_name: str, order: str, *, is_known: bool, mutes_words: bool) -> Compiled:
    mode = MODES[mode_name][order]
    reader = any_reader(mutes_words=mutes_words) if is_known else None
    videos = mode.live(reader, Named("names", ArrayField(BigIntegerField())))
    says = Left(MD5("caption"), DIGEST_LENGTH)
    columns = (mode.name, "pk", "author", says, "visibility", "author__is_private")
    return Compiled(videos.values_list(*columns))


def _slices(
    seed: Seed, skip: int, limit: int, scan: Scan[Row] | None, most: int
) -> list[Slice[Row]]:
    """Cut what was found into pages, at most so many and at least one."""
    if scan is None:
        return [Slice([], None, skip, seed.moved(skip, None, ended=True))]
    mode = MODES[seed.mode][seed.order]
    slices: list[Slice[Row]] = []
    rest = scan.found
    while not slices or (rest and len(slices) < most):
        kept, rest = rest[:limit], rest[limit:]
        seen_from = mode.seen_from(skip, [place for place, _ in kept])
        if mode.by_rank:
            last = kept[-1][0] if kept else (skip - 1, 0)
            skip = mode.next_skip(seed, skip, last, rest[0][0] if rest else None)
        else:
            skip += len(kept)
            seed = seed.moved(skip, kept[-1][0] if kept else None, ended=not rest)
        ahead = rest[0][1] if rest else None
        slices.append(Slice([row for _, row in kept], ahead, skip, seed, seen_from))
    return slices


def _fill(scan: Scan[Entry], shelf: Shelf, wanted: int) -> dict[int, SharedCard]:
    """Top up until `wanted` have cards.

    What was deleted while we read is dropped; what has changed meanwhile is looked at again.
    """
    while True:
        scan.top_up(wanted)
        found = scan.found[:wanted]
        cards = shelf.cards([entry for _, entry in found])
        gone = {place for place, entry in found if entry.video not in cards}
        changed = {
            place
            for place, (pk, audience) in found
            if pk in cards and cards[pk].audience != audience
        }
        if not gone and not changed:
            return cards
        scan.found = [one for one in scan.found if one[0] not in gone]
        scan.look_again(changed)


def _start(mode: Mode, viewer: "Viewer", seed: Seed, skip: int) -> tuple[bool, Place | None]:
    """Return whether the page is past the end, and the place that it comes after."""
    if skip == seed.skip and not mode.by_rank and skip:
        return seed.ended, seed.place
    if skip == 0:
        return seed.ended and seed.skip == 0, None
    place = mode.place_at(viewer, seed, skip)
    return place is None, place
