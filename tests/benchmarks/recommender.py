"""`python -m tests.benchmarks.recommender`: our recommender beside others, by the same evaluator.

Each is trained in a process of its own, for its processor time and peak memory. ALS and BPR are
those of the package `implicit`; install tests/benchmarks/requirements-recommender.txt for them.
The larger set is made up: it has the size of a large public one, a power law and themes.
"""

import argparse
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import django
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from tqdm import tqdm

from feeds.recommender import baselines, files, holdout, tuning
from feeds.recommender.drawing import draw, table_of
from feeds.recommender.evaluation import Row, judge, trial
from feeds.recommender.interactions import Interactions, Recommender, matrix, positives
from feeds.recommender.model import Parameters, train
from feeds.recommender.walk import Walk
from tests.benchmarks.measured import measured

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ROOT.parent / "shared" / "data" / "recommendation"
PLOT = ROOT / "docs" / "img" / "recommender.png"
PARTS_OF_IMPLICIT = ("ALS", "BPR")
BLOCK = 1000
Pair = tuple[Interactions, Interactions]


@dataclass(frozen=True)
class Measured:
    """One recommender on one set."""

    rows: list[Row]
    cpu_seconds: float
    peak_mb: float


def main() -> None:
    """Measure everything, print the tables, draw the plot of the first set."""
    _read_without_site()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.recommender")
    parser.add_argument("--train", type=Path, default=PUBLIC / "train.csv")
    parser.add_argument("--test", type=Path, default=PUBLIC / "val.csv")
    parser.add_argument("--plot", type=Path, default=PLOT)
    parser.add_argument("--quick", action="store_true", help="leave the made-up set out")
    options = parser.parse_args()
    sets: dict[str, Callable[[], Pair]] = {}
    if not options.quick:
        sets["made up, 810,000 rows"] = _made_up
    if options.train.is_file():
        sets = {options.train.name: _Files(options.train, options.test)} | sets
    else:
        print(f"No {options.train}: the public set is not measured.")
    names = [*RECOMMENDERS]
    if find_spec("implicit") is None:
        names = [name for name in names if name not in PARTS_OF_IMPLICIT]
        print("The package implicit is not installed: without ALS and BPR.")
    for place, (title, load) in enumerate(sets.items()):
        results = [_in_process(name, load) for name in tqdm(names, desc=title)]
        _report(title, results)
        if place == 0:
            draw([result.rows[0] for result in results], options.plot)
            print(f"Drawn: {options.plot}")
    print(f"Load of the machine: {os.getloadavg()[0]:.1f}")


def _read_without_site() -> None:
    """Have the settings read, here and in the processes that are started; no service is used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.test")
    os.environ.setdefault("SECRET_KEY", "offline")
    os.environ.setdefault("DATABASE_URL", "postgres://offline@127.0.0.1:9/offline")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _report(title: str, results: list[Measured]) -> None:
    print(f"\n{title}\n{table_of([row for result in results for row in result.rows])}")
    for result in results:
        cost = f"{result.cpu_seconds:8.1f} CPU-seconds of training, {result.peak_mb:7,.0f} MB"
        print(f"{result.rows[0].name:36} {cost}")


def _in_process(name: str, load: Callable[[], Pair]) -> Measured:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, name, load).result()


def _measure(name: str, load: Callable[[], Pair]) -> Measured:
    rows, test = load()
    cost = measured(lambda: RECOMMENDERS[name](rows))
    return Measured(
        judge(name, cost.done, trial(rows, test, most=5000)), cost.cpu_seconds, cost.peak_mb
    )


@dataclass(frozen=True)
class _Files:
    """A set in two files."""

    train: Path
    test: Path

    def __call__(self) -> Pair:
        rows, test = files.read(self.train, self.test)
        return rows, test


def _made_up() -> Pair:
    django.setup()  # beside what makes it up stand helpers that know the site's tables
    from tests.feeds.themes import themed

    return holdout.split(themed(users=30_000, items=41_000, rows=1_200_000, themes=600), seed=7)


def _ours(rows: Interactions) -> Recommender:
    return train(rows, tuning.tune(rows).best).recommender(rows)


def _one_step(rows: Interactions) -> Recommender:
    return train(rows, Parameters(Walk(steps=1))).recommender(rows)


def _untuned(rows: Interactions) -> Recommender:
    return train(rows).recommender(rows)


def _als(rows: Interactions) -> Recommender:
    from implicit.als import AlternatingLeastSquares

    # Of what was tried on the validation rows of the public set, the best.
    return _by_factors(
        AlternatingLeastSquares(
            factors=64, regularization=30, alpha=40, iterations=15, random_state=0, num_threads=1
        ),
        rows,
    )


def _bpr(rows: Interactions) -> Recommender:
    from implicit.bpr import BayesianPersonalizedRanking

    return _by_factors(
        BayesianPersonalizedRanking(factors=64, iterations=100, random_state=0, num_threads=1),
        rows,
    )


def _by_factors(model: object, rows: Interactions) -> Recommender:
    """Train a model of the package implicit, and rank all items by its factors."""
    model.fit(sparse.csr_matrix(positives(matrix(rows))), show_progress=False)  # type: ignore[attr-defined]
    people, items = model.user_factors, model.item_factors  # type: ignore[attr-defined]

    def recommend(
        users: NDArray[np.intp], consumed: sparse.csr_array, count: int
    ) -> NDArray[np.int32]:
        lists = np.empty((len(users), count), np.int32)
        for start in range(0, len(users), BLOCK):
            part = slice(start, start + BLOCK)
            scores = people[users[part]] @ items.T
            scores[consumed[part].nonzero()] = -np.inf
            lists[part] = np.argsort(-scores, axis=1, kind="stable")[:, :count]
        return lists

    return recommend


RECOMMENDERS: dict[str, Callable[[Interactions], Recommender]] = {
    "popularity": lambda rows: baselines.popular(rows).recommender(rows),
    "item kNN, TF-IDF": lambda rows: baselines.item_knn(rows).recommender(rows),
    "ALS": _als,
    "BPR": _bpr,
    "RP3β, one step": _one_step,
    "ours, not tuned": _untuned,
    "ours": _ours,
}

if __name__ == "__main__":
    main()
