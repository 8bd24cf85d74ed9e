"""Parts of what happened, kept from training to judge it by."""

import numpy as np
from numpy.typing import NDArray

from feeds.recommender.interactions import Interactions

SHARE = 0.1


def last_rows(at: NDArray[np.float64], share: float = SHARE) -> NDArray[np.bool_]:
    """Choose the last rows by time, about this share of those with a time; none of equal times."""
    known = np.isfinite(at)
    return np.asarray(known & (at > np.quantile(at[known], 1 - share)))


def random_rows(rows: Interactions, share: float = SHARE, seed: int = 0) -> NDArray[np.bool_]:
    """Choose about this share of the rows: of a part of the users two rows in ten, at least one.

    Not of all users: taking one of three rows from everybody would leave another, sparser world to
    train on. The same rows are chosen in whatever order they stand.
    """
    random = np.random.default_rng(seed)
    counts = np.bincount(rows.user, minlength=len(rows.users))
    wanted = np.where(counts >= 2, np.maximum(1, counts // 5), 0)
    taking = random.random(len(counts)) * wanted.sum() < share * len(rows)
    order = np.lexsort((rows.item, rows.user))
    order = order[np.lexsort((random.random(len(rows)), rows.user[order]))]
    rank = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows.user[order]]
    chosen = np.zeros(len(rows), bool)
    chosen[order] = rank < (wanted * taking)[rows.user[order]]
    return chosen


def split(
    rows: Interactions, share: float = SHARE, seed: int = 0
) -> tuple[Interactions, Interactions]:
    """Return what to train on and what to judge by: the last rows, or random ones without times."""
    chosen = None
    if rows.at is not None:
        chosen = last_rows(rows.at, share)
    if chosen is None or not chosen.any():
        chosen = random_rows(rows, share, seed)
    return rows.rows(~chosen), rows.rows(chosen)
