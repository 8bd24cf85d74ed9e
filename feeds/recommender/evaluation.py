"""Judging models: the same lists for the same held-out rows, for all and for those with little."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from feeds.recommender import metrics
from feeds.recommender.interactions import Interactions, Recommender, matrix, positives

LENGTHS = (10, 20, 50)
# What counts as little history: rows of a person, or of an item, in training.
FEW_ROWS = 2
FEW_LIKES = 5


@dataclass(frozen=True)
class Trial:
    """What is asked of every model.

    Attributes:
        users: places of those who have held-out rows, all of whom are judged.
        consumed: these users × items, what they had in training; never recommended.
        held_out: these users × items, what they turned out to like and had not consumed.
        popularity: how many people liked each item in training.
        creators: number of each item's creator, where known.
    """

    users: NDArray[np.intp]
    consumed: sparse.csr_array
    held_out: sparse.csr_array
    popularity: NDArray[np.int64]
    creators: NDArray[np.int32] | None = None


def trial(
    train: Interactions,
    test: Interactions,
    creators: NDArray[np.int32] | None = None,
    most: int | None = None,
    seed: int = 0,
) -> Trial:
    """Prepare judging by `test` what was trained on `train`; both have the same ids.

    Args:
        most: judge a random part of the users when there are more.
    """
    consumed = matrix(train)
    held_out = _without(positives(matrix(test)), consumed)
    users = np.flatnonzero(np.diff(held_out.indptr))
    if most is not None and len(users) > most:
        users = np.sort(np.random.default_rng(seed).choice(users, most, replace=False))
    likes = np.bincount(positives(consumed).indices, minlength=consumed.shape[1])
    return Trial(users, consumed[users], held_out[users], likes, creators)


@dataclass(frozen=True)
class Row:
    """One line of the table of a model, or of a slice of those whom it serves."""

    name: str
    readers: int
    recall: dict[int, float]
    ndcg: dict[int, float]
    hit: dict[int, float]
    coverage: float | None = None
    gini: float | None = None
    top_share: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, whose names are strings, also those of lengths."""
        by_length = {name: getattr(self, name) for name in ("recall", "ndcg", "hit")}
        named = {
            name: {str(n): value for n, value in values.items()}
            for name, values in by_length.items()
        }
        return asdict(self) | named

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Row":
        """Return what `to_json` wrote."""
        by_length = {
            name: {int(n): value for n, value in values[name].items()}
            for name in ("recall", "ndcg", "hit")
        }
        return cls(**{**values, **by_length})


def judge(name: str, recommend: Recommender, task: Trial) -> list[Row]:
    """Return the row of a recommender, then its slices with little history."""
    lists = recommend(task.users, task.consumed, max(LENGTHS))
    items = task.held_out.shape[1]
    everyone = Row(
        name,
        *_means(lists, task.held_out),
        coverage=metrics.coverage(lists[:, :20], items),
        gini=metrics.concentration(lists[:, :20], task.creators, items),
        top_share=metrics.top_share(lists[:, :20], task.creators, items),
    )
    new = np.diff(task.consumed.indptr) <= FEW_ROWS
    rare = _only(task.held_out, task.popularity <= FEW_LIKES)
    wanting = np.diff(rare.indptr) > 0
    return [
        everyone,
        Row(f"… people with at most {FEW_ROWS} acts", *_means(lists[new], task.held_out[new])),
        Row(f"… items with at most {FEW_LIKES} likes", *_means(lists[wanting], rare[wanting])),
    ]


def _means(
    lists: NDArray[np.int32], held_out: sparse.csr_array
) -> tuple[int, dict[int, float], dict[int, float], dict[int, float]]:
    """Return how many readers there are, and the means of recall, NDCG and hit by length."""
    if not len(lists):
        nothing = dict.fromkeys(LENGTHS, 0.0)
        return 0, nothing, nothing, nothing
    found = {length: metrics.quality(lists, held_out, length) for length in LENGTHS}
    return (
        len(lists),
        {length: float(values.recall.mean()) for length, values in found.items()},
        {length: float(values.ndcg.mean()) for length, values in found.items()},
        {length: float(values.hit.mean()) for length, values in found.items()},
    )


def _without(wanted: sparse.csr_array, consumed: sparse.csr_array) -> sparse.csr_array:
    """Return the entries of one matrix that the other has none for."""
    pairs, had = wanted.tocoo(), consumed.tocoo()
    wide = np.int64(wanted.shape[1])
    fresh = ~np.isin(pairs.row * wide + pairs.col, had.row * wide + had.col)
    return sparse.csr_array((pairs.data[fresh], (pairs.row[fresh], pairs.col[fresh])), wanted.shape)


def _only(held_out: sparse.csr_array, items: NDArray[np.bool_]) -> sparse.csr_array:
    """Return the entries of some items, leaving the shape as it is."""
    part = held_out.tocoo()
    kept = items[part.col]
    return sparse.csr_array((part.data[kept], (part.row[kept], part.col[kept])), part.shape)
