"""Objects in the store, with and without rows, of any age; and a sweep."""

import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from tests.factories import VideoFactory
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import incoming, ledger, local_store
from tiktok_clone.operations import sweeping
from tiktok_clone.operations.models import Orphan, Sweep
from videos.models import Rendition, Tombstone, Video

HOUR = 3600


def file_of(content: bytes) -> Path:
    """A file on its way in."""
    path = incoming() / uuid4().hex
    path.write_bytes(content)
    return path


def put(name: str = "", content: bytes = b"bytes", hours: float = 3) -> str:
    """An object that no row knows, as old as said. Returns its name."""
    name = name or f"videos/{uuid4()}/1/360.mp4"
    path = file_of(content)
    local_store().save(name, path)
    path.unlink()
    grow_old(name, hours)
    return name


def grow_old(name: str, hours: float = 3) -> None:
    """Have an object come into the store so long ago."""
    then = time.time() - hours * HOUR
    os.utime(local_store().path(name), (then, then))


def keep(name: str, owner: User, content: bytes = b"bytes") -> str:
    """An object that is in the books."""
    path = file_of(content)
    ledger.keep(name, path, owner.pk)
    path.unlink()
    return name


def clip(*, rungs: tuple[int, ...] = (360,), booked: bool = True, **fields: object) -> Video:
    """A ready clip with its objects: renditions, poster, preview and sprite."""
    video: Video = VideoFactory(**fields)
    base = f"{video.folder}/1"
    for rung in rungs[1:]:
        Rendition.objects.create(
            video=video, rung=rung, width=rung, height=rung * 16 // 9, bitrate=1, size_bytes=5,
            name=f"{base}/{rung}.mp4",
        )  # fmt: skip
    video.preview, video.sprite = f"{base}/preview.webp", f"{base}/sprite.webp"
    video.save(update_fields=["preview", "sprite"])
    for name in names_of(video):
        keep(name, video.author) if booked else put(name)
    return video


def names_of(video: Video) -> list[str]:
    """What its rows name."""
    renditions = video.renditions.order_by("rung").values_list("name", flat=True)
    return [*renditions, video.poster, video.preview, video.sprite]


def lose(*names: str) -> None:
    """Somebody deletes files by hand."""
    for name in names:
        local_store().path(name).unlink()


def sweep(**options: bool) -> Sweep:
    """Sweep the local store; the figures."""
    return sweeping.sweep_all(**options)[0].sweep


def age(orphan: str, days: float) -> None:
    """Have been in quarantine for so long."""
    since = timezone.now() - timedelta(days=days)
    assert Orphan.objects.filter(name=orphan).update(quarantined_at=since)


def buried() -> set[str]:
    """Names that wait to be emptied."""
    return set(Tombstone.objects.values_list("name", flat=True))


def missing() -> set[str]:
    """Names that the books miss in the store."""
    rows = StoredObject.objects.filter(missing_since__isnull=False)
    return set(rows.values_list("name", flat=True))
