"""Pictures that a ready clip gets or changes later: preview and sprite, and a chosen cover."""

from django.db import transaction

from tiktok_clone.common.storage import ledger, store
from videos import publication, signals
from videos.media import ffmpeg, ladder, stills
from videos.media.processing import next_attempt, workshop
from videos.models import Video


def make_moving(video_id: int) -> bool:
    """Make preview and sprite of a ready clip that lacks them, of its smallest rendition.

    Returns:
        Whether the clip has them now.

    Raises:
        FfmpegError: ffmpeg did not finish.
    """
    if not Video.objects.without_stills().filter(pk=video_id).exists():
        return Video.objects.filter(pk=video_id).exclude(sprite="").exists()
    video = next_attempt(video_id)
    smallest = video.renditions.order_by("rung").first() if video else None
    if video is None or smallest is None:
        return False
    names = {kind: f"{video.folder}/{video.attempt}/{kind}.webp" for kind in ("preview", "sprite")}
    source = store(smallest.name).local_copy(smallest.name)
    with workshop(video) as folder, source as path:
        clip = stills.Clip(path, smallest.width, smallest.height, video.duration)
        stills.make_moving(clip, folder)
        for kind, name in names.items():
            ledger.keep(name, folder / f"{kind}.webp", video.author_id)
    with transaction.atomic():
        fresh = publication.lock(video.pk)
        kept = fresh is not None and fresh.attempt == video.attempt
        if fresh is not None and kept:
            fresh.preview, fresh.sprite = names["preview"], names["sprite"]
            fresh.save(update_fields=["preview", "sprite", "updated_at"])
            signals.video_edited.send(sender=Video, video=fresh)
    if not kept:
        for name in names.values():
            publication.bury(name)
    return kept


def change_cover(video_id: int, seconds: float) -> bool:
    """Make the frame at a time (in seconds) of the largest rendition the poster.

    Returns:
        False if somebody else worked on the clip meanwhile, whose files may be others now.
    """
    video = next_attempt(video_id)
    largest = video.renditions.order_by("-rung").first() if video else None
    if video is None or largest is None:
        return True
    name = f"{video.folder}/{video.attempt}/poster.webp"
    with workshop(video) as folder, store(largest.name).local_copy(largest.name) as source:
        at = f"{min(seconds, max(0.0, video.duration - 0.1)):.3f}"
        ffmpeg.run(ladder.still_command(source, at, largest.width, largest.height, folder))
        stills.make_poster(folder / "poster.png", folder / "poster.webp")
        tiny = stills.placeholder(folder / "poster.webp")
        ledger.keep(name, folder / "poster.webp", video.author_id)
    with transaction.atomic():
        fresh = publication.lock(video.pk)
        if fresh is None or fresh.attempt != video.attempt:
            publication.bury(name)
            return fresh is None
        publication.bury(fresh.poster)
        fresh.poster, fresh.placeholder = name, tiny
        fresh.save(update_fields=["poster", "placeholder", "updated_at"])
        signals.video_edited.send(sender=Video, video=fresh)
    return True
