"""Train the recommender on what people did on the site."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from tqdm import tqdm

from feeds.models import ModelRun
from feeds.recommender import training, tuning


class Command(BaseCommand):
    """`manage.py train_recommender`; safe beside running services. Also runs every hour."""

    help = "Train the recommender; the new model takes over if it is good enough."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument(
            "--force", action="store_true", help="Even if nothing has changed since the last time."
        )
        parser.add_argument(
            "--tune",
            type=float,
            default=tuning.SECONDS,
            metavar="SECONDS",
            help="Processor time for finding parameters (default %(default)s, 0 for none).",
        )

    def handle(self, *args: Any, force: bool, tune: float, **options: Any) -> None:
        """Train, and say what became of it."""
        with tqdm(total=training.MOST_STEPS, unit="step", file=self.stderr, disable=None) as bar:

            def report(what: str) -> None:
                bar.set_description(what)
                bar.update()

            try:
                run = training.learn(force=force, seconds=tune, report=report)
            except training.BusyError as reason:
                raise CommandError(str(reason)) from reason
            bar.update(bar.total - bar.n)
        if run is None:
            self.stdout.write("Nothing has changed since the last training.")
            return
        self.stdout.write(summary(run))
        if run.state == ModelRun.State.REFUSED:
            raise CommandError(f"Refused: {run.reason}")


def summary(run: ModelRun) -> str:
    """Return what a training did, in a few lines."""
    lines = [
        f"{run.rows:,} rows, {run.people:,} people, {run.items:,} videos",
        "parameters: " + ", ".join(f"{name} {value}" for name, value in run.parameters.items()),
        f"{run.cpu_seconds:.1f} CPU-seconds, {filesizeformat(run.peak_bytes)} at most",
    ]
    for name in ("ours", "popularity"):
        if figures := run.metrics.get(name):
            recall, ndcg = figures["recall"], figures["ndcg"]
            lines.append(f"{name}: Recall@20 {recall['20']:.4f}, NDCG@20 {ndcg['20']:.4f}")
    return "\n".join([*lines, f"{run}: {run.get_state_display().lower()}"])
