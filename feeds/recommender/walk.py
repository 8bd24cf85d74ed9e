"""Which items lead to which: random walks over the graph of users and items.

RP3β (Paudel, Christoffel, Newell, Bernstein: Updatable, accurate, diverse, and scalable
recommendations for interactive applications, ACM TiiS 7, 2017) walks from an item to one who
liked it and on to another item of theirs. With few likes per person, most items that belong
together have nobody in common yet; so the walk may take more such steps. They are *lazy*: each
may end where it began, so that what fewer steps find stays in.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from feeds.recommender.patterns import Patterns, alike, patterns_of
from feeds.recommender.pruning import top_product, top_rows

# Ways followed from an item when it has more steps: more cost time and find nothing better.
BREADTH = 100
# So many times k are found by walks when broad patterns choose among them.
WIDE = 2


@dataclass(frozen=True)
class Walk:
    """How walks go.

    Attributes:
        alpha: exponent of the probabilities of the first step; less than 1 evens them out.
        beta: how much the popularity of where a walk ends counts against it, 0 not at all.
        k: neighbours kept for an item.
        steps: 1 is RP3β itself; each more is a lazy one.
        smooth: share of a neighbour's weight that goes by broad patterns instead of walks.
    """

    alpha: float = 0.8
    beta: float = 0.0
    k: int = 200
    steps: int = 3
    smooth: float = 0.0


class Graph:
    """Who likes what, and what walks on it need again and again.

    Attributes:
        strengths: users × items, positive.
    """

    def __init__(self, strengths: sparse.csr_array) -> None:
        self.strengths = strengths

    @cached_property
    def onward(self) -> sparse.csr_array:
        """Where the steps after the first lead."""
        return lazy_steps(self.strengths)

    @cached_property
    def patterns(self) -> Patterns:
        """What items take part in."""
        return patterns_of(self.strengths)

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """How much each item is liked."""
        return np.asarray(self.strengths.sum(axis=0, dtype=np.float64))


def neighbours(
    graph: Graph, walk: Walk, sources: NDArray[np.bool_] | None = None
) -> sparse.csr_array:
    """Return for each item the k items where walks from it most often end.

    Args:
        sources: the items from which to walk, all by default; the rows of others stay empty.

    Returns:
        items × items, float32: how much a like of the row's item speaks for the column's, without
        the diagonal. A row adds up to 1, if it has any neighbours.
    """
    to_users = _powered(graph.strengths.T.tocsr(), walk.alpha)
    if sources is not None:
        to_users = sparse.csr_array(sparse.diags_array(sources.astype(np.float32)) @ to_users)
    powered = _powered(graph.strengths, walk.alpha)
    to_items = _scaled(powered.T.tocsr(), graph.sizes, walk.beta).T.tocsr()
    last = WIDE * walk.k if walk.smooth else walk.k
    widths = [BREADTH] * (walk.steps - 1) + [last]
    found = top_product(to_users, to_items, widths[0])
    for width in widths[1:]:
        found = top_product(_stochastic(found), graph.onward, width)
    found = _stochastic(found)
    return _smoothed(found, graph, walk) if walk.smooth else found


def _smoothed(found: sparse.csr_array, graph: Graph, walk: Walk) -> sparse.csr_array:
    """Have a part of each weight go by broad patterns, and keep the k largest."""
    broad = found.copy()
    broad.data = alike(found, graph.patterns, graph.sizes)
    both = found * np.float32(1 - walk.smooth) + _stochastic(broad) * np.float32(walk.smooth)
    return _stochastic(top_rows(both.tocsr(), walk.k))


def lazy_steps(strengths: sparse.csr_array) -> sparse.csr_array:
    """Return where one step leads: to one of the likeliest items, or back to where it was.

    Returns:
        items × items, float32, with the diagonal.
    """
    to_users = _powered(strengths.T.tocsr(), 1.0)
    return top_product(to_users, _powered(strengths, 1.0), BREADTH, loops=True)


def _powered(matrix: sparse.csr_array, exponent: float) -> sparse.csr_array:
    """Return the probabilities of a step from each row, to a power."""
    probabilities = _stochastic(matrix)
    probabilities.data **= np.float32(exponent)
    return probabilities


def _stochastic(matrix: sparse.csr_array) -> sparse.csr_array:
    """Return the matrix with rows that add up to 1."""
    return _scaled(matrix, _sums(matrix), 1.0)


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
