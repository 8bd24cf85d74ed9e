"""A training: read what people did, find parameters, judge the new model, put it in service.

It runs at most once at a time, in one thread. What is written becomes visible in one transaction:
whatever happens before leaves the model in service where it is.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.db import connection
from scipy import sparse

from feeds.models import ModelRun
from feeds.recommender import baselines, metrics, site, stored, tuning
from feeds.recommender.evaluation import Trial, judge, trial
from feeds.recommender.holdout import split
from feeds.recommender.interactions import Interactions
from feeds.recommender.model import Model, Parameters, profiles_of, recommend, train
from feeds.recommender.tuning import FEWEST_READERS, LENGTH

# Any number; advisory locks have no names.
LOCK = 7_261_904_335
# A model whose NDCG is a smaller part than this of that of the one in service is refused.
LEAST_SHARE = 0.95
# Steps that are reported, at most: those of tuning and five more.
MOST_STEPS = sum(map(len, tuning.AXES.values())) + 5

Report = Callable[[str], None]


class BusyError(Exception):
    """Another training runs."""


def learn(
    *,
    force: bool = False,
    seconds: float = tuning.SECONDS,
    report: Report = lambda _what: None,
) -> ModelRun | None:
    """Train on what people did on the site; the new model takes over if it is good enough.

    Args:
        force: even if nothing has changed since the last training.
        seconds: processor time for finding parameters.
        report: called after each step with what is done next.

    Returns:
        The run: in service, or refused for a reason. None where nothing has changed.

    Raises:
        BusyError: another one runs.
    """
    with _alone():
        running = ModelRun.objects.filter(state=ModelRun.State.RUNNING)
        for left in running:
            left.finish(ModelRun.State.FAILED, "It was interrupted.")
        rows = site.read()
        digest = site.digest_of(rows)
        if not force and digest == _last_digest():
            return None
        run = _begun(rows, digest)
        try:
            _Training(run, rows, seconds, report).run()
        except Exception as error:
            run.finish(ModelRun.State.FAILED, f"{type(error).__name__}: {error}")
            raise
        return run


class _Training:
    """One training, step by step."""

    def __init__(self, run: ModelRun, rows: Interactions, seconds: float, report: Report) -> None:
        self.run_, self.rows, self.seconds, self.report = run, rows, seconds, report
        self.serving = ModelRun.objects.in_service()
        self.began = time.thread_time()

    def run(self) -> None:
        """Tune, judge, train, compare, swap."""
        self.report("tuning")
        parameters = self._tuned()
        self.report("judging")
        self.run_.parameters = parameters.to_json()
        self.run_.metrics = figures(self.rows, parameters)
        self.report("training")
        model = train(self.rows, parameters)
        self.report("comparing")
        reason = self._why_not(model)
        self._measure()
        if reason:
            self.run_.finish(ModelRun.State.REFUSED, reason)
            return
        self.report("writing")
        stored.put_in_service(self.run_, model)

    def _tuned(self) -> Parameters:
        """Find parameters without the rows by which `figures` judges them."""
        kept, _ = split(self.rows)
        start = Parameters.from_json(self.serving.parameters) if self.serving else None
        return tuning.tune(
            kept,
            start,
            seconds=self.seconds,
            report=lambda _parameters, _ndcg: self.report("tuning"),
        ).best

    def _why_not(self, model: Model) -> str:
        """Say why the model is not good enough to take over; nothing if it is."""
        if self.serving is None:
            return ""
        duel = _duel(self.rows, self.serving, model)
        if len(duel.task.users) < FEWEST_READERS:
            return ""
        ours = duel.ndcg(duel.model)
        half_life = Parameters.from_json(self.serving.parameters).half_life
        sources = np.unique(duel.profiles(half_life).indices)
        theirs = duel.ndcg(stored.load(self.serving, self.rows.items, sources))
        self.run_.metrics["duel"] = {
            "run": self.serving.pk,
            "readers": len(duel.task.users),
            "ours": ours,
            "theirs": theirs,
        }
        if ours >= LEAST_SHARE * theirs:
            return ""
        return (
            f"NDCG@{LENGTH} is {ours:.4f}; that of {self.serving}, which is in service, is"
            f" {theirs:.4f} on the same {len(duel.task.users)} readers: {ours / theirs - 1:.0%}."
        )

    def _measure(self) -> None:
        self.run_.cpu_seconds = time.thread_time() - self.began
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.run_.peak_bytes = most * (1 if sys.platform == "darwin" else 1024)


def figures(rows: Interactions, parameters: Parameters) -> dict[str, Any]:
    """Return how good a model with these parameters is on what is held out, and popularity beside.

    Returns:
        Rows of `evaluation.judge` by name; nothing where there is nobody to judge by.
    """
    kept, held_out = split(rows)
    task = trial(kept, held_out, site.creators_of(rows.items), most=tuning.READERS)
    if not len(task.users):
        return {}
    ours = judge("ours", train(kept, parameters).recommender(kept), task)
    floor = judge("popularity", baselines.popular(kept).recommender(kept), task)
    names = ("ours", "new_people", "new_videos", "popularity")
    return {name: row.to_json() for name, row in zip(names, [*ours, floor[0]], strict=True)}


@dataclass(frozen=True)
class _Duel:
    """What the new model and the one in service are both asked.

    Attributes:
        kept: what the readers had done before.
        task: what they did then.
        model: the new one, trained on what the one in service knew, too.
    """

    kept: Interactions
    task: Trial
    model: Model

    def profiles(self, half_life: float) -> sparse.csr_array:
        """Return the last positives of the readers."""
        return profiles_of(self.kept, half_life)[self.task.users]

    def ndcg(self, model: Model) -> float:
        """Judge one of the two."""
        profiles = self.profiles(model.parameters.half_life)
        lists = recommend(model, profiles, self.task.consumed, LENGTH)
        return float(metrics.quality(lists, self.task.held_out, LENGTH).ndcg.mean())


def _duel(rows: Interactions, serving: ModelRun, model: Model) -> _Duel:
    """Judge by what happened after the one in service was trained, which neither model has seen.

    What happened are pairs of a person and a video that had nothing to do with each other before.
    Who watches again what they had liked gives no answer: the one in service has learnt it, and so
    does the new one. Where that is too little, the last acts of all decide, which both have seen.
    Either way neither has an advantage: one that had learnt the answers would always win against
    one that had not.
    """
    until = serving.learnt_until.timestamp() if serving.learnt_until else -np.inf
    after = rows.first > until if rows.first is not None else np.zeros(len(rows), bool)
    kept = rows.rows(~after)
    task = trial(kept, rows.rows(after), most=tuning.READERS)
    if len(task.users) >= FEWEST_READERS:
        return _Duel(kept, task, train(kept, model.parameters))
    kept, held_out = split(rows)
    return _Duel(kept, trial(kept, held_out, most=tuning.READERS), model)


def _begun(rows: Interactions, digest: str) -> ModelRun:
    people, items = rows.shape
    latest = datetime.fromtimestamp(rows.at.max(), UTC) if rows.at is not None and people else None
    return ModelRun.objects.create(
        digest=digest, learnt_until=latest, rows=len(rows), people=people, items=items
    )


def _last_digest() -> str:
    over = ModelRun.objects.exclude(state=ModelRun.State.FAILED)
    return over.order_by("pk").values_list("digest", flat=True).last() or ""


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise BusyError("Another training runs. Wait for it to end.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
