"""Metrics equal what the published protocol says, computed here the long way round."""

import math

import numpy as np
import pytest
from scipy import sparse

from feeds.recommender.evaluation import judge, trial
from feeds.recommender.interactions import Interactions
from feeds.recommender.metrics import coverage, gini, quality, top_share


def by_hand(ranked: list[int], held_out: set[int], length: int) -> tuple[float, float, float]:
    """Recall, NDCG and hit of one reader, as the papers write them down."""
    gains = [1 if item in held_out else 0 for item in ranked[:length]]
    dcg = sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(len(held_out), length) + 1))
    return sum(gains) / len(held_out), dcg / ideal, float(any(gains))


@pytest.mark.parametrize("length", [1, 10, 20, 50])
def test_recall_ndcg_and_hits_equal_those_by_hand(length: int) -> None:
    chance = np.random.default_rng(length)
    readers, items = 60, 90
    lists = np.array([chance.permutation(items)[:50] for _ in range(readers)], np.int32)
    lists[:5, 7:] = -1  # who has no more to be recommended
    wanted = [set(chance.choice(items, chance.integers(1, 40), False)) for _ in range(readers)]
    dense = np.array([[item in row for item in range(items)] for row in wanted], float)
    found = quality(lists, sparse.csr_array(dense), length)
    expected = [
        by_hand(list(row), held_out, length) for row, held_out in zip(lists, wanted, strict=True)
    ]
    measured = np.stack([found.recall, found.ndcg, found.hit], axis=1)
    np.testing.assert_allclose(measured, expected)


def test_concentration_is_nothing_when_all_are_shown_alike_and_high_when_one_is() -> None:
    assert gini([3, 3, 3, 3]) == pytest.approx(0)
    assert gini([0, 0, 0, 8]) == pytest.approx(3 / 4)
    assert gini([1, 3]) == pytest.approx(1 / 4)
    assert gini([]) == 0


def test_coverage_is_the_share_of_items_that_anybody_gets() -> None:
    assert coverage(np.array([[0, 1], [1, -1]], np.int32), 8) == 2 / 8


def test_the_share_of_the_top_is_that_of_the_tenth_of_creators_shown_most() -> None:
    shown = np.array([[0, 0, 1, 2], [0, 3, 4, -1]], np.int32)
    assert top_share(shown, None, 10) == 3 / 7
    assert top_share(shown, None, 11) == 4 / 7  # a tenth of eleven is two
    assert top_share(shown, np.array([0, 1, 1, 1, 1, 2, 2, 2, 2, 2], np.int32), 10) == 4 / 7
    assert top_share(np.full((2, 4), -1, np.int32), None, 10) == 0


def rows(pairs: list[tuple[int, int]]) -> Interactions:
    users, items = np.array(pairs, np.int32).T
    return Interactions(range(4), range(9), users, items, np.ones(len(pairs), np.float32))


def test_the_mean_is_over_those_with_held_out_items_whom_training_may_not_know() -> None:
    train = rows([(0, 0), (1, 1), (2, 2)])
    # Held out: two of user 0 and one of user 3; user 1 had theirs in training already.
    task = trial(train, rows([(0, 5), (0, 6), (1, 1), (3, 7)]))
    assert list(task.users) == [0, 3]
    everyone, few, rare = judge("it", lambda users, _consumed, count: lists(users, count), task)
    assert (everyone.readers, everyone.recall[20], everyone.hit[20]) == (2, 0.25, 0.5)
    assert everyone.ndcg[20] == pytest.approx(1 / (1 + 1 / math.log2(3)) / 2)
    assert few.readers == rare.readers == 2


def lists(users: np.ndarray, count: int) -> np.ndarray:
    """Give everybody item 5, then 1 and 2."""
    found = np.full((len(users), count), -1, np.int32)
    found[:, :3] = 5, 1, 2
    return found
