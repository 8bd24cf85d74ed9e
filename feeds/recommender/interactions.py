"""Who did what with which item and when, as arrays, wherever it comes from."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from feeds.affinity import MOST

DAY = 86400.0
FOREVER = float("inf")
# What is older than this counts no less: somebody whose acts are all old still has a taste.
MOST_HALVINGS = 20.0

# From places of users, what each of them has consumed, and a count, to lists of items' places:
# users × count, best first, -1 for none.
Recommender = Callable[[NDArray[np.intp], sparse.csr_array, int], NDArray[np.int32]]


@dataclass(frozen=True)
class Interactions:
    """Rows (user, item, strength, time); users and items are places in the lists of ids.

    Attributes:
        users: ids of users, in an order that does not depend on that of the rows.
        items: ids of items, likewise.
        user: place of each row's user, int32.
        item: place of each row's item, int32.
        strength: how much each row says for the item, a like being 1; negative ones speak against.
        at: seconds since some epoch; None when no row has a time. NaN for a row without one.
        first: when what a row sums up began, likewise; None where a row is one act.
    """

    users: Sequence[Hashable]
    items: Sequence[Hashable]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    strength: NDArray[np.float32]
    at: NDArray[np.float64] | None = None
    first: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.user)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of users and of items."""
        return len(self.users), len(self.items)

    def rows(self, chosen: NDArray[np.bool_]) -> "Interactions":
        """Return the chosen rows; the lists of users and items stay as they are."""
        return replace(
            self,
            user=self.user[chosen],
            item=self.item[chosen],
            strength=self.strength[chosen],
            at=None if self.at is None else self.at[chosen],
            first=None if self.first is None else self.first[chosen],
        )


def matrix(rows: Interactions, half_life: float = FOREVER, most: float = MOST) -> sparse.csr_array:
    """Return strengths as a sparse matrix, users × items, decayed to the time of the latest row.

    Args:
        rows: what happened; several rows of one user and item add up.
        half_life: days after which a row counts half. Rows without a time count as the oldest.
        most: at most this much for a user and an item, however often it was repeated.

    Returns:
        float32, with an entry for each pair that occurs, also where it adds up to nothing or less:
        whoever refused an item has consumed it too.
    """
    strength = rows.strength * decay(rows.at, half_life)
    # Small sums: in float64, so that the order of the rows does not matter.
    found = sparse.coo_array((strength.astype(np.float64), (rows.user, rows.item)), rows.shape)
    summed = found.tocsr()
    summed.sum_duplicates()
    summed.data = np.minimum(summed.data, most)
    return summed.astype(np.float32)


def decay(at: NDArray[np.float64] | None, half_life: float) -> NDArray[np.float64] | float:
    """Return what is left of each row's strength at the time of the latest row, 0 to 1."""
    if at is None or half_life == FOREVER or not np.isfinite(at).any():
        return 1.0
    known = np.where(np.isfinite(at), at, np.nanmin(at))
    halvings = (known.max() - known) / (half_life * DAY)
    return np.asarray(0.5 ** np.minimum(halvings, MOST_HALVINGS))


def positives(strengths: sparse.csr_array) -> sparse.csr_array:
    """Return the part of a matrix of strengths that speaks for items."""
    kept = strengths.copy()
    kept.data = np.maximum(kept.data, 0)
    kept.eliminate_zeros()
    return kept
