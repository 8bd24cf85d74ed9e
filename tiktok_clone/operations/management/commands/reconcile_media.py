"""`reconcile_media`: do the stores have what the rows name, and nothing else?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tiktok_clone.common.models import StoredObject
from tiktok_clone.operations import sweeping

NAMES_SHOWN = 1000
FIGURES = (
    ("listed", "objects in the store"),
    ("foreign", "not of this program, left alone"),
    ("young", "of nobody yet, but of a moment ago"),
    ("orphans", "of nobody"),
    ("quarantined", "newly in quarantine"),
    ("removed", "removed after their quarantine"),
    ("checked", "rows of the books checked"),
    ("adopted", "new to the books"),
    ("confirmed", "had come unnoticed"),
    ("expired", "never came, or not needed any more"),
    ("missing", "missing from the store"),
    ("found_again", "found again"),
    ("lost", "clips taken off the site"),
    ("regained", "clips shown again"),
    ("mended", "clips a part of which is made anew"),
)


class Command(BaseCommand):
    """The worker does the same every hour; see docs/operations.md for what becomes of it."""

    help = "Compare the stores with the books, and bring them in line."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to change anything, and how closely to look."""
        parser.add_argument("--dry-run", action="store_true", help="Only say what is found.")
        parser.add_argument(
            "--checksums", action="store_true", help="Read every object on the disk, too."
        )

    def handle(
        self, *args: Any, dry_run: bool, checksums: bool, verbosity: int, **options: Any
    ) -> None:
        """Sweep, then say what was found in each store."""
        with tqdm(
            total=2 * StoredObject.objects.count(), unit="object", file=self.stderr,
            disable=None if verbosity else True,
        ) as bar:  # fmt: skip
            try:
                reports = sweeping.sweep_all(
                    write=not dry_run, checksums=checksums, progress=bar.update
                )
            except sweeping.BusyError as error:
                raise CommandError(str(error)) from error
        for report in reports:
            self._tell(report)
        if dry_run:
            self.stdout.write("Nothing was changed.")

    def _tell(self, report: sweeping.Report) -> None:
        sweep = report.sweep
        self._list("missing", report.missing)
        self._list("orphan", report.orphans)
        self.stdout.write(f"{sweep.get_store_display()}:")
        for field, words in FIGURES:
            self.stdout.write(f"{getattr(sweep, field):>9} {words}")
        if sweep.held_back:
            self.stderr.write(
                f"{sweep.orphans} of {sweep.listed} objects belong to nobody. That looks like an"
                " old database: nothing of it is quarantined or removed. If it is the right one,"
                " remove them in the administration (Orphans)."
            )
        if sweep.last_error:
            self.stderr.write(f"The store did not answer: {sweep.last_error}")
        elif sweep.ended_at is None:
            self.stdout.write("The rest is for the next run: Cloudinary allows so many calls.")

    def _list(self, what: str, names: list[str]) -> None:
        for name in names[:NAMES_SHOWN]:
            self.stdout.write(f"{what} {name}")
        if len(names) > NAMES_SHOWN:
            self.stdout.write(f"… and {len(names) - NAMES_SHOWN} more.")
