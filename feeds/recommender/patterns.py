"""How alike items are in the broad patterns of who likes what.

The lowest frequencies of the graph of users and items (Shen et al.: How powerful is graph
convolution for recommendation?, CIKM 2021), by a randomised decomposition (Halko, Martinsson,
Tropp 2011). Where people have much in common these tell neighbours by chance from real ones.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

PATTERNS = 64
# More are looked for than are used, and so many times over, for the last ones to be accurate.
SPARE = 16
ROUNDS = 4
# Pairs whose patterns exist at the same time; 512 bytes each.
BLOCK_PAIRS = 200_000

Patterns = NDArray[np.float32]


def patterns_of(strengths: sparse.csr_array, count: int = PATTERNS) -> Patterns:
    """Return how much each item takes part in each pattern, the broadest first.

    Args:
        strengths: users × items, positive. Somebody who likes much says little about each item.

    Returns:
        items × at most `count`, with columns of length 1.
    """
    count = min(count, *strengths.shape)
    scaled = _evened(strengths)
    found = np.random.default_rng(0).standard_normal((strengths.shape[1], count + SPARE))
    found = found.astype(np.float32)
    for _ in range(ROUNDS):
        found, _ = np.linalg.qr(scaled.T @ (scaled @ found))
    _, _, turned = np.linalg.svd(scaled @ found, full_matrices=False)
    return np.asarray((found @ turned.T)[:, :count], np.float32)


def alike(pairs: sparse.csr_array, patterns: Patterns, sizes: NDArray[np.float64]) -> Patterns:
    """Return for each entry how alike its row's and column's items are; nothing less than 0.

    Args:
        pairs: items × items, with an entry for each pair that is asked for.
        sizes: how much each item is liked; among equally alike ones, more counts more.
    """
    rows = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    found = np.empty(pairs.nnz, np.float32)
    for start in range(0, pairs.nnz, BLOCK_PAIRS):
        part = slice(start, start + BLOCK_PAIRS)
        found[part] = np.einsum("pn,pn->p", patterns[rows[part]], patterns[pairs.indices[part]])
    return np.asarray(np.maximum(found, 0) * np.sqrt(sizes)[pairs.indices], np.float32)


def _evened(strengths: sparse.csr_array) -> sparse.csr_array:
    """Return the strengths divided by the roots of the sums of their row and of their column."""
    by_user, by_item = (
        sparse.diags_array((1 / np.sqrt(np.where(sums > 0, sums, 1))).astype(np.float32))
        for sums in (
            strengths.sum(axis=1, dtype=np.float64),
            strengths.sum(axis=0, dtype=np.float64),
        )
    )
    return sparse.csr_array(by_user @ strengths @ by_item)
