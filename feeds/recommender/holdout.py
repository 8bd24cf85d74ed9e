"""Parts of what happened, kept from training to judge it by."""

import numpy as np
from numpy.typing import NDArray

from feeds.recommender.interactions import DAY, Interactions

# What is held out of rows without times, and of those with times at most.
SHARE = 0.1
# So many rows are held out even if the last day had fewer, as long as that is no larger share.
FEWEST = 2000


def last_rows(at: NDArray[np.float64], share: float = SHARE) -> NDArray[np.bool_]:
    """Choose the last rows by time, about this share of those with a time.

    Returns:
        Of rows with the same time all or none. None at all where that would be less than half of
        the share, or more than twice as much.
    """
    known = np.isfinite(at)
    wanted = share * known.sum()
    border = np.quantile(at[known], 1 - share)
    for chosen in (known & (at > border), known & (at >= border)):
        if wanted / 2 <= chosen.sum() <= 2 * wanted:
            return chosen
    return np.zeros(len(at), bool)


def last_day(at: NDArray[np.float64]) -> float:
    """Return the share of the rows to be held out: those of the last day, within bounds."""
    known = at[np.isfinite(at)]
    wanted = max(int((known > known.max(initial=-np.inf) - DAY).sum()), FEWEST)
    return float(min(wanted / max(len(known), 1), SHARE))


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
    rows: Interactions, share: float | None = None, seed: int = 0
) -> tuple[Interactions, Interactions]:
    """Return what to train on and what to judge by: the last rows, or random ones without times.

    Args:
        share: how much to hold out; by default about the last day, or SHARE without times.
    """
    chosen = None
    if rows.at is not None and np.isfinite(rows.at).any():
        chosen = last_rows(rows.at, share or last_day(rows.at))
    if chosen is None or not chosen.any():
        chosen = random_rows(rows, share or SHARE, seed)
    return rows.rows(~chosen), rows.rows(chosen)
