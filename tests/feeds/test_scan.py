"""The page as a pure function: invariants 2 to 7 on a world in memory, thousands of histories."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.modes import Candidate
from feeds.paging import LARGEST_ROUND, LiveShare, Scan
from feeds.seeds import Place
from feeds.shuffle import Permutation

acts = st.tuples(st.sampled_from(["publish", "hide", "show"]), st.integers(0, 200))
reads = st.tuples(st.just("read"), st.integers(1, 12))


@dataclass
class Slots:
    """`all` in memory: which slots are live, and what one round asked for."""

    live: set[int] = field(default_factory=set)
    used: int = 0
    rounds: list[int] = field(default_factory=list)

    def act(self, name: str, which: int) -> None:
        if name == "publish":
            self.live.add(self.used)
            self.used += 1
        elif self.used:
            slot = which % self.used
            (self.live.discard if name == "hide" else self.live.add)(slot)

    def scan(self, order: Permutation, start: int, share: LiveShare) -> Scan[int]:
        def candidates(after: Place | None, count: int) -> list[Candidate]:
            first = after[0] + 1 if after else 0
            self.rounds.append(count)
            slots = order.slots(first, count)
            return [Candidate(slot, (first + i, slot)) for i, slot in enumerate(slots)]

        def live(names: Iterable[int]) -> dict[int, int]:
            return {name: name for name in names if name in self.live}

        return Scan(candidates, live, (start - 1, 0) if start else None, share)

    def page(
        self, order: Permutation, skip: int, limit: int, share: LiveShare
    ) -> tuple[list[int], int, bool]:
        scan = self.scan(order, skip, share)
        scan.top_up(limit + 1)
        kept, rest = scan.found[:limit], scan.found[limit:]
        next_skip = rest[0][0][0] if rest else max(skip, order.n)
        return [slot for _, slot in kept], next_skip, not rest


@settings(max_examples=400)
@given(
    before=st.lists(acts | st.just(("publish", 0)), max_size=150),
    during=st.lists(acts | reads | reads, max_size=60),
    seed=st.integers(0, 2**64 - 1),
)
def test_histories(before: list[tuple[str, int]], during: list[tuple[str, int]], seed: int) -> None:
    world, share = Slots(), LiveShare()
    for act in before:
        world.act(*act)
    order = Permutation(world.used, seed)
    always = set(world.live)
    seen: list[int] = []
    skip, end = 0, False
    for name, value in [*during, *[("read", 5)] * 40]:
        if name != "read":
            world.act(name, value)
            always &= world.live | (always if end else set())
            continue
        page, next_skip, now_end = world.page(order, skip, value, share)
        assert world.page(order, skip, value, LiveShare()) == (page, next_skip, now_end)
        assert set(page) <= world.live
        assert not set(page) & set(seen)
        assert now_end or (len(page) == value and next_skip > skip)
        assert not end or (now_end and not page)
        seen += page
        skip, end = next_skip, now_end
    assert end
    assert len(seen) == len(set(seen))
    assert always <= set(seen)


@settings(max_examples=200)
@given(
    used=st.integers(0, 300),
    holes=st.sets(st.integers(0, 299)),
    seed=st.integers(0, 2**64 - 1),
    cuts=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    guess=st.floats(0, 1),
)
def test_the_sequence_does_not_depend_on_limits_nor_on_the_guess(
    used: int, holes: set[int], seed: int, cuts: list[int], guess: float
) -> None:
    world = Slots(set(range(used)) - holes, used)
    order, share = Permutation(used, seed), LiveShare()
    share.value = guess
    seen: list[int] = []
    skip, end, step = 0, False, 0
    while not end:
        page, skip, end = world.page(order, skip, cuts[step % len(cuts)], share)
        seen += page
        step += 1
    assert seen == [slot for slot in order.slots(0, used) if slot in world.live]


@pytest.mark.parametrize("live", [0, 1, 20])
def test_a_desert_of_holes_is_crossed_in_few_rounds(live: int) -> None:
    used = 20_000
    world = Slots(set(range(0, used, used // live)) if live else set(), used)
    page, _, end = world.page(Permutation(used, 1), 0, 20, LiveShare())
    assert set(page) == world.live
    assert end is True
    assert len(world.rounds) < 20
    assert max(world.rounds) <= LARGEST_ROUND


def test_a_guess_of_the_holes_saves_the_second_round() -> None:
    used = 20_000
    world = Slots({slot for slot in range(used) if slot % 10}, used)
    share, skip = LiveShare(), 0
    for _ in range(100):
        _, skip, _ = world.page(Permutation(used, 1), skip, 20, share)
    assert 0.85 < share.value < 0.95
    before = len(world.rounds)
    for _ in range(100):
        _, skip, _ = world.page(Permutation(used, 1), skip, 20, share)
    assert len(world.rounds) - before < 110
