"""`check_media`: do the rows and the store agree?"""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from tiktok_clone.common.storage import local_store
from tiktok_clone.operations import media
from videos.publication import bury

# A picture is stored a moment before its row names it.
SETTLED_SECONDS = 10 * 60


class Command(BaseCommand):
    """Reads only, unless told to remove."""

    help = "List objects that rows name and the store lacks, and objects of no row."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to remove objects of no row."""
        parser.add_argument("--remove", action="store_true", help="Have unknown objects removed.")

    def handle(self, *args: Any, remove: bool, **options: Any) -> None:
        """Compare, list, and leave tombstones for what is of nobody."""
        found = media.compare()
        for name in found.missing:
            self.stdout.write(f"missing {name}")
        for name in found.unknown:
            self.stdout.write(f"unknown {name}")
        self.stdout.write(f"{len(found.missing)} missing, {len(found.unknown)} unknown.")
        if remove:
            old = [name for name in found.unknown if _is_settled(name)]
            with transaction.atomic():
                for name in old:
                    bury(name)
            self.stdout.write(f"The worker removes {len(old)}; younger than ten minutes stay.")


def _is_settled(name: str) -> bool:
    return local_store().path(name).stat().st_mtime < time.time() - SETTLED_SECONDS
