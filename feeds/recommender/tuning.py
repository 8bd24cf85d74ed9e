"""Finding parameters by what they would have recommended for rows held out of training."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from feeds.recommender import metrics
from feeds.recommender.evaluation import Trial, trial
from feeds.recommender.holdout import split
from feeds.recommender.interactions import FOREVER, Interactions, matrix, positives
from feeds.recommender.model import Model, Parameters, popularity, profiles_of, recommend
from feeds.recommender.walk import Graph, neighbours

# The axes along which we look, one after the other, each from the best so far.
AXES: dict[str, tuple[float | int, ...]] = {
    "steps": (3, 1),
    "beta": (0.0, 0.1, 0.2, 0.4, 0.6),
    "smooth": (0.0, 0.2),
    "alpha": (0.8, 1.0, 0.6),
    "half_life": (FOREVER, 7.0, 30.0, 90.0),
    "k": (200, 100, 300),
}
# Where one value on these is clearly worse than the best, those after it are worse still.
RISING = {"beta"}
READERS = 3000
# With fewer to judge by, nothing is tried: whatever came out would be chance.
FEWEST_READERS = 20
SECONDS = 60.0
LENGTH = 20
# Something else replaces the best so far only when it is better by this many standard errors of
# the difference: of a dozen that are no better, one would often be by two.
ERRORS = 3.0

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
        seconds: of the processor; what would take longer, if it took what the best so far did, is
            not begun.
        readers: judged by at most so many, drawn by chance.
        report: called after each trial.
    """
    until = time.thread_time() + seconds
    kept, held_out = split(rows)
    task = trial(kept, held_out, most=readers)
    found = Tuning(start or Parameters())
    if len(task.users) < FEWEST_READERS:
        return found
    search = _Search(kept, task, found, report)
    ended: set[str] = set()
    for axis, value in _places(timed=kept.at is not None):
        if axis in ended:
            continue
        if found.tried and time.thread_time() + search.seconds[found.best] > until:
            break
        worse = search.look(varied(found.best, axis, value))
        if worse and axis in RISING:
            ended.add(axis)
    return found


@dataclass(frozen=True)
class _World:
    """What all walks with the same half-life share.

    Attributes:
        graph: of the decayed positives.
        profiles: the last positives of those who are judged.
        sources: the items in these: only they are walked from.
        popularity: what lists are filled up with.
    """

    graph: Graph
    profiles: sparse.csr_array
    sources: NDArray[np.bool_]
    popularity: NDArray[np.float32]


class _Search:
    """Trials on the same held-out rows."""

    def __init__(self, rows: Interactions, task: Trial, found: Tuning, report: Report) -> None:
        self.rows, self.task, self.found, self.report = rows, task, found, report
        self.results: dict[Parameters, NDArray[np.float64]] = {}
        self.seconds: dict[Parameters, float] = {}
        self.worlds: dict[float, _World] = {}

    def look(self, candidate: Parameters) -> bool:
        """Try a candidate, and the best so far if that has not been; keep the better one.

        Returns:
            Whether the candidate is clearly worse.
        """
        result, best = self._result(candidate), self._result(self.found.best)
        if _is_better(result, best):
            self.found.best = candidate
        return _is_better(best, result)

    def _result(self, parameters: Parameters) -> NDArray[np.float64]:
        if parameters not in self.results:
            start = time.thread_time()
            self.results[parameters] = self._ndcg(parameters)
            self.seconds[parameters] = time.thread_time() - start
            self.found.tried[parameters] = float(self.results[parameters].mean())
            self.report(parameters, self.found.tried[parameters])
        return self.results[parameters]

    def _ndcg(self, parameters: Parameters) -> NDArray[np.float64]:
        """Return the NDCG of each reader."""
        world = self._world(parameters.half_life)
        found = neighbours(world.graph, parameters.walk, world.sources)
        model = Model(self.rows.items, found, world.popularity, parameters)
        lists = recommend(model, world.profiles, self.task.consumed, LENGTH)
        return metrics.quality(lists, self.task.held_out, LENGTH).ndcg

    def _world(self, half_life: float) -> _World:
        if half_life not in self.worlds:
            liked = positives(matrix(self.rows, half_life))
            profiles = profiles_of(self.rows, half_life)[self.task.users]
            sources = np.zeros(len(self.rows.items), bool)
            sources[profiles.indices] = True
            self.worlds[half_life] = _World(Graph(liked), profiles, sources, popularity(liked))
        return self.worlds[half_life]


def _places(*, timed: bool) -> Iterator[tuple[str, float | int]]:
    """Yield where to look; decay makes no difference without times."""
    for axis, values in AXES.items():
        if timed or axis != "half_life":
            yield from ((axis, value) for value in values)


def varied(parameters: Parameters, axis: str, value: float | int) -> Parameters:
    """Return parameters with one of them changed, wherever it is kept."""
    if axis == "half_life":
        return replace(parameters, half_life=value)
    changed: dict[str, Any] = {axis: value}
    return replace(parameters, walk=replace(parameters.walk, **changed))


def _is_better(candidate: NDArray[np.float64], best: NDArray[np.float64]) -> bool:
    difference = candidate - best
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return bool(difference.mean() > ERRORS * error)
