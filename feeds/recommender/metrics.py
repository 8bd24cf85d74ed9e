"""How good lists are, by what people turned out to like: the definitions of the field's papers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Quality:
    """Metrics at one length of list, each with one value for each reader who has held-out items.

    Attributes:
        recall: share of what is held out that is in the list.
        ndcg: discounted gain, as a share of the best possible with that many held out.
        hit: 1 where at least one of them is in the list.
    """

    recall: Values
    ndcg: Values
    hit: Values


def quality(lists: NDArray[np.int32], held_out: sparse.csr_array, length: int) -> Quality:
    """Judge the first `length` of each list.

    Args:
        lists: readers × at least `length`, places of items, best first; -1 for none.
        held_out: readers × items, an entry for what a reader turned out to like, at least one.
    """
    hits = _hits(lists[:, :length], held_out)
    sizes = np.diff(held_out.indptr)
    discount = 1 / np.log2(np.arange(2, length + 2))
    ideal = np.cumsum(discount)[np.minimum(sizes, length) - 1]
    return Quality(
        recall=hits.sum(axis=1) / sizes,
        ndcg=hits @ discount / ideal,
        hit=hits.any(axis=1).astype(float),
    )


def coverage(lists: NDArray[np.int32], items: int) -> float:
    """Return the share of all items that are in anybody's list."""
    return len(np.unique(lists[lists >= 0])) / items


def concentration(
    lists: NDArray[np.int32], creators: NDArray[np.int32] | None, items: int
) -> float:
    """Return the Gini coefficient of how often creators are shown: 0 all alike, near 1 a few.

    Args:
        creators: the number of each item's creator, 0 and up; without, items stand for them.
        items: number of items.
    """
    return gini(_shown(lists, creators, items))


def top_share(lists: NDArray[np.int32], creators: NDArray[np.int32] | None, items: int) -> float:
    """Return the share of all places that the tenth of creators has who are shown most."""
    shown = np.sort(_shown(lists, creators, items))[::-1]
    total = shown.sum()
    return float(shown[: -(-len(shown) // 10)].sum() / total) if total else 0.0


def _shown(
    lists: NDArray[np.int32], creators: NDArray[np.int32] | None, items: int
) -> NDArray[np.float64]:
    """Return how often each creator is shown."""
    shown = np.bincount(lists[lists >= 0], minlength=items).astype(float)
    return shown if creators is None else np.asarray(np.bincount(creators, weights=shown), float)


def gini(amounts: ArrayLike) -> float:
    """Return the Gini coefficient of amounts; 0 when there is nothing."""
    ordered = np.sort(np.asarray(amounts, dtype=float))
    total, n = ordered.sum(), len(ordered)
    if not total:
        return 0.0
    return float(2 * (np.arange(1, n + 1) @ ordered) / (n * total) - (n + 1) / n)


def _hits(lists: NDArray[np.int32], held_out: sparse.csr_array) -> NDArray[np.bool_]:
    """Return which places of the lists hold what was held out."""
    wide = np.int64(held_out.shape[1])
    readers = np.arange(len(lists), dtype=np.int64)
    wanted = np.repeat(readers, np.diff(held_out.indptr)) * wide + held_out.indices
    listed = np.where(lists >= 0, readers[:, None] * wide + lists, -1)
    return np.isin(listed, wanted)
