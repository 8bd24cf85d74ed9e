"""`backup`: database and media in one file, while the site runs."""

import signal
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tiktok_clone.operations import backup


class Command(BaseCommand):
    """The file appears under its name only when it is complete."""

    help = "Back up database and media into one file (DATA_DIR/backups/loopy-TIME.tar)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", nargs="?", type=Path, help="A file that does not exist yet.")

    def handle(self, *args: Any, file: Path | None, verbosity: int, **options: Any) -> None:
        """Make the backup and say where it is."""
        target = (file or backup.default_path()).absolute()
        # So that what is not finished is removed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            count = backup.create(target, show_progress=verbosity > 0)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        size = target.stat().st_size / 1_000_000
        self.stdout.write(f"{target}: the database and {count} objects, {size:,.1f} MB.")
