"""Compare counters with the rows that they count."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tiktok_clone.operations import counters


class Command(BaseCommand):
    """`manage.py reconcile_counters [--dry-run]`; also runs every night."""

    help = "Find counters that differ from their rows, report them, and set them right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options."""
        parser.add_argument("--dry-run", action="store_true", help="Only report.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each counter that was wrong."""
        drifts = counters.reconcile(dry_run=options["dry_run"])
        for drift in drifts:
            self.stdout.write(str(drift))
        verb = "would be" if options["dry_run"] else "were"
        self.stdout.write(f"{len(drifts)} counters {verb} corrected")
