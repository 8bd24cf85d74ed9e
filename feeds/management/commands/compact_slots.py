"""Begin a new epoch of the slots, in which deleted videos have no place any more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feeds.compaction import NotNowError, compact


class Command(BaseCommand):
    """`manage.py compact_slots [--force]`; safe beside running services. Also runs every hour."""

    help = "Renumber the shuffle of everybody's videos when a fifth of its places is empty."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--force", action="store_true", help="Even if few places are empty.")

    def handle(self, *args: Any, force: bool, **options: Any) -> None:
        """Say what was done, or why it was not."""
        try:
            self.stdout.write(compact(force=force))
        except NotNowError as reason:
            raise CommandError(str(reason)) from reason
