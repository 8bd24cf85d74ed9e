"""`restore`: the site as it was at the time of a backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tiktok_clone.operations import restoring


class Command(BaseCommand):
    """Stop web servers and workers first."""

    help = "Replace database and media by a backup. Everybody has to sign in again."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """What from, and whether a filled site may be replaced."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--overwrite", action="store_true", help="Replace a filled site.")

    def handle(
        self, *args: Any, file: Path, overwrite: bool, verbosity: int, **options: Any
    ) -> None:
        """Restore and say what came of it."""
        try:
            done = restoring.restore(file, overwrite=overwrite, show_progress=verbosity > 0)
        except restoring.RestoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"The site is as it was at {done.manifest.created_at};"
            f" {done.written} objects were written."
        )
        missing = [name for report in done.reports for name in report.missing]
        unknown = [name for report in done.reports for name in (*report.orphans, *report.young)]
        if missing:
            self.stdout.write(f"{len(missing)} objects are missing, e.g. {missing[0]}.")
        if unknown:
            self.stdout.write(
                f"{len(unknown)} objects are newer than the backup or of nobody;"
                " after some weeks the sweep removes them (`reconcile_media`)."
            )
