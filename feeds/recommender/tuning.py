"""Finding parameters by what they would have recommended for rows held out of training."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from feeds.recommender import metrics
from feeds.recommender.evaluation import Trial, trial
from feeds.recommender.holdout import split
from feeds.recommender.interactions import FOREVER, Interactions, matrix, positives
from feeds.recommender.model import Model, Parameters, popularity, profiles_of, recommend
from feeds.recommender.walk import neighbours

# The axes along which we look, one after the other, each from the best so far.
AXES: dict[str, tuple[float | int | None, ...]] = {
    "onward": (1.2, None, 1.0, 1.5),
    "beta": (0.0, 0.1, 0.2, 0.4),
    "alpha": (0.8, 0.6, 1.0),
    "half_life": (FOREVER, 7.0, 30.0, 90.0),
    "k": (200, 100, 300),
}
READERS = 1500
SECONDS = 45.0
LENGTH = 20
# Something else replaces the best so far only when it is better by this many standard errors of
# the difference: with few held-out rows most differences are chance.
ERRORS = 1.0

Report = Callable[[Parameters, float], None]


@dataclass
class Tuning:
    """A search that has begun.

    Attributes:
        tried: NDCG@20 on what was held out, by parameters, in the order of trying.
        best: the winner so far.
    """

    best: Parameters
    tried: dict[Parameters, float] = field(default_factory=dict)


def tune(
    rows: Interactions,
    start: Parameters | None = None,
    *,
    seconds: float = SECONDS,
    readers: int = READERS,
    report: Report = lambda _parameters, _ndcg: None,
) -> Tuning:
    """Look for the parameters with the best NDCG@20 on rows held out of `rows`.

    Args:
        start: where to begin; what is returned when there is nothing to judge by.
        seconds: of the processor, after which nothing new is tried.
        readers: judged by at most so many, drawn by chance.
        report: called after each trial.
    """
    kept, held_out = split(rows)
    task = trial(kept, held_out, most=readers)
    found = Tuning(start or Parameters())
    if not len(task.users):
        return found
    until = time.process_time() + seconds
    results: dict[Parameters, NDArray[np.float64]] = {}

    def result(candidate: Parameters) -> NDArray[np.float64]:
        if candidate not in results:
            results[candidate] = _ndcg(kept, task, candidate)
            found.tried[candidate] = float(results[candidate].mean())
            report(candidate, found.tried[candidate])
        return results[candidate]

    for axis, values in AXES.items():
        if axis == "half_life" and kept.at is None:
            continue
        for value in values:
            if found.tried and time.process_time() > until:
                return found
            candidate = varied(found.best, axis, value)
            if _is_better(result(candidate), result(found.best)):
                found.best = candidate
    return found


def varied(parameters: Parameters, axis: str, value: float | int | None) -> Parameters:
    """Return parameters with one of them changed, wherever it is kept."""
    if axis == "half_life":
        return replace(parameters, half_life=value)
    return replace(parameters, walk=replace(parameters.walk, **{axis: value}))


def _ndcg(rows: Interactions, task: Trial, parameters: Parameters) -> NDArray[np.float64]:
    """Return the NDCG of each reader; only items in their profiles are walked from."""
    liked = positives(matrix(rows, parameters.half_life))
    profiles = profiles_of(rows, parameters.half_life)[task.users]
    sources = np.zeros(len(rows.items), bool)
    sources[profiles.indices] = True
    model = Model(
        rows.items, neighbours(liked, parameters.walk, sources), popularity(liked), parameters
    )
    lists = recommend(model, profiles, task.consumed, LENGTH)
    return metrics.quality(lists, task.held_out, LENGTH).ndcg


def _is_better(candidate: NDArray[np.float64], best: NDArray[np.float64]) -> bool:
    difference = candidate - best
    error = difference.std() / np.sqrt(len(difference))
    return bool(difference.mean() > ERRORS * error)
