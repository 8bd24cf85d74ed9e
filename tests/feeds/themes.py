"""Made-up interactions with planted themes: who likes one item of a theme likes others of it."""

import time
from datetime import UTC, datetime

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from accounts.models import User
from feeds.models import Affinity
from feeds.recommender.interactions import DAY, Interactions
from tests.factories import UserFactory
from tests.feeds.worlds import publish


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


def settle(rows: Interactions, until: float | None = None) -> tuple[list[User], list[int]]:
    """Have the site hold rows as what people did; nothing but these rows tells of a theme.

    Args:
        until: the moment of the latest row, in seconds since 1970; now by default.

    Returns:
        The users, and the ids of the videos, both in the order of the rows' lists.
    """
    people, videos = people_and_videos(len(rows.users), len(rows.items))
    add(rows, people, videos, until)
    return people, videos


def people_and_videos(users: int, items: int) -> tuple[list[User], list[int]]:
    """Make people, and videos of others whose authors and captions tell nothing."""
    authors = UserFactory.create_batch(30)
    people = UserFactory.create_batch(users)
    with transaction.atomic():
        return people, [publish(authors[n * 7 % 30]) for n in range(items)]


def add(
    rows: Interactions, people: list[User], videos: list[int], until: float | None = None
) -> None:
    """Have the site hold more rows of the same people and videos; what it holds stays."""
    at = np.zeros(len(rows)) if rows.at is None else rows.at
    at = at - at.max(initial=0) + (until or time.time())
    held = [
        Affinity(
            user=people[user],
            video_id=videos[item],
            strength=strength,
            acted_at=datetime.fromtimestamp(moment, UTC),
            first_at=datetime.fromtimestamp(moment, UTC),
        )
        for user, item, strength, moment in zip(
            rows.user, rows.item, rows.strength.tolist(), at.tolist(), strict=True
        )
    ]
    Affinity.objects.bulk_create(held, ignore_conflicts=True)
