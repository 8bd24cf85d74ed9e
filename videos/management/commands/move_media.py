"""Move clips and pictures of people from one store to the other, while the site runs."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from accounts import avatars
from accounts.services.profiles import move_avatar
from tiktok_clone.common.storage import CLOUDINARY, LOCAL, stores
from videos.media import moving


class Command(BaseCommand):
    """`manage.py move_media --to cloudinary`; may be stopped and run again at any time."""

    help = "Move media to the disk or to Cloudinary; nothing is missing for a viewer meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("--to", required=True, choices=[LOCAL, CLOUDINARY])

    def handle(self, *args: Any, to: str, **options: Any) -> None:
        """Clips first, the latest before the others; then pictures of people; then what stays."""
        if to not in stores():
            raise CommandError("Set CLOUDINARY_URL first: it says which account.")
        clips = moving.movable(to).order_by("-pk").values_list("pk", flat=True)
        people = avatars.elsewhere(to).order_by("pk").values_list("pk", flat=True)
        self._move("clip", clips, lambda pk: moving.move_video(pk, to))
        self._move("picture", people, lambda pk: move_avatar(pk, to))
        stay = [f"clip {pk} stays: {why}." for pk, why in moving.staying(to)]
        stay += [f"picture {pk} stays: it could not be moved now." for pk in people.all()]
        if stay:
            self.stderr.write("\n".join(stay))
            self.stderr.write(f"{len(stay)} did not move. Run it again to go on.")
            sys.exit(1)

    def _move(self, unit: str, ids: Iterable[int], move: Callable[[int], bool]) -> None:
        """Move some, one after the other; those that fail stay as they were."""
        moved = 0
        for pk in tqdm(list(ids), unit=unit, file=self.stderr, disable=None):
            try:
                moved += move(pk)
            except OSError as error:
                self.stderr.write(f"{unit} {pk}: {error}")
        self.stdout.write(f"{moved} {unit}s moved.")
