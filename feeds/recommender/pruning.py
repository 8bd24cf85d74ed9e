"""Products of sparse matrices of which only the largest entries of each row are kept."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

# Entries of the product that exist at the same time; about 12 bytes each, a few times over.
BLOCK_ENTRIES = 8_000_000


def top_product(
    left: sparse.csr_array,
    right: sparse.csr_array,
    k: int,
    *,
    loops: bool = False,
    block_entries: int = BLOCK_ENTRIES,
) -> sparse.csr_array:
    """Return the k largest positive entries of each row of `left @ right`.

    The product is made in blocks of rows, so it never needs more memory than they. Of equal
    entries those of the lower columns are kept: every run gives the same.

    Args:
        left: n × m.
        right: m × l.
        k: entries kept in a row.
        loops: whether the diagonal, by which an item leads to itself, is kept beside these k.
    """
    if not left.shape[0]:
        return sparse.csr_array((0, right.shape[1]), dtype=np.float32)
    blocks = [
        top_rows((left[start:end] @ right).tocsr(), k, start, loops=loops)
        for start, end in _blocks(left, right, block_entries)
    ]
    return sparse.csr_array(sparse.vstack(blocks, format="csr"))


def top_rows(
    rows: sparse.csr_array, k: int, first: int = 0, *, loops: bool = False
) -> sparse.csr_array:
    """Return the k largest positive entries of each row, as `top_product` does.

    Args:
        first: which row of the whole matrix row 0 is.
    """
    lengths, places = [], []
    for row, (start, end) in enumerate(pairwise(rows.indptr)):
        kept = _top(rows.indices[start:end], rows.data[start:end], k, first + row, loops)
        places.append(start + kept)
        lengths.append(len(kept))
    chosen = np.concatenate(places)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_array((rows.data[chosen], rows.indices[chosen], indptr), rows.shape)


def _blocks(
    left: sparse.csr_array, right: sparse.csr_array, most: int
) -> Iterator[tuple[int, int]]:
    """Cut the rows so that the product of each part has at most so many entries, or is one row."""
    lengths = np.diff(right.indptr).astype(np.int64)
    reached = np.concatenate([[0], np.cumsum(lengths[left.indices])])[left.indptr]
    bounds = np.cumsum(np.minimum(np.diff(reached), right.shape[1]))
    start = 0
    while start < left.shape[0]:
        before = bounds[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(bounds, before + most, side="right")))
        yield start, end
        start = end


def _top(
    columns: NDArray[np.int32], values: NDArray[np.float32], k: int, own: int, loops: bool
) -> NDArray[np.intp]:
    """Return the places of the k largest positive values, in the order of the columns."""
    wanted = np.flatnonzero((values > 0) & (columns != own))
    if len(wanted) > k:
        candidates = values[wanted]
        least = np.partition(candidates, -k)[-k]
        above, ties = wanted[candidates > least], wanted[candidates == least]
        ties = ties[np.argsort(columns[ties])[: k - len(above)]]
        wanted = np.concatenate([above, ties])
    if loops:
        wanted = np.concatenate([wanted, np.flatnonzero(columns == own)])
    return wanted[np.argsort(columns[wanted])]
