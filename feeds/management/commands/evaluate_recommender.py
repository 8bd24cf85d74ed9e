"""Say how good the recommender is: on what people did on the site, or on files."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from numpy.typing import NDArray
from tqdm import tqdm

from feeds.recommender import baselines, files, holdout, site, tuning
from feeds.recommender.drawing import draw, table_of
from feeds.recommender.evaluation import Row, judge, trial
from feeds.recommender.interactions import Interactions, matrix
from feeds.recommender.model import Model, Parameters, profiles_of, recommend, train
from tiktok_clone.common.errors import DomainError

COUNT = 50
BLOCK = 1000


class Command(BaseCommand):
    """`manage.py evaluate_recommender [--train F]`; changes nothing in the database."""

    help = (
        "Train the recommender on all but the last acts on the site and judge it by these; or do "
        "so with CSV files `user,item[,type,ts]`, without any database."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Files."""
        parser.add_argument(
            "--train", type=Path, metavar="F", help="Train on this file, not on the site's rows."
        )
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
        rows, test, creators = self._read(options["train"], options["test"])
        users, items = rows.shape
        self.stdout.write(f"{len(rows):,} rows, {users:,} users, {items:,} items")
        if test is None and not options["recommend"]:
            rows, test = holdout.split(rows)
        parameters = self._tuned(rows, options["tune"])
        if test is not None:
            self._judge(rows, test, creators, parameters, options["plot"])
        if options["recommend"]:
            model = self._trained(rows, parameters)
            written = files.write_lists(options["recommend"], self._lists(rows, model))
            self.stdout.write(f"{written:,} rows in {options['recommend']}")

    def _read(
        self, train: Path | None, test: Path | None
    ) -> tuple[Interactions, Interactions | None, NDArray[np.int32] | None]:
        """Return rows to train on, rows to judge by, and the items' creators, where given."""
        if train:
            rows, *tests = files.read(train, *([test] if test else []))
            return rows, tests[0] if tests else None, None
        if test:
            raise CommandError("--test needs --train: a file's ids mean nothing to the site's.")
        rows = site.read()
        if not len(rows):
            raise CommandError("Nobody has done anything yet that could be learnt from.")
        return rows, None, site.creators_of(rows.items)

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
        start = time.thread_time()
        model = train(rows, parameters)
        self.stdout.write(f"trained in {time.thread_time() - start:.1f} CPU-seconds")
        return model

    def _judge(
        self,
        rows: Interactions,
        test: Interactions,
        creators: NDArray[np.int32] | None,
        parameters: Parameters,
        plot: Path | None,
    ) -> None:
        """Print the table of our model and of popularity."""
        task = trial(rows, test, creators)
        if not len(task.users):
            raise CommandError(
                "Nobody has anything to judge by: there are too few rows, or the test rows are all"
                " in the training rows."
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
