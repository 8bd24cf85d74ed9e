"""From an original at Cloudinary to renditions: Cloudinary makes them, we ask how far it is.

It works in the background and sends a message when it is done, which may come late, twice or
never. So a message only makes us look, and what is true is what the API answers: a step may
run at any time and any number of times, and does what is left to do.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from tiktok_clone.common.storage import cloudinary_store, ledger
from tiktok_clone.common.storage.transformations import derived_name, same, transformation_of
from videos import publication, signals
from videos.media import ladder, stills
from videos.media.ladder import Rung
from videos.media.processing import InTransaction, check_complete, original_name
from videos.models import Rendition, Status, Video

# A message should have come by then: ask for what is missing again.
ASK_AGAIN_EVERY = 5


def make_playable(video_id: int, when_published: InTransaction, look: int) -> bool:
    """Have the smallest rendition and the poster made; publish when they are there.

    Args:
        look: how often this was called already since it began.

    Returns:
        Whether there is nothing left to wait for.

    Raises:
        RefusedError: a part of the clip is missing.
        OSError: Cloudinary does not answer.
    """
    video = _begin(video_id)
    if video is None:
        return True
    first = ladder.rungs(video.width, video.height)[0]
    still = ladder.still_size(video.width, video.height)
    wanted = [_rung_name(first), derived_name(still.width, still.height, "webp")]
    sizes = _derive(video, wanted, look)
    if sizes is None:
        return False
    video.duration = _real_duration(video, wanted[0], sizes)
    video.poster = f"{original_name(video)}/{wanted[1]}"
    with cloudinary_store().local_copy(video.poster) as picture:
        video.placeholder = stills.placeholder(picture)
    with transaction.atomic():
        if publication.publish(video, [_row(video, first, sizes)]):
            when_published(video)
    return True


def make_larger(video_id: int, look: int) -> bool:
    """Have the renditions made that are still missing. Arguments and answer as above.

    A clip that moved here has left its original behind: nothing more can be made of it.
    """
    video = Video.objects.filter(pk=video_id, status=Status.READY).first()
    if video is None or not ledger.below(original_name(video)).exists():
        return True
    have = set(video.renditions.values_list("rung", flat=True))
    rungs = [r for r in ladder.rungs(video.width, video.height) if r.side not in have]
    sizes = _derive(video, [_rung_name(rung) for rung in rungs], look)
    if sizes is None:
        return False
    with transaction.atomic():
        fresh = publication.lock(video.pk)
        if fresh is not None:
            publication.add_renditions(fresh, [_row(fresh, rung, sizes) for rung in rungs])
            signals.video_edited.send(sender=Video, video=fresh)
    return True


def webhook_url() -> str:
    """Where Cloudinary sends its messages; empty where nobody outside could reach it."""
    site = settings.CLOUDINARY_NOTIFY
    return f"{site}{reverse('media-webhook')}" if site else ""


@transaction.atomic
def _begin(video_id: int) -> Video | None:
    video = publication.lock(video_id)
    if video is None or video.status == Status.READY:
        return None
    return video if video.advance(Status.PROCESSING, reason="", reason_code="") else None


def _derive(video: Video, wanted: list[str], look: int) -> dict[str, int] | None:
    """Return the bytes of each wanted part, or None while some are not there.

    What is missing is asked for at the first look and, since that may have been lost, at times
    again.
    """
    if not wanted:
        return {}
    store, name = cloudinary_store(), original_name(video)
    there = _made(store.describe(name), wanted)
    missing = [each for each in wanted if each not in there]
    if missing and look % ASK_AGAIN_EVERY == 0:
        store.derive(name, missing, webhook_url())
    if missing:
        return None
    ledger.note_derived({f"{name}/{each}": there[each] for each in wanted}, video.author_id)
    return there


def _real_duration(video: Video, rendition: str, sizes: Mapping[str, int]) -> float:
    """How long it plays, in seconds: Cloudinary tells what the file declares.

    A first answer of the CDN may be less than all; of that nothing is concluded.
    """
    with cloudinary_store().local_copy(f"{original_name(video)}/{rendition}") as path:
        if path.stat().st_size != sizes[rendition]:
            return video.duration
        return check_complete(path, video.duration)


def _made(facts: Mapping[str, Any], wanted: list[str]) -> dict[str, int]:
    """Which of the wanted parts Cloudinary has derived, with their bytes."""
    found = {}
    for row in facts.get("derived", []):
        for each in wanted:
            if row.get("format") == each.rpartition(".")[2] and same(
                row.get("transformation", ""), transformation_of(each)
            ):
                found[each] = int(row["bytes"])
    return found


def _rung_name(rung: Rung) -> str:
    return derived_name(rung.width, rung.height, "mp4")


def _row(video: Video, rung: Rung, sizes: Mapping[str, int]) -> Rendition:
    size = sizes[_rung_name(rung)]
    return Rendition(
        video=video,
        rung=rung.side,
        width=rung.width,
        height=rung.height,
        bitrate=round(size * 8 / video.duration),
        size_bytes=size,
        name=f"{original_name(video)}/{_rung_name(rung)}",
    )
