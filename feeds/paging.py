"""A page: a slice of a frozen order, topped up until it is full or the order is at its end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from feeds.cards import SharedCard, Shelf, ShownCard, show
from feeds.modes import MODES, Mode, Source
from feeds.seeds import Place, Seed, sign
from feeds.shuffle import overfetch
from videos.models import Video
from videos.representation import Card

if TYPE_CHECKING:
    from accounts.models.user import Viewer

# The most places that one round looks at.
LARGEST_ROUND = 4000
Row = TypeVar("Row")


@dataclass(frozen=True)
class Page:
    """What a feed request answers. `seed` and `next_skip` are what to ask for next.

    `ahead` is what makes it not the end: the first video of the next page, and its audience.
    """

    mode: str
    order: str
    seed: str
    skip: int
    limit: int
    next_skip: int
    end: bool
    shown: list[ShownCard]
    ahead: tuple[int, str] | None
    # From which of `shown` on the reader has seen all before, on the page where that begins.
    seen_from: int | None = None

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

    def _round(self, count: int) -> None:
        batch = self._candidates(self._after, count)
        rows = self._live([candidate.name for candidate in batch]) if batch else {}
        self._share.learn(len(rows), len(batch))
        self.found += [(one.place, rows[one.name]) for one in batch if one.name in rows]
        self.at_end = len(batch) < count
        if batch:
            self._after = batch[-1].place


_shares: dict[Mode, LiveShare] = {
    mode: LiveShare() for orders in MODES.values() for mode in orders.values()
}


def make_page(viewer: "Viewer", seed: Seed, skip: int, limit: int) -> Page:
    """Return the page of an order at a place, as the reader may see it now.

    Args:
        viewer: the reader whom the seed was made for, or nobody.
        seed: the order; where its own place is at `skip`, that is where the page starts.
        skip: any number from 0; past the end it gives an empty page.
        limit: how many, from 1.
    """
    shelf = Shelf()
    mode = MODES[seed.mode][seed.order]
    beyond, after = _start(mode, viewer, seed, skip)
    if beyond:
        return _page(seed.moved(skip, None, ended=True), skip, limit, skip, [], None)
    scan: Scan[Video] = Scan(
        mode.source(seed, skip),
        lambda names: mode.live(viewer, names),
        after,
        _shares[mode],
    )
    # One more than the page tells whether this is the end.
    cards = _fill(scan, shelf, limit + 1)
    kept, rest = scan.found[:limit], scan.found[limit:]
    shown = show({video.pk: cards[video.pk] for _, video in kept}, viewer.pk if viewer else None)
    ahead = (rest[0][1].pk, cards[rest[0][1].pk].audience) if rest else None
    if mode.by_rank:
        last = kept[-1][0] if kept else (skip - 1, 0)
        next_skip = mode.next_skip(seed, skip, last, rest[0][0] if rest else None)
    else:
        place = kept[-1][0] if kept else None
        next_skip = skip + len(kept)
        seed = seed.moved(next_skip, place, ended=not rest)
    seen_from = mode.seen_from(skip, [place for place, _ in kept])
    page = _page(seed, skip, limit, next_skip, shown, ahead)
    return replace(page, seen_from=seen_from)


def _fill(scan: Scan[Video], shelf: Shelf, wanted: int) -> dict[int, SharedCard]:
    """Top up until `wanted` have cards; what was deleted while we read is dropped."""
    while True:
        scan.top_up(wanted)
        cards = shelf.cards([video for _, video in scan.found[:wanted]])
        gone = [entry for entry in scan.found[:wanted] if entry[1].pk not in cards]
        if not gone:
            return cards
        scan.found = [entry for entry in scan.found if entry not in gone]


def _start(mode: Mode, viewer: "Viewer", seed: Seed, skip: int) -> tuple[bool, Place | None]:
    """Return whether the page is past the end, and the place that it comes after."""
    if skip == seed.skip and not mode.by_rank and skip:
        return seed.ended, seed.place
    if skip == 0:
        return seed.ended and seed.skip == 0, None
    place = mode.place_at(viewer, seed, skip)
    return place is None, place


def _page(
    seed: Seed,
    skip: int,
    limit: int,
    next_skip: int,
    shown: list[ShownCard],
    ahead: tuple[int, str] | None,
) -> Page:
    return Page(
        mode=seed.mode,
        order=seed.order,
        seed=sign(seed),
        skip=skip,
        limit=limit,
        next_skip=next_skip,
        end=ahead is None,
        shown=shown,
        ahead=ahead,
    )
