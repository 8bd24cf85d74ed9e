"""Scores and orders of for-you, by themselves."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.recommender.ranking import (
    EXPLORED_ONE_IN,
    MOST_OF_A_CREATOR,
    MOST_OF_A_TAG,
    TERMS,
    WEIGHTS,
    WINDOW,
    Found,
    Ranked,
    Trial,
    is_explored,
    rank,
)

KEY = 7
unit = st.floats(0, 1)
trials = st.builds(Trial, st.integers(0, 199), st.integers(0, 300), unit)
candidates = st.builds(
    Found,
    video=st.integers(1, 500),
    author=st.integers(1, 6),
    tags=st.frozensets(st.integers(1, 5), max_size=3),
    features=st.dictionaries(st.sampled_from(TERMS[:7]), unit),
    trial=st.none() | trials,
)
lists = st.lists(candidates, max_size=60, unique_by=lambda one: one.video)


def one(video: int, author: int | None = None, **features: float) -> Found:
    """A candidate, of an author of its own unless told."""
    return Found(video, video if author is None else author, features=features)


def videos(order: list[Ranked]) -> list[int]:
    return [place.video for place in order]


def not_explored(count: int) -> int:
    """A key that explores none of the first places."""
    return next(key for key in range(10**6) if not any(is_explored(key, n) for n in range(count)))


@settings(max_examples=60)
@given(found=lists, count=st.integers(1, 70), key=st.integers(0, 2**64 - 1))
def test_each_comes_once_and_the_terms_add_up_to_the_score(
    found: list[Found], count: int, key: int
) -> None:
    order = rank(found, count, key)
    assert len(set(videos(order))) == len(order) == min(count, len(found))
    assert set(videos(order)) <= {candidate.video for candidate in found}
    for place in order:
        assert place.score == pytest.approx(sum(term.value for term in place.terms), abs=1e-9)
    assert rank(found[::-1], count, key) == order, "the order of what is found must not matter"


@pytest.mark.parametrize("name", TERMS[:6])
def test_every_feature_lifts(name: str) -> None:
    found = [one(1), one(2, **{name: 0.5}), one(3)]
    best = rank(found, 1, not_explored(1))[0]
    assert (best.video, best.source) == (2, name)
    assert best.score == pytest.approx(0.5 * getattr(WEIGHTS, name))


def test_what_is_near_the_refused_sinks() -> None:
    found = [one(1, popular=0.5), one(2, popular=0.6, unlike=0.5), one(3, popular=0.1)]
    assert videos(rank(found, 3, not_explored(3))) == [1, 3, 2]


def test_what_resembles_the_last_ones_waits() -> None:
    found = [one(1, taste=1), one(2, taste=0.9), one(3, taste=0.8)]
    assert videos(rank(found, 3, not_explored(3))) == [1, 2, 3]
    assert videos(rank(found, 3, not_explored(3), alike=[(2, 1, 1.0)])) == [1, 3, 2]
    tagged = [replace(candidate, tags=frozenset({candidate.video // 3})) for candidate in found]
    assert videos(rank(tagged, 3, not_explored(3))) == [1, 3, 2]


@settings(max_examples=60)
@given(found=lists, key=st.integers(0, 2**64 - 1))
def test_a_rule_is_broken_only_where_nothing_obeys_it(found: list[Found], key: int) -> None:
    before = [(1, frozenset({1}))] * 3
    order = rank(found, 100, key, before=before)
    placed = [*before, *((place.author, place.tags) for place in order)]
    left = {candidate.video: candidate for candidate in found}

    def broken(author: int, tags: frozenset[int], recent: list[Any]) -> tuple[bool, bool, bool]:
        used = Counter(tag for _, theirs in recent for tag in theirs)
        by = Counter(who for who, _ in recent)
        return (
            recent[-1][0] == author,
            by[author] >= MOST_OF_A_CREATOR,
            any(used[tag] >= MOST_OF_A_TAG for tag in tags),
        )

    for number, place in enumerate(order):
        recent = placed[: number + 3][-(WINDOW - 1) :]
        mine = broken(place.author, place.tags, recent)
        explored = place.terms and place.terms[0].name == "explored"
        others = [
            broken(other.author, other.tags, recent)
            for other in left.values()
            if not explored or other.trial
        ]
        assert mine <= min(others)
        del left[place.video]


def test_a_creator_comes_at_most_twice_in_ten_and_never_twice_in_a_row() -> None:
    found = [one(100 * author + n, author, taste=1 / author) for author in range(1, 9)
             for n in range(8)]  # fmt: skip
    authors = [place.author for place in rank(found, 30, KEY)]
    assert all(here != following for here, following in pairwise(authors))
    for start in range(21):
        assert max(Counter(authors[start : start + 10]).values()) <= 2
    assert authors[0] == 1, "the best comes first nevertheless"


class TestExploration:
    """One place of ten is for what is not known yet."""

    def found(self, **trial: Any) -> list[Found]:
        known = [one(n, popular=1) for n in range(1, 200)]
        return known + [
            replace(one(1000 + n, fresh=0.1), trial=Trial(10, trial.get(str(n), 1), 0.05))
            for n in range(20)
        ]

    def test_the_seed_says_which_places(self) -> None:
        for key in range(50):
            places = [place for place in range(1000) if is_explored(key, place)]
            assert [place // EXPLORED_ONE_IN for place in places] == list(range(100))
        assert len({tuple(is_explored(key, n) for n in range(100)) for key in range(50)}) == 50

    def test_one_place_of_ten_is_explored(self) -> None:
        order = rank(self.found(), 100, KEY)
        explored = [place for place in order if place.source == "explored"]
        assert len(explored) == 10
        assert all(place.video >= 1000 for place in explored)

    def test_the_same_seed_explores_the_same(self) -> None:
        assert rank(self.found(), 60, KEY) == rank(self.found(), 60, KEY)
        assert videos(rank(self.found(), 60, KEY)) != videos(rank(self.found(), 60, KEY + 1))

    def test_what_does_well_comes_up_more_often_and_the_others_now_and_then(self) -> None:
        first = Counter(
            next(
                place.video
                for place in rank(self.found(**{"3": 5}), 10, key)
                if place.source == "explored"
            )
            for key in range(200)
        )
        assert first[1003] > 60
        assert len(first) > 5

    def test_the_prior_counts_where_nobody_has_seen_it(self) -> None:
        found = [replace(one(n), trial=Trial(0, 0, 0.5 if n == 3 else 0.02)) for n in range(1, 9)]
        wins = sum(rank(found, 1, key)[0].video == 3 for key in range(400) if is_explored(key, 0))
        assert wins > 15


def test_there_is_a_bound_on_what_is_ordered_but_not_on_what_is_explored() -> None:
    found = [one(n, popular=n / 1000) for n in range(1, 1001)]
    found += [replace(one(2000 + n), trial=Trial(0, 0, 0.1)) for n in range(5)]
    order = rank(found, 20, KEY)
    assert {place.video for place in order if place.source == "popular"} <= set(range(751, 1001))
    assert sum(place.source == "explored" for place in order) == 2
