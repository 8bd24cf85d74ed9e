"""Which items lead to which: random walks over the graph of users and items.

RP3β (Paudel, Christoffel, Newell, Bernstein: Updatable, accurate, diverse, and scalable
recommendations for interactive applications, ACM TiiS 7, 2017) walks from an item to one who
liked it and on to another item of theirs. With few likes per person, most items that belong
together have nobody in common yet; so the walk may take more such steps. They are *lazy*: each
may end where it began, so that what fewer steps find stays in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from feeds.recommender.pruning import top_product

# Ways followed from an item when it has more steps: more cost time and find nothing better.
BREADTH = 100


@dataclass(frozen=True)
class Walk:
    """How walks go.

    Attributes:
        alpha: exponent of the probabilities of the first step; less than 1 evens them out.
        beta: how much the popularity of where a walk ends counts against it, 0 not at all.
        k: neighbours kept for an item.
        steps: 1 is RP3β itself; each more is a lazy one.
    """

    alpha: float = 0.8
    beta: float = 0.0
    k: int = 200
    steps: int = 3


def neighbours(
    strengths: sparse.csr_array,
    walk: Walk,
    sources: NDArray[np.bool_] | None = None,
    onward: sparse.csr_array | None = None,
) -> sparse.csr_array:
    """Return for each item the k items where walks from it most often end.

    Args:
        strengths: users × items, positive.
        sources: the items from which to walk, all by default; the rows of others stay empty.
        onward: the `lazy_steps` of these strengths, if they are known already.

    Returns:
        items × items, float32: how much a like of the row's item speaks for the column's, without
        the diagonal. A row adds up to 1, if it has any neighbours.
    """
    to_users = _powered(strengths.T.tocsr(), walk.alpha)
    if sources is not None:
        to_users = sparse.csr_array(sparse.diags_array(sources.astype(np.float32)) @ to_users)
    to_items = _discounted(_powered(strengths, walk.alpha), strengths, walk.beta)
    widths = [BREADTH] * (walk.steps - 1) + [walk.k]
    found = top_product(to_users, to_items, widths[0])
    if walk.steps > 1:
        onward = lazy_steps(strengths) if onward is None else onward
        for width in widths[1:]:
            found = top_product(_scaled(found, _sums(found), 1.0), onward, width)
    return _scaled(found, _sums(found), 1.0)


def lazy_steps(strengths: sparse.csr_array) -> sparse.csr_array:
    """Return where one step leads: to one of the likeliest items, or back to where it was.

    Returns:
        items × items, float32, with the diagonal.
    """
    to_users = _powered(strengths.T.tocsr(), 1.0)
    return top_product(to_users, _powered(strengths, 1.0), BREADTH, loops=True)


def _powered(matrix: sparse.csr_array, exponent: float) -> sparse.csr_array:
    """Return the probabilities of a step from each row, to a power."""
    probabilities = _scaled(matrix, _sums(matrix), 1.0)
    probabilities.data **= np.float32(exponent)
    return probabilities


def _discounted(
    steps: sparse.csr_array, strengths: sparse.csr_array, beta: float
) -> sparse.csr_array:
    """Return steps with those to popular items made rarer."""
    popularity = np.asarray(strengths.sum(axis=0, dtype=np.float64))
    return _scaled(steps.T.tocsr(), popularity, beta).T.tocsr()


def _sums(matrix: sparse.csr_array) -> NDArray[np.float64]:
    return np.asarray(matrix.sum(axis=1, dtype=np.float64))


def _scaled(
    matrix: sparse.csr_array, sizes: NDArray[np.float64], exponent: float
) -> sparse.csr_array:
    """Return the matrix with each row divided by its size to a power; rows without size are 0."""
    factors = np.zeros_like(sizes)
    np.power(sizes, -exponent, where=sizes > 0, out=factors)
    scaled = matrix.copy()
    scaled.data = (matrix.data * np.repeat(factors, np.diff(matrix.indptr))).astype(np.float32)
    return scaled
