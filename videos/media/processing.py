"""From a stored original to renditions: what the worker does, in attempts.

Each attempt has a number, and writes below it only; its rows are committed only if the number
is still the video's. So a worker that was believed dead can finish late and change nothing.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from tiktok_clone.common.storage import incoming, ledger, local_store, room
from videos import publication, signals
from videos.media import ffmpeg, ladder, sound, stills
from videos.media.measuring import measure
from videos.media.probe import probe
from videos.media.refusals import RefusedError, refused
from videos.models import Rendition, Status, Video

log = logging.getLogger(__name__)

COMPLETE = 0.9  # less of the declared length than this means that a part is missing
MISSING_SECONDS = 0.5  # …unless it is so little that rounding explains it
FAILED_CODE = "processing_failed"
FAILED_SENTENCE = "Processing failed on our side. Try again; the file is still here."
FULL_SENTENCE = "The server had no room to process it. Your file is still here: try again later."
InTransaction = Callable[[Video], None]


def original_name(video: Video) -> str:
    """The object name of what was uploaded; it is never served."""
    return f"{video.folder}/original"


def make_playable(video_id: int, when_published: InTransaction) -> None:
    """Make the smallest rendition and the poster, and publish.

    Does nothing for a video that is gone or ready. `when_published` runs in the transaction
    that publishes.

    Raises:
        RefusedError: the file is at fault.
        FfmpegError: ffmpeg did not finish.
    """
    video = _begin(video_id)
    if video is None:
        return
    source = local_store().path(original_name(video))
    found = probe(source)
    wanted = ladder.rungs(found.width, found.height)
    with workshop(video) as folder:
        leveling = sound.leveling(source, found)
        command = ladder.ladder_command(
            source, found, wanted[:1], folder, poster=True, leveling=leveling
        )
        ffmpeg.run(command, Reporter(video, found.duration))
        video.duration = check_complete(folder / f"{wanted[0].side}.mp4", found.duration)
        stills.make_poster(folder / "poster.png", folder / "poster.webp")
        renditions = _keep(video, wanted[:1], folder)
        video.poster = f"{video.folder}/{video.attempt}/poster.webp"
        video.placeholder = stills.placeholder(folder / "poster.webp")
        ledger.keep(video.poster, folder / "poster.webp", video.author_id)
    video.width, video.height = wanted[-1].width, wanted[-1].height
    with transaction.atomic():
        published = publication.publish(video, renditions)
        if published:
            when_published(video)
    if not published:
        publication.bury(f"{video.folder}/{video.attempt}")


def make_larger(video_id: int) -> None:
    """Make the renditions that are still missing in one call, then let the original go."""
    video = next_attempt(video_id)
    if video is None:
        return
    source = local_store().path(original_name(video))
    if source.is_file():
        _add_missing(video, source)
    remove_leftovers(video_id)


def _add_missing(video: Video, source: Path) -> None:
    found = probe(source)
    have = dict(video.renditions.order_by("-rung").values_list("rung", "name"))
    wanted = [r for r in ladder.rungs(found.width, found.height) if r.side not in have]
    renditions: list[Rendition] = []
    if wanted:
        # The sound was made with the first one, and is the same for all.
        first = local_store().path(next(iter(have.values())))
        with workshop(video) as folder:
            ffmpeg.run(ladder.ladder_command(source, found, wanted, folder, sound_of=first))
            renditions = _keep(video, wanted, folder)
    with transaction.atomic():
        fresh = publication.lock(video.pk)
        if fresh is None or fresh.attempt != video.attempt:
            return
        publication.add_renditions(fresh, renditions)
        publication.bury(original_name(fresh))
        signals.video_edited.send(sender=Video, video=fresh)


def give_up(video_id: int, error: Exception) -> None:
    """Say why it ended: `rejected` when the file is at fault, `failed` when we are."""
    with transaction.atomic():
        video = publication.lock(video_id)
        if video is None:
            return
        if isinstance(error, RefusedError):
            ended = video.advance(Status.REJECTED, reason_code=error.code, reason=error.message)
            if ended:
                publication.bury_twice([video.folder])
        elif room.is_full(error):
            ended = video.advance(Status.FAILED, reason_code=room.CODE, reason=FULL_SENTENCE)
        else:
            ended = video.advance(Status.FAILED, reason_code=FAILED_CODE, reason=FAILED_SENTENCE)
        if ended:
            signals.video_failed.send(sender=Video, video=video)


def remove_leftovers(video_id: int) -> None:
    """Remove what earlier attempts of a ready video left; nothing refers to it."""
    video = Video.objects.filter(pk=video_id, status=Status.READY).first()
    if video is None:
        return
    kept = {video.poster, video.preview, video.sprite, original_name(video)}
    kept |= set(video.renditions.values_list("name", flat=True))
    for name in list(ledger.names_below(video.folder)):
        attempt = name.removeprefix(f"{video.folder}/").partition("/")[0]
        if name not in kept and attempt.isdigit() and int(attempt) < video.attempt:
            publication.bury(name)


@contextmanager
def workshop(video: Video) -> Iterator[Path]:
    """A folder for files in the making, on the store's filesystem, gone afterwards.

    If the attempt fails in here, what it has stored already goes too.
    """
    try:
        with tempfile.TemporaryDirectory(dir=incoming(), prefix="work-") as folder:
            yield Path(folder)
    except BaseException:
        ledger.empty(f"{video.folder}/{video.attempt}")
        raise


class Reporter:
    """Writes ffmpeg's progress to the row, at most once a second."""

    def __init__(self, video: Video, duration: float) -> None:
        self.video = video
        self.duration = duration
        self.last_written = 0.0

    def __call__(self, seconds: float) -> None:
        if time.monotonic() - self.last_written < 1:
            return
        self.last_written = time.monotonic()
        percent = min(99, int(100 * seconds / self.duration))
        Video.objects.filter(
            pk=self.video.pk, attempt=self.video.attempt, status=Status.PROCESSING
        ).update(progress=percent, updated_at=timezone.now())


