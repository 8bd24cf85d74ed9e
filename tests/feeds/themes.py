"""Made-up interactions with planted themes: who likes one item of a theme likes others of it."""

import numpy as np
from numpy.typing import NDArray

from feeds.recommender.interactions import DAY, Interactions


def themed(
    *,
    users: int,
    items: int,
    rows: int,
    themes: int,
    loyalty: float = 0.8,
    timed: bool = False,
    seed: int = 0,
) -> Interactions:
    """Make rows whose users and items have power laws, without rows that occur twice.

    Args:
        rows: about so many; at most, since repetitions are dropped.
        themes: each user has three, each item one.
        loyalty: share of a user's rows that are of their themes; the others go by popularity.
        timed: give each row a time, over a hundred days.
    """
    chance = np.random.default_rng(seed)
    user = chance.choice(users, rows, p=_power_law(users, 0.6))
    theme_of = chance.integers(themes, size=items)
    order = np.argsort(theme_of, kind="stable")
    starts = np.searchsorted(theme_of[order], np.arange(themes + 1))
    own = chance.integers(themes, size=(users, 3))[user, chance.integers(3, size=rows)]
    sizes = np.diff(starts)[own]
    # Within a theme, too, few items have most of the rows.
    within = (sizes * chance.random(rows) ** 3).astype(int)
    themed_item = order[np.minimum(starts[own] + within, items - 1)]
    any_item = chance.choice(items, rows, p=_power_law(items, 0.8))
    item = np.where((chance.random(rows) < loyalty) & (sizes > 0), themed_item, any_item)
    pairs = np.unique(np.stack([user, item]), axis=1).astype(np.int32)
    return Interactions(
        users=[f"u{n}" for n in range(users)],
        items=[f"i{n}" for n in range(items)],
        user=pairs[0],
        item=pairs[1],
        strength=np.ones(pairs.shape[1], np.float32),
        at=chance.random(pairs.shape[1]) * 100 * DAY if timed else None,
    )


def _power_law(n: int, exponent: float) -> NDArray[np.float64]:
    weights = np.arange(1, n + 1, dtype=float) ** -exponent
    return weights / weights.sum()
