"""The keyed permutation, as a pure function (invariant 1)."""

from collections import Counter
from itertools import pairwise, permutations
from math import factorial, sqrt

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feeds.shuffle import MASK, Permutation, mix64, overfetch, round_keys, rounds_for

seeds = st.integers(min_value=0, max_value=MASK)


@pytest.mark.parametrize("n", range(300))
def test_every_small_permutation_is_a_bijection_with_an_inverse(n: int) -> None:
    permutation = Permutation(n, seed=n * 7919)
    slots = permutation.slots(0, n)
    assert sorted(slots) == list(range(n))
    assert [permutation.inverse(slot) for slot in slots] == list(range(n))


@settings(max_examples=60)
@given(n=st.integers(0, 6000), seed=seeds)
@example(n=4095, seed=0)
@example(n=4096, seed=0)
def test_every_permutation_is_a_bijection(n: int, seed: int) -> None:
    assert sorted(Permutation(n, seed).slots(0, n)) == list(range(n))


@settings(max_examples=300)
@given(data=st.data(), n=st.integers(1, 2**62), seed=seeds)
def test_the_inverse_undoes_it_whatever_the_size(data: st.DataObject, n: int, seed: int) -> None:
    permutation = Permutation(n, seed)
    rank = data.draw(st.integers(0, n - 1))
    slot = permutation(rank)
    assert 0 <= slot < n
    assert permutation.inverse(slot) == rank
    assert permutation(permutation.inverse(rank)) == rank


@settings(max_examples=300)
@given(data=st.data(), n=st.integers(1, 2**62), seed=seeds)
def test_many_ranks_at_once_have_the_slots_of_each(data: st.DataObject, n: int, seed: int) -> None:
    permutation, start = Permutation(n, seed), data.draw(st.integers(0, n - 1))
    ranks = range(start, min(start + 30, n))
    assert permutation.slots(start, 30) == [permutation(rank) for rank in ranks]


@settings(max_examples=100)
@given(n=st.integers(0, 2000), seed=seeds, cuts=st.lists(st.integers(1, 60), max_size=60))
def test_it_is_the_same_order_however_it_is_cut(n: int, seed: int, cuts: list[int]) -> None:
    permutation, start, slots = Permutation(n, seed), 0, []
    for cut in [*cuts, n]:
        slots += permutation.slots(start, cut)
        start += cut
    assert slots == permutation.slots(0, n)


@pytest.mark.parametrize("outside", [-1, 10, 11])
def test_a_rank_outside_is_an_error(outside: int) -> None:
    with pytest.raises(IndexError):
        Permutation(10, 1)(outside)
    with pytest.raises(IndexError):
        Permutation(10, 1).inverse(outside)


def test_the_generator_is_splitmix64() -> None:
    # The published first outputs for the seed 1234567.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert round_keys(1234567, 3) == expected
    assert mix64(0) == 0


def test_few_slots_get_more_rounds() -> None:
    assert [rounds_for(n) for n in (0, 255, 256, 4095, 4096)] == [24, 24, 10, 10, 6]


@pytest.mark.parametrize("n", [3, 4, 5])
def test_all_orders_of_a_few_come_equally_often(n: int) -> None:
    draws = 120 * factorial(n)
    counts = Counter(tuple(Permutation(n, mix64(s)).slots(0, n)) for s in range(draws))
    expected = draws / factorial(n)
    cells = [counts[order] for order in permutations(range(n))]
    chi2 = sum((count - expected) ** 2 / expected for count in cells)
    freedom = factorial(n) - 1
    # Five standard deviations of the statistic; two rounds are off by a hundred.
    assert chi2 < freedom + 5 * sqrt(2 * freedom), chi2


@pytest.mark.parametrize("n", [100, 1000, 10_000])
def test_the_orders_of_neighboring_seeds_are_not_alike(n: int) -> None:
    orders = [Permutation(n, seed).slots(0, n) for seed in range(8)]
    middle = (n - 1) / 2
    variance = (n * n - 1) / 12
    for one, other in pairwise(orders):
        covariance = sum((x - middle) * (y - middle) for x, y in zip(one, other, strict=True)) / n
        assert abs(covariance / variance) < 5 / sqrt(n)


@pytest.mark.parametrize("n", [64, 1000, 10_000])
def test_the_first_rank_reaches_every_part_of_the_slots(n: int) -> None:
    draws, parts = 4000, 16
    counts = Counter(Permutation(n, seed)(0) * parts // n for seed in range(draws))
    expected = draws / parts
    chi2 = sum((counts[part] - expected) ** 2 / expected for part in range(parts))
    assert chi2 < parts - 1 + 5 * sqrt(2 * (parts - 1))


def test_neighboring_ranks_land_apart() -> None:
    n = 10_000
    slots = Permutation(n, 42).slots(0, n)
    close = sum(abs(x - y) <= 10 for x, y in pairwise(slots))
    assert close < 60  # about 20 by chance


def test_overfetch_asks_for_what_is_wanted_when_all_are_live() -> None:
    assert overfetch(21, 1.0) == 21
    assert overfetch(0, 0.5) == 0


@given(wanted=st.integers(1, 51), live=st.floats(0, 1))
def test_overfetch_is_bounded_and_never_too_little(wanted: int, live: float) -> None:
    asked = overfetch(wanted, live)
    assert wanted <= asked <= overfetch(wanted, 0.05) <= 20 * wanted + 40 * wanted**0.5 + 1
