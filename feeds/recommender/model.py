"""A trained model, and what it recommends to whom."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from feeds.recommender.interactions import (
    FOREVER,
    Interactions,
    Recommender,
    matrix,
    positives,
)
from feeds.recommender.walk import Graph, Walk, neighbours

# Positives of a reader that are asked for their neighbours: their last ones.
PROFILE = 100
# Scores that differ by less are equal, and equal ones go by popularity, then id. So a list does
# not depend on the order in which numbers were added up.
DECIMALS = 6
BLOCK_READERS = 1024


@dataclass(frozen=True)
class Parameters:
    """What a training is done with.

    Attributes:
        walk: how items lead to items.
        half_life: days after which an act counts half.
    """

    walk: Walk = field(default_factory=Walk)
    half_life: float = FOREVER

    def describe(self) -> str:
        """Return them in a line."""
        values = asdict(self.walk) | {"half_life": self.half_life}
        return ", ".join(f"{name} {value}" for name, value in values.items())

    def to_json(self) -> dict[str, float | None]:
        """Return them as JSON, which knows no infinity."""
        half_life = None if self.half_life == FOREVER else self.half_life
        return asdict(self.walk) | {"half_life": half_life}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Parameters":
        """Return what `to_json` wrote, now or in another version: what that lacks is usual."""
        names = {one.name for one in fields(Walk)}
        walk = Walk(**{name: value for name, value in values.items() if name in names})
        return cls(walk, values.get("half_life") or FOREVER)


@dataclass(frozen=True)
class Model:
    """What is needed to recommend.

    Attributes:
        items: ids of the items; their places are the rows and columns of `neighbours`.
        neighbours: items × items, float32; each row at most `parameters.walk.k` entries that add
            up to 1.
        popularity: 0 to 1 for each item, float32.
        parameters: what it was trained with.
    """

    items: Sequence[Hashable]
    neighbours: sparse.csr_array
    popularity: NDArray[np.float32]
    parameters: Parameters

    def recommender(self, rows: Interactions) -> Recommender:
        """Return what recommends to the users of `rows` by their last positives there."""
        profiles = profiles_of(rows, self.parameters.half_life)
        return lambda users, consumed, count: recommend(self, profiles[users], consumed, count)


def train(rows: Interactions, parameters: Parameters | None = None) -> Model:
    """Learn from what happened; one core, seconds for 100,000 rows."""
    parameters = parameters or Parameters()
    liked = positives(matrix(rows, parameters.half_life))
    return Model(
        items=rows.items,
        neighbours=neighbours(Graph(liked), parameters.walk),
        popularity=popularity(liked),
        parameters=parameters,
    )


def popularity(strengths: sparse.csr_array) -> NDArray[np.float32]:
    """Return the sum of each item's strengths as a share of the largest."""
    sums = np.asarray(strengths.sum(axis=0, dtype=np.float64))
    return (sums / max(sums.max(initial=0), np.finfo(float).tiny)).astype(np.float32)


def profiles_of(
    rows: Interactions, half_life: float = FOREVER, most: int = PROFILE
) -> sparse.csr_array:
    """Return the last positives of every user, users × items, with their decayed strengths.

    Of several at the same time, or without times, the strongest are taken.
    """
    liked = positives(matrix(rows, half_life)).tocoo()
    order = np.lexsort((liked.col, -liked.data, -_latest(rows, liked), liked.row))
    starts = np.searchsorted(liked.row[order], np.arange(len(rows.users)))
    rank = np.arange(len(order)) - starts[liked.row[order]]
    kept = order[rank < most]
    return sparse.csr_array((liked.data[kept], (liked.row[kept], liked.col[kept])), liked.shape)


def recommend(
    model: Model, profiles: sparse.csr_array, consumed: sparse.csr_array, count: int
) -> NDArray[np.int32]:
    """Return the best items of each reader, best first: found by walks, filled up by popularity.

    Args:
        profiles: readers × items, as of `profiles_of`.
        consumed: readers × items, with an entry for whatever must not be recommended.
        count: how many.

    Returns:
        readers × count places of items; -1 where there is nothing left.
    """
    lists = np.full((profiles.shape[0], count), -1, np.int32)
    free = np.ones(len(model.items), bool)
    popular = np.lexsort((np.arange(len(free)), -model.popularity))
    popular = popular[model.popularity[popular] > 0]
    for reader, (items, scores) in enumerate(_found(model, profiles)):
        barred = consumed.indices[consumed.indptr[reader] : consumed.indptr[reader + 1]]
        free[barred] = False
        items, scores = items[free[items]], scores[free[items]]
        best = _best(items, scores, model.popularity, count)
        free[best] = False
        enough = popular[: 2 * count + len(barred)]
        filling = enough[free[enough]][: count - len(best)]
        lists[reader, : len(best) + len(filling)] = np.concatenate([best, filling])
        free[barred] = free[best] = True
    return lists


def _best(
    items: NDArray[np.int32],
    scores: NDArray[np.float64],
    popularity: NDArray[np.float32],
    count: int,
) -> NDArray[np.int32]:
    """Return the items with the highest scores, in order; only those that may count are sorted."""
    if len(items) > count:
        likely = scores >= np.partition(scores, -count)[-count]
        items, scores = items[likely], scores[likely]
    return items[np.lexsort((items, -popularity[items], -scores))[:count]]


def _found(
    model: Model, profiles: sparse.csr_array
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float64]]]:
    """Yield for each reader the items that walks find, and their scores from 0 to 1."""
    for start in range(0, profiles.shape[0], BLOCK_READERS):
        found = (profiles[start : start + BLOCK_READERS] @ model.neighbours).tocsr()
        for begin, end in pairwise(found.indptr):
            values = found.data[begin:end].astype(np.float64)
            most = values.max(initial=0)
            yield found.indices[begin:end], (values / most).round(DECIMALS) if most else values


def _latest(rows: Interactions, pairs: sparse.coo_array) -> NDArray[np.float64]:
    """Return the time of the latest row of each pair; 0 for all when there are no times."""
    if rows.at is None:
        return np.zeros(pairs.nnz)
    wide = np.int64(len(rows.items))
    keys, own = np.unique(rows.user * wide + rows.item, return_inverse=True)
    latest = np.full(len(keys), -np.inf)
    np.maximum.at(latest, own, np.nan_to_num(rows.at, nan=-np.inf))
    return latest[np.searchsorted(keys, pairs.row * wide + pairs.col)]
