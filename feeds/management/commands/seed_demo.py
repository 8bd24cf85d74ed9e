"""`seed_demo`: people, clips, likes and comments to look at."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from feeds.demo import seeding, tasks
from feeds.demo.clips import CLIPS
from feeds.demo.people import DEMO_EMAIL, DEMO_PASSWORD
from feeds.trending import recompute

NO_WORKER_SECONDS = 90


class Command(BaseCommand):
    """Fill in the demo; what is there already stays."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """`--ready N` leaves the rest to the worker."""
        parser.add_argument(
            "--ready",
            type=int,
            default=len(CLIPS),
            help="Return when so many clips can be watched; the worker goes on with the others.",
        )

    def handle(self, *args: Any, ready: int, **options: Any) -> None:
        """Make people, post what is missing, wait, and react."""
        if ready < 0:
            raise CommandError("--ready takes a number from 0.")
        seeding.ensure_people()
        seeding.retry_failed()
        self.post(ready)
        for name in seeding.clips_without_reactions():
            if not seeding.react_to(name):
                tasks.enqueue_reactions(name)
        recompute()
        seeding.train()
        failed = seeding.failed_clips().count()
        if failed:
            self.stderr.write(f"{failed} clips could not be processed; another run tries again.")
        self.stdout.write(f"Demo data is there. Sign in as {DEMO_EMAIL} with {DEMO_PASSWORD}.")

    def post(self, ready: int) -> None:
        """Draw and upload here until enough clips are on their way; the worker draws the rest."""
        missing = seeding.missing_clips()
        on_their_way = seeding.ready_clips() + seeding.unfinished_clips()
        goal = min(ready, on_their_way + len(missing))
        here = max(goal - on_their_way, 0)
        with tqdm(total=goal, desc="Demo clips", unit="clip", disable=None) as bar:
            for clip in missing[:here]:
                seeding.post_clip(clip)
                self.show(bar)
            self.wait(bar, goal)
        for clip in missing[here:]:
            tasks.enqueue_clip(clip.name)

    def show(self, bar: "tqdm[Any]") -> None:
        """Move the bar to the number of ready clips."""
        bar.n = min(seeding.ready_clips(), bar.total)
        bar.refresh()

    def wait(self, bar: "tqdm[Any]", goal: int) -> None:
        """Wait for the worker; say so when none takes the jobs."""
        seen, since = -1, time.monotonic()
        while (ready := seeding.ready_clips()) < goal and seeding.unfinished_clips():
            if ready != seen:
                seen, since = ready, time.monotonic()
            if time.monotonic() - since > NO_WORKER_SECONDS:
                raise CommandError("No worker takes the jobs. Start one with: make worker")
            self.show(bar)
            time.sleep(0.3)
        self.show(bar)
