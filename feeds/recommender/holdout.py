"""Parts of what happened, kept from training to judge it by."""

import numpy as np
from numpy.typing import NDArray

from feeds.recommender.interactions import Interactions

SHARE = 0.1


def last_rows(rows: Interactions, share: float = SHARE) -> NDArray[np.bool_]:
    """Choose the last rows by time, about this share of those with a time."""
    assert rows.at is not None
    known = np.isfinite(rows.at)
    return known & (rows.at > np.quantile(rows.at[known], 1 - share))


def random_rows(rows: Interactions, share: float = SHARE, seed: int = 0) -> NDArray[np.bool_]:
    """Choose about this share of each user's rows by chance, and at least one if they have two.

    The same for the same rows and seed, in whatever order the rows stand.
    """
    order = np.lexsort((rows.item, rows.user))
    chance = np.empty(len(rows))
    chance[order] = np.random.default_rng(seed).random(len(rows))
    order = np.lexsort((chance, rows.user))
    counts = np.bincount(rows.user, minlength=len(rows.users))
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(rows)) - starts[rows.user[order]]
    wanted = np.where(counts >= 2, np.maximum(1, np.floor(counts * share)), 0)
    chosen = np.zeros(len(rows), bool)
    chosen[order] = rank < wanted[rows.user[order]]
    return chosen


def split(
    rows: Interactions, share: float = SHARE, seed: int = 0
) -> tuple[Interactions, Interactions]:
    """Return what to train on and what to judge by: the last rows, or random ones without times."""
    chosen = None
    if rows.at is not None:
        chosen = last_rows(rows, share)
    if chosen is None or not chosen.any():
        chosen = random_rows(rows, share, seed)
    return rows.rows(~chosen), rows.rows(chosen)
