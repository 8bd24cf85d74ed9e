"""Make moving previews and sprites for clips that were posted before there were any."""

from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from tiktok_clone.common.storage import room
from videos.media import pictures
from videos.media.ffmpeg import FfmpegError
from videos.models import Video


class Command(BaseCommand):
    """`manage.py make_stills`; safe beside running services, and may be run again."""

    help = "Make previews and sprites for ready clips that have none; a second or two each."

    def handle(self, *args: Any, **options: Any) -> None:
        """Latest first, one after the other; what fails is named and left for another run."""
        ids = list(Video.objects.without_stills().order_by("-pk").values_list("pk", flat=True))
        made = 0
        for video_id in tqdm(ids, unit="clip", file=self.stderr, disable=None):
            try:
                made += pictures.make_moving(video_id)
            except (FfmpegError, OSError) as error:
                self.stderr.write(f"clip {video_id}: {error}")
                if room.is_full(error):
                    break
        self.stdout.write(f"{made} of {len(ids)} clips have previews and sprites now")
