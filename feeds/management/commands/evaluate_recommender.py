"""Train the recommender on a file, judge it, and write what it recommends."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from feeds.recommender import baselines, files, holdout, tuning
from feeds.recommender.drawing import draw, table_of
from feeds.recommender.evaluation import Row, judge, trial
from feeds.recommender.interactions import Interactions, matrix
from feeds.recommender.model import Model, Parameters, profiles_of, recommend, train
from tiktok_clone.common.errors import DomainError

COUNT = 50
BLOCK = 1000


class Command(BaseCommand):
    """`manage.py evaluate_recommender --train F`; reads and writes files, never the database."""

    help = "Train the recommender on a CSV file `user,item[,type,ts]` and say how good it is."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Files."""
        parser.add_argument("--train", type=Path, required=True, metavar="F", help="Train on this.")
        parser.add_argument(
            "--test",
            type=Path,
            metavar="F",
            help="Judge by this; without, by a part of the training file that is held out.",
        )
        parser.add_argument(
            "--recommend",
            type=Path,
            metavar="OUT.csv",
            help=f"Write for each user the best {COUNT} items: user,item,rank.",
        )
        parser.add_argument(
            "--tune",
            type=float,
            default=tuning.SECONDS,
            metavar="SECONDS",
            help="Processor time for finding parameters (default %(default)s, 0 for none).",
        )
        parser.add_argument("--plot", type=Path, metavar="FILE", help="Draw the table.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, tune, judge, write."""
        try:
            self._run(options)
        except DomainError as error:
            raise CommandError(f"{error.message} ({error.code})") from error
        except OSError as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        paths = [options["train"]] + ([options["test"]] if options["test"] else [])
        everything, *tests = files.read(*paths)
        users, items = everything.shape
        self.stdout.write(f"{len(everything):,} rows, {users:,} users, {items:,} items")
        parameters = self._tuned(everything, options["tune"])
        if tests or not options["recommend"]:
            rows, test = (everything, tests[0]) if tests else holdout.split(everything)
            self._judge(rows, test, parameters, options["plot"])
        if options["recommend"]:
            model = self._trained(everything, parameters)
            written = files.write_lists(options["recommend"], self._lists(everything, model))
            self.stdout.write(f"{written:,} rows in {options['recommend']}")

    def _tuned(self, rows: Interactions, seconds: float) -> Parameters:
        if seconds <= 0:
            return Parameters()
        with tqdm(desc="tuning", unit="trial", file=self.stderr, disable=None) as bar:

            def report(_parameters: Parameters, ndcg: float) -> None:
                bar.update()
                bar.set_postfix(ndcg=f"{ndcg:.4f}")

            best = tuning.tune(rows, seconds=seconds, report=report).best
        self.stdout.write(f"parameters: {best.describe()}")
        return best

    def _trained(self, rows: Interactions, parameters: Parameters) -> Model:
        start = time.process_time()
        model = train(rows, parameters)
        self.stdout.write(f"trained in {time.process_time() - start:.1f} CPU-seconds")
        return model

    def _judge(
        self, rows: Interactions, test: Interactions, parameters: Parameters, plot: Path | None
    ) -> None:
        """Print the table of our model and of popularity."""
        task = trial(rows, test)
        if not len(task.users):
            raise CommandError(
                "Nobody has anything to judge by: the test rows are all in the training rows."
            )
        ours = self._trained(rows, parameters)
        table: list[Row] = []
        for name, model in (("popularity", baselines.popular(rows)), ("ours", ours)):
            table += judge(name, model.recommender(rows), task)
        self.stdout.write(table_of(table))
        if plot:
            draw(table, plot)

    def _lists(self, rows: Interactions, model: Model) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield each user of the training rows and the ids of their best items."""
        profiles, consumed = profiles_of(rows, model.parameters.half_life), matrix(rows)
        present = np.flatnonzero(np.diff(consumed.indptr))
        blocks = [present[start : start + BLOCK] for start in range(0, len(present), BLOCK)]
        for block in tqdm(blocks, desc="recommending", file=self.stderr, disable=None):
            lists = recommend(model, profiles[block], consumed[block], COUNT)
            for user, items in zip(block, lists, strict=True):
                yield str(rows.users[user]), [str(rows.items[item]) for item in items if item >= 0]
