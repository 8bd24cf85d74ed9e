"""The product on scratch data, as `make run` starts it, with many videos.

The demo draws 33 clips. The other rows are copies of these: the rows of a copy are its own, and
so are the addresses of its files, so that a browser fetches each anew; on the disk its files are
links to the same bytes.
"""

import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.running import started, use_database_of

PATIENCE = 900  # seconds for drawing and processing the demo
SETTINGS = "tests.benchmarks.web.settings"


@dataclass(frozen=True)
class Running:
    """The product: where it listens."""

    port: int

    @property
    def url(self) -> str:
        """Its address without a slow line."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def product(folder: Path | None, videos: int) -> Iterator[Running]:
    """Start the product with `videos` ready videos, and stop it afterwards.

    Args:
        folder: keeps its data for the next time; a temporary folder when None.
        videos: ready, public ones at least.
    """
    with tempfile.TemporaryDirectory(prefix="loopy-web-") as temporary:
        data = folder or Path(temporary)
        with started(data, DJANGO_SETTINGS_MODULE=SETTINGS) as (port, _):
            # Playwright has a loop in this thread.
            use_database_of(data, DJANGO_SETTINGS_MODULE=SETTINGS, DJANGO_ALLOW_ASYNC_UNSAFE="true")
            _wait_for_the_demo()
            _add_copies(videos)
            yield Running(port)


def _wait_for_the_demo() -> None:
    from feeds.demo.clips import CLIPS
    from videos.models import Status, Video

    end = time.monotonic() + PATIENCE
    settled = (Status.READY, Status.FAILED, Status.REJECTED)
    while time.monotonic() < end:
        done = Video.objects.filter(status__in=settled, progress__in=(0, 100)).count()
        if done >= len(CLIPS):
            return
        sys.stderr.write(f"\rdemo clips: {done} of {len(CLIPS)} ")
        time.sleep(1)
    raise SystemExit("The demo's clips did not get ready.")


def _add_copies(wanted: int) -> None:
    from django.db import connection

    from videos.models import Video, Visibility

    ready = Video.objects.published().filter(visibility=Visibility.PUBLIC)
    originals = list(ready.order_by("pk").prefetch_related("renditions")[:32])
    missing = wanted - ready.count()
    for number in range(max(0, missing)):
        _copy(originals[number % len(originals)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copy(original: "Video") -> None:  # type: ignore[name-defined]  # noqa: F821
    from django.db import transaction

    from tiktok_clone.common.storage import local_store
    from videos.models import Rendition, SlotEpoch, Video

    old, new = original.folder, uuid.uuid4()
    named = {name: getattr(original, name) for name in ("poster", "preview", "sprite")}
    for name in list(local_store().names(old)):
        if "/" in name.removeprefix(f"{old}/"):  # not the upload itself
            local_store().save(name.replace(old, f"videos/{new}"), local_store().path(name))
    renditions = list(original.renditions.all())
    fields = {
        field.attname: getattr(original, field.attname)
        for field in Video._meta.concrete_fields
        if not field.primary_key
    }
    fields |= {key: name.replace(old, f"videos/{new}") for key, name in named.items() if name}
    with transaction.atomic():
        video = Video(**fields | {"uuid": new, "slot": None})
        stamp = SlotEpoch.objects.stamp(take_slot=True)
        video.slot, video.published_at = stamp.slot, stamp.published_at
        video.save()
        Rendition.objects.bulk_create(
            Rendition(
                video=video,
                rung=one.rung,
                width=one.width,
                height=one.height,
                bitrate=one.bitrate,
                size_bytes=one.size_bytes,
                name=one.name.replace(old, f"videos/{new}"),
            )
            for one in renditions
        )
        video.hashtags.set(original.hashtags.all())
