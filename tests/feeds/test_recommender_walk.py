"""Walks from item to item equal naive dense ones, whatever the blocks and the order of ids."""

import numpy as np
import pytest
from scipy import sparse

from feeds.recommender.patterns import alike, patterns_of
from feeds.recommender.pruning import top_product
from feeds.recommender.walk import Graph, Walk, neighbours


def likes(users: int = 30, items: int = 20, share: float = 0.2, seed: int = 1) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return (chance.random((users, items)) < share) * chance.uniform(0.3, 3, (users, items))


def sparse_of(dense: np.ndarray) -> sparse.csr_array:
    return sparse.csr_array(dense.astype(np.float32))


def stochastic(dense: np.ndarray) -> np.ndarray:
    sums = dense.sum(axis=1, keepdims=True)
    return np.divide(dense, sums, out=np.zeros_like(dense), where=sums > 0)


def naive(dense: np.ndarray, walk: Walk) -> np.ndarray:
    """RP3β as Paudel et al. write it, entry by entry, then one lazy step, then rows that sum to 1.

    Weighted by how often one walks from item i over user u to item j.
    """
    users, items = dense.shape
    to_user, to_item = stochastic(dense.T) ** walk.alpha, stochastic(dense) ** walk.alpha
    popularity = dense.sum(axis=0)
    found = np.zeros((items, items))
    for i in range(items):
        for j in range(items):
            if i != j and popularity[j]:
                paths = sum(to_user[i, u] * to_item[u, j] for u in range(users))
                found[i, j] = paths / popularity[j] ** walk.beta
    for _ in range(walk.steps - 1):
        found = stochastic(found) @ (stochastic(dense.T) @ stochastic(dense))
        np.fill_diagonal(found, 0)
    return stochastic(found)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize(("alpha", "beta"), [(1, 0), (0.8, 0), (0.6, 0.4), (0.3, 1)])
def test_walks_equal_naive_ones(alpha: float, beta: float, steps: int) -> None:
    walk = Walk(alpha=alpha, beta=beta, k=20, steps=steps)
    dense = likes()
    dense[:, 3] = 0  # an item that nobody likes
    dense[5] = 0  # a user who likes nothing
    found = neighbours(Graph(sparse_of(dense)), walk)
    np.testing.assert_allclose(found.toarray(), naive(dense, walk), rtol=1e-5, atol=1e-7)


def test_only_the_k_best_neighbours_are_kept() -> None:
    dense = likes()
    full = naive(dense, Walk(k=20, steps=1))
    found = neighbours(Graph(sparse_of(dense)), Walk(k=4, steps=1)).toarray()
    for row, everything in zip(found, full, strict=True):
        assert set(np.flatnonzero(row)) == set(np.argsort(-everything)[:4])


def test_blocks_do_not_change_the_product() -> None:
    left, right = sparse_of(likes(40, 30, 0.3, 2)), sparse_of(likes(30, 40, 0.3, 3))
    whole = top_product(left, right, 5)
    for entries in (1, 37, 200):
        parts = top_product(left, right, 5, block_entries=entries)
        np.testing.assert_array_equal(parts.toarray(), whole.toarray())


def test_of_equal_neighbours_those_with_the_lower_ids_are_kept() -> None:
    everybody = np.ones((3, 6))
    found = neighbours(Graph(sparse_of(everybody)), Walk(k=2, steps=1)).toarray()
    assert [list(np.flatnonzero(row)) for row in found[:3]] == [[1, 2], [0, 2], [0, 1]]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_other_numbers_for_users_and_items_change_nothing(steps: int) -> None:
    walk = Walk(k=6, steps=steps)
    dense, chance = likes(), np.random.default_rng(5)
    user_order, item_order = chance.permutation(30), chance.permutation(20)
    found = neighbours(Graph(sparse_of(dense)), walk).toarray()
    permuted = neighbours(Graph(sparse_of(dense[user_order][:, item_order])), walk).toarray()
    np.testing.assert_allclose(permuted, found[item_order][:, item_order], rtol=1e-5)


def test_walking_from_some_items_gives_their_rows_alone() -> None:
    dense = likes()
    sources = np.arange(20) % 3 == 0
    found = neighbours(Graph(sparse_of(dense)), Walk(k=6), sources).toarray()
    np.testing.assert_array_equal(found[~sources], 0)
    whole = neighbours(Graph(sparse_of(dense)), Walk(k=6)).toarray()
    np.testing.assert_allclose(found[sources], whole[sources], rtol=1e-6)


def naive_patterns(dense: np.ndarray, count: int) -> np.ndarray:
    """How alike items are: the projection onto the first right singular vectors."""
    users, items = (np.sqrt(np.maximum(dense.sum(axis=axis), 1e-9)) for axis in (1, 0))
    _, _, vectors = np.linalg.svd(dense / users[:, None] / items)
    return vectors[:count].T @ vectors[:count]


@pytest.mark.parametrize("count", [1, 4, 20])
def test_broad_patterns_are_the_first_singular_vectors(count: int) -> None:
    found = patterns_of(sparse_of(likes()), count)
    np.testing.assert_allclose(found @ found.T, naive_patterns(likes(), count), atol=1e-4)


def test_patterns_are_at_most_as_many_as_users_and_items_and_what_nobody_likes_is_in_none() -> None:
    dense = likes(users=3, items=20)
    dense[:, 7] = 0
    found = patterns_of(sparse_of(dense))
    assert found.shape == (20, 3)
    np.testing.assert_allclose(found[7], 0, atol=1e-6)


def test_how_alike_items_are_is_asked_of_some_pairs_and_more_of_what_is_liked_more() -> None:
    dense = likes()
    pairs = sparse.csr_array((likes(20, 20, 0.3, seed=2) > 0).astype(np.float32))
    sizes = dense.sum(axis=0)
    expected = np.maximum(naive_patterns(dense, 4), 0) * np.sqrt(sizes)
    found = alike(pairs, patterns_of(sparse_of(dense), 4), sizes)
    np.testing.assert_allclose(found, expected[pairs.nonzero()], atol=1e-3)


def test_a_part_of_each_weight_goes_by_broad_patterns() -> None:
    dense, walk = likes(users=15, items=40), Walk(k=40, steps=1, smooth=0.3)
    walked = naive(dense, walk)
    broad = np.maximum(naive_patterns(dense, 15), 0) * np.sqrt(dense.sum(axis=0)) * (walked > 0)
    found = neighbours(Graph(sparse_of(dense)), walk).toarray()
    np.testing.assert_allclose(found, 0.7 * walked + 0.3 * stochastic(broad), atol=1e-4)
    few = neighbours(Graph(sparse_of(dense)), Walk(k=4, steps=1, smooth=0.3)).toarray()
    assert ((few > 0).sum(axis=1) == 4).all()
    np.testing.assert_allclose(few.sum(axis=1), 1, rtol=1e-5)