@transaction.atomic
def _begin(video_id: int) -> Video | None:
    video = publication.lock(video_id)
    if video is None:
        return None
    fields = {"attempt": video.attempt + 1, "progress": 0, "reason": "", "reason_code": ""}
    return video if video.advance(Status.PROCESSING, **fields) else None


@transaction.atomic
def next_attempt(video_id: int) -> Video | None:
    """Begin another attempt at a ready video, for what is added to it; None when it is gone."""
    video = publication.lock(video_id)
    if video is None or not video.advance(Status.READY, attempt=video.attempt + 1):
        return None
    return video


def _keep(video: Video, made: list[ladder.Rung], folder: Path) -> list[Rendition]:
    """Store the files of some rungs; returns their rows, unsaved."""
    rows = []
    for rung in made:
        path = folder / f"{rung.side}.mp4"
        facts = measure(path)
        name = f"{video.folder}/{video.attempt}/{rung.side}.mp4"
        ledger.keep(name, path, video.author_id)
        rows.append(
            Rendition(
                video=video,
                rung=rung.side,
                width=facts.width,
                height=facts.height,
                bitrate=facts.bitrate,
                size_bytes=facts.size_bytes,
                name=name,
            )
        )
    return rows


def check_complete(rendition: Path, declared: float) -> float:
    """Compare what could be decoded with what the file declares: ffmpeg is content with less.

    Args:
        declared: seconds.

    Returns:
        The seconds that there are.

    Raises:
        RefusedError: `damaged` or `truncated`.
    """
    try:
        decoded = measure(rendition).duration
    except (ValueError, OSError):
        raise refused("damaged") from None
    if decoded < declared * COMPLETE and declared - decoded > MISSING_SECONDS:
        raise refused("truncated")
    return round(decoded, 3)
