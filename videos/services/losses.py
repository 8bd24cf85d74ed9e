"""What a missing object means for the clip that it belongs to.

The sweep notes in the books which objects the stores lack (`missing_since`); here the clip is
brought in line with that, and what can be made again is. Nothing goes but what is missing, or
damaged, already.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from tiktok_clone.common import jobs
from tiktok_clone.common.models import StoredObject
from videos import publication, signals, tasks
from videos.models import Rendition, Status, Video


@dataclass(frozen=True)
class Settled:
    """What was done about a clip: taken off the site, shown again, a part of it made anew."""

    lost: bool = False
    regained: bool = False
    mended: bool = False


@transaction.atomic
def settle_losses(video_id: int, *, mend: bool = True) -> Settled:
    """Take a clip off the site that has nothing left to play; show it again when it has.

    Args:
        mend: also have missing pictures made anew and give up missing larger renditions. That
            cannot be taken back, so it is not for when a whole store seems to be away.
    """
    video = publication.lock(video_id)
    if video is None:
        return Settled()
    renditions = list(video.renditions.all())
    missing = _missing(video, renditions)
    lost = [rendition for rendition in renditions if rendition.name in missing]
    if len(lost) == len(renditions):
        return Settled(lost=publication.lose(video))
    regained = publication.regain(video)
    if not (mend and missing and video.status == Status.READY):
        return Settled(regained=regained)
    _give_up(video, lost)
    _make_again(video, missing)
    signals.video_edited.send(sender=Video, video=video)
    return Settled(regained=regained, mended=True)


def _missing(video: Video, renditions: Iterable[Rendition]) -> set[str]:
    """Which of the objects that the clip's rows name are missing."""
    named = {video.poster, video.preview, video.sprite, *(each.name for each in renditions)}
    rows = StoredObject.objects.filter(name__in=named, missing_since__isnull=False)
    return set(rows.values_list("name", flat=True))


def _give_up(video: Video, lost: list[Rendition]) -> None:
    """Another one plays; of the original, where it is still there, these are made again."""
    for rendition in lost:
        publication.bury(rendition.name)
        rendition.delete()
    if lost:
        tasks.enqueue_once(tasks.make_larger_renditions, video.pk)


def _make_again(video: Video, missing: set[str]) -> None:
    if missing & {video.preview, video.sprite}:
        for name in filter(None, (video.preview, video.sprite)):
            publication.bury(name)
        Video.objects.filter(pk=video.pk).update(preview="", sprite="")
        video.preview = video.sprite = ""
        tasks.enqueue_once(tasks.make_stills, video.pk)
    if video.poster in missing:
        # Of its beginning: nobody knows any more which moment was chosen.
        jobs.enqueue(
            tasks.change_cover,
            lock=f"video-{video.pk}",
            queueing_lock=f"mend-cover-{video.pk}",
            video_id=video.pk,
            milliseconds=0,
        )
