"""The invariants of every mode and order, over random histories on a real database.

While a reader scrolls by echoing what pages return, others publish, hide, show, delete,
turn private; the reader follows, unfollows, blocks. Numbers are those of the contract.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feeds.models import FeedSession
from feeds.options import read_options, seed_of
from feeds.paging import Page, make_page
from feeds.recommender import sessions
from tests.feeds.scroll import ORDERS
from tests.feeds.worlds import PEOPLE, World, histories, moving, told_by
from tiktok_clone.common import signing
from videos.models import SlotEpoch

pytestmark = pytest.mark.django_db
every_order = pytest.mark.parametrize(("mode", "order"), ORDERS)
integers = st.none() | st.integers(-(2**63), 2**64)


@pytest.fixture(autouse=True)
def _rows_that_are_always_there() -> None:
    """Made outside of the transactions that each example rolls back."""
    signing.current_epoch()
    SlotEpoch.objects.current()


@dataclass
class Reader:
    """Scrolls one order, and checks every page against the world as it is at that moment."""

    world: World
    mode: str
    order: str
    integer: int | None = None
    seen: list[int] = field(default_factory=list)
    page: Page | None = None

    def ask(self, limit: int) -> Page:
        """Fetch the next page as a client would."""
        options: dict[str, Any] = {"mode": self.mode, "order": self.order, "limit": limit}
        if self.page is not None:
            options |= {"seed": self.page.seed, "skip": self.page.next_skip}
        elif self.integer is not None:
            options["seed"] = self.integer
        reader = self.world.reader
        asked = read_options({name: str(value) for name, value in options.items()})
        return make_page(reader, seed_of(asked, reader.pk), asked.skip, asked.limit)

    def read(self, limit: int) -> Page:
        """Read one page and check what must hold for each."""
        before = self.page
        page = self.ask(limit)
        if before is not None or self.integer is not None:
            assert told_by(self.ask(limit)) == told_by(page), (
                "5: same seed, skip and data, another page"
            )
        videos = [card["id"] for card in page.results]
        assert len(videos) <= limit
        assert page.end or (len(videos) == limit and page.next_skip > page.skip), "6"
        assert page.next_skip >= page.skip
        if before is not None and before.end:
            assert page.end, "6: the end is absorbing"
            assert videos == []
        assert set(videos) <= self.world.visible(self.mode), "4: not to be seen"
        assert not set(videos) & set(self.seen), "2: twice"
        assert len(set(videos)) == len(videos), "2: twice in one page"
        if self.order == "latest":
            assert videos == sorted(videos, reverse=True)
        self.seen += videos
        self.page = page
        return page

    def finish(self, limit: int = 3) -> None:
        """Read to the end."""
        while not self.read(limit).end:
            pass


@every_order
@settings(max_examples=20)
@given(before=histories, during=histories, integer=integers)
@example(
    # The last of a page goes, and comes back, while the reader is past it.
    before=[("follow", 0, 1), *[("publish", 0, 1)] * 6],
    during=[("read", 3, 0), ("hide", 0, 3), ("read", 1, 0), ("show", 0, 3), ("read", 2, 0)],
    integer=None,
)
@example(
    # What is new, and what a new followee posted before, comes between two pages.
    before=[("follow", 0, 1), *[("publish", 0, 1), ("publish", 1, 1)] * 4],
    during=[("read", 3, 0), ("publish", 0, 1), ("follow", 1, 1), ("read", 3, 0)],
    integer=7,
)
def test_histories(
    mode: str, order: str, before: list[Any], during: list[Any], integer: int | None
) -> None:
    with transaction.atomic():
        world = World.create()
        for n in range(PEOPLE):
            world.act("follow", n, n)
            world.act("publish", n, n)
        for act in before:
            if act[0] != "read":
                world.act(*act)
        reader = Reader(world, mode, order, integer)
        reader.read(1)
        always = world.visible(mode) | set(reader.seen)
        for name, who, which in during:
            if name == "read":
                reader.read(who)
            else:
                world.act(name, who, which)
            if not reader.page or not reader.page.end:
                always &= world.visible(mode)
        while not reader.read(3).end:
            pass
        assert always <= set(reader.seen), "3: live all the time, and not served"
        reader.read(5)
        transaction.set_rollback(True)


@settings(max_examples=8)
@given(during=moving, integer=integers)
@example(
    # Half of a stretch is read; then taste, a model and the clips themselves change.
    during=[
        ("like", 0, 0), ("learn", 0, 1), ("read", 3, 0), ("like", 0, 5), ("learn", 0, 2),
        ("watch", 0, 9), ("delete", 1, 1), ("report", 2, 0), ("read", 4, 0), ("learn", 0, 4),
        ("publish", 0, 1), ("read", 7, 0), ("watch", 0, 2), ("read", 6, 0),
    ],
    integer=5,
)  # fmt: skip
def test_for_you_over_many_stretches_while_taste_moves(
    during: list[Any], integer: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stretch is ranked by another taste; still nothing comes twice and nothing is lost."""
    monkeypatch.setattr(sessions, "STRETCH", 5)
    monkeypatch.setattr(sessions.rank_next, "__defaults__", (5,))
    monkeypatch.setattr(sessions, "LONG_STRETCH", 5)
    with transaction.atomic():
        world = World.create()
        for n in range(6 * PEOPLE):
            world.act("publish", n % PEOPLE, 1)
        reader = Reader(world, "for-you", "ranked", integer)
        reader.read(1)
        always = world.visible("for-you") | set(reader.seen)
        for name, who, which in during:
            if name == "read":
                reader.read(who)
            else:
                world.act(name, who, which)
            if not reader.page or not reader.page.end:
                always &= world.visible("for-you")
        reader.finish()
        assert always <= set(reader.seen), "3: live all the time, and not served"
        assert reader.read(5).results == []
        assert FeedSession.objects.count() > 3, "else no stretch was crossed"
        transaction.set_rollback(True)


@every_order
@settings(max_examples=10)
@given(
    history=histories,
    seed=st.integers(0, 2**64 - 1),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=12),
)
def test_the_sequence_does_not_depend_on_limits_nor_on_the_cache(
    mode: str, order: str, history: list[Any], seed: int, cuts: list[int]
) -> None:
    """7 and 8: one order, cut in two ways, and with the cache emptied on the way."""
    with transaction.atomic():
        world = World.create()
        for n in range(PEOPLE):
            world.act("follow", n, 1)
        for act in [("publish", n % PEOPLE, n) for n in range(15)] + history:
            if act[0] != "read":
                world.act(*act)
        whole = Reader(world, mode, order, seed)
        whole.read(50)
        cut = Reader(world, mode, order, seed)
        step = 0
        while not (cut.page and cut.page.end):
            cut.read(cuts[step % len(cuts)])
            cache.clear()
            step += 1
        assert cut.seen == whole.seen
        assert set(whole.seen) == world.visible(mode)
        transaction.set_rollback(True)
