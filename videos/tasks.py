"""Jobs about videos. Thin adapters that take ids; each may run any number of times."""

import logging
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.tasks import Task

from tiktok_clone.common import jobs, keeping
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.storage import CLOUDINARY, allowance, incoming, ledger, room
from tiktok_clone.common.storage.calls import StoreError
from videos import captions, publication, quotas, removal
from videos.media import arriving, derived, pictures, processing, silent
from videos.media.ffmpeg import FfmpegError
from videos.media.refusals import RefusedError
from videos.models import MediaEvent, Reservation, Status, Tombstone, Video

log = logging.getLogger(__name__)

# Waits 3, 9 and 27 seconds, for a killed ffmpeg; the creator can retry after that. A full disk
# takes longer: the clip fails at once, with its reason, and the sweep takes it up again.
MAX_RETRIES = 3
MEDIA_RETRY = RetryStrategy(max_attempts=MAX_RETRIES, exponential_wait=3)
# An upload that nobody finished: longer than any request lives.
ABANDONED_AFTER = timedelta(hours=2)
# A video in processing writes its progress every second.
STALE_AFTER = timedelta(minutes=10)
TOMBSTONES_PER_RUN = 200
# What a ready video still lacks is tried again for so long, and so often.
TAKEN_UP_FOR = timedelta(days=7)
ATTEMPTS_MAX = 20
TAKEN_UP_PER_RUN = 100
# Cloudinary is looked at 3, 6, 12, … seconds later, and every two minutes for an hour; half a
# minute later first where it sends messages.
LOOKS_MAX = 35
EVENTS_KEPT = timedelta(days=3)


@jobs.task(queue="media", retry=MEDIA_RETRY, pass_context=True)
def process_video(context: JobContext, video_id: int, look: int = 0) -> None:
    """Make a stored video playable and publish it, or say why not.

    Where Cloudinary makes the renditions, it comes back to look until they are there.
    """
    try:
        if not _is_hosted(video_id):
            processing.make_playable(video_id, _enqueue_rest)
        elif (wait := _step(lambda: derived.make_playable(video_id, _enqueue_rest, look))) >= 0:
            _look_again(process_video, video_id, look, wait)
    except RefusedError as refusal:
        processing.give_up(video_id, refusal)
    except Exception as error:
        final = isinstance(error, FfmpegError) and not error.killed
        if not (final or room.is_full(error)) and context.job.attempts < MAX_RETRIES:
            raise
        log.exception("video %s could not be processed", video_id)
        processing.give_up(video_id, error)


# Below the others: what makes a waiting clip playable goes before what makes one sharper.
@jobs.task(queue="media", retry=MEDIA_RETRY, priority=-10)
def make_larger_renditions(video_id: int, look: int = 0) -> None:
    """Add the larger renditions to a published video."""
    if not _is_hosted(video_id):
        processing.make_larger(video_id)
    elif (wait := _step(lambda: derived.make_larger(video_id, look))) >= 0:
        _look_again(make_larger_renditions, video_id, look, wait)


@jobs.task(queue="media", retry=MEDIA_RETRY, priority=-5)
def make_stills(video_id: int) -> None:
    """Add preview and sprite to a published video."""
    pictures.make_moving(video_id)


@jobs.task(queue="media", retry=MEDIA_RETRY)
def change_cover(video_id: int, milliseconds: int) -> None:
    """Make the frame at a time of the clip its poster, again if others worked on it meanwhile."""
    if not pictures.change_cover(video_id, milliseconds / 1000):
        jobs.enqueue(
            change_cover, lock=f"video-{video_id}", video_id=video_id, milliseconds=milliseconds
        )


@jobs.task(queue="media", retry=MEDIA_RETRY)
def take_in_upload(video_id: int) -> None:
    """Take in a direct upload that is complete, whoever says so; one that is not waits on."""
    try:
        _take_in(video_id)
    except StoreError as error:
        if not error.retry_after:
            raise
        jobs.enqueue(
            take_in_upload,
            lock=f"video-{video_id}",
            queueing_lock=f"late-{video_id}",
            delay=error.retry_after,
            video_id=video_id,
        )


@jobs.task(queue="default", retry=jobs.RETRY)
def place_videos(author_id: int) -> None:
    """Give places in the shuffle to what an account that became public has posted."""
    publication.place(author_id)


@jobs.task(queue="default", retry=jobs.RETRY)
def recount_tags_of(author_id: int) -> None:
    """Count the tags anew that somebody used who became private, public or hidden."""
    captions.recount_tags(captions.tag_ids_of(author_id))


@jobs.task(queue="default", retry=jobs.RETRY)
def remove_content(person_id: int, total: int = 0) -> None:
    """Remove all that somebody posted and did, a piece at a time; `total` tells how much it was."""
    while removal.remove_some(person_id):
        pass


def removal_lock(person_id: int) -> str:
    """Name the lock of the job that removes all of somebody's content."""
    return f"remove-content-{person_id}"


@jobs.periodic(cron="* * * * *")
@jobs.task(queue="default", queueing_lock="purge_tombstones")
def purge_tombstones(timestamp: int) -> None:
    """Remove the objects of what was deleted; what cannot be removed now is tried again."""
    with keeping.deleting() as allowed:
        if allowed:
            with allowance.leaving_reserve():
                _purge_due()


def _purge_due() -> None:
    now = timezone.now()
    later = Tombstone.objects.filter(name=OuterRef("name"), due_at__gt=now)
    due = Tombstone.objects.filter(due_at__lte=now).annotate(again=Exists(later))
    for tombstone in due.order_by("due_at")[:TOMBSTONES_PER_RUN]:
        try:
            ledger.empty(tombstone.name, look=not tombstone.again)
        except OSError as error:
            _try_later(tombstone, error)
        else:
            tombstone.delete()


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(queue="default", queueing_lock="sweep_uploads")
def sweep_uploads(timestamp: int) -> None:
    """Let abandoned uploads expire, and take up again what lost its job."""
    now = timezone.now()
    abandoned = Video.objects.filter(
        status__in=[Status.RESERVED, Status.UPLOADING], updated_at__lt=now - ABANDONED_AFTER
    )
    for video_id in list(abandoned.filter(upload=None).values_list("pk", flat=True)):
        arriving.let_go(video_id)
    _sweep_direct(now)
    stale = Video.objects.filter(
        status__in=[Status.STORED, Status.PROCESSING], updated_at__lt=now - STALE_AFTER
    )
    for video_id in list(stale.values_list("pk", flat=True)):
        enqueue_processing(video_id)
    if room.has_room(0):
        _take_up(now)
    Reservation.objects.filter(created_at__lt=now - quotas.DAY).delete()
    _remove_old_files(time.time() - ABANDONED_AFTER.total_seconds())


def _take_in(video_id: int) -> None:
    try:
        arriving.take_in(video_id, lambda video: enqueue_processing(video.pk))
    except RefusedError as refusal:
        processing.give_up(video_id, refusal)
        arriving.end(video_id)
    except DomainError as error:
        log.info("upload of video %s: %s", video_id, error.code)


def enqueue_processing(video_id: int) -> None:
    """Have a stored video processed; at most one such job waits, and one runs."""
    jobs.enqueue(
        process_video,
        lock=f"video-{video_id}",
        queueing_lock=f"process-{video_id}",
        video_id=video_id,
    )


def enqueue_once(task: Task[..., Any, ...], video_id: int) -> None:
    """Have one of the jobs done that add to a ready video; at most one of each waits."""
    waiting = f"{task.name.rpartition('.')[2]}-{video_id}"
    jobs.enqueue(task, lock=f"video-{video_id}", queueing_lock=waiting, video_id=video_id)


def look_soon(video_id: int) -> None:
    """Have somebody look at a clip about which Cloudinary sent a message."""
    status = Video.objects.filter(pk=video_id).values_list("status", flat=True).first()
    task = (
        {
            Status.RESERVED: take_in_upload,
            Status.UPLOADING: take_in_upload,
            Status.READY: make_larger_renditions,
        }.get(Status(status), process_video)
        if status
        else None
    )
    if task is not None:
        jobs.enqueue(
            task, lock=f"video-{video_id}", queueing_lock=f"message-{video_id}", video_id=video_id
        )


def _is_hosted(video_id: int) -> bool:
    return Video.objects.filter(pk=video_id, store=CLOUDINARY).exists()


def _step(step: Callable[[], bool]) -> int:
    """Take a step; a store that does not answer is asked again later.

    Returns:
        -1 when it is done, or the seconds that have to pass before the next one.
    """
    try:
        return -1 if step() else 0
    except FileNotFoundError:
        raise
    except OSError as error:
        log.warning("Cloudinary: %s", error)
        return _pause_of(error)


def _pause_of(error: OSError) -> int:
    """The seconds that a store asked us to wait."""
    return error.retry_after if isinstance(error, StoreError) else 0


def _look_again(task: Task[..., Any, ...], video_id: int, look: int, wait: int) -> None:
    """Later and later, up to two minutes; after an hour it has failed.

    Where Cloudinary sends messages, these come first: looking costs calls of its Admin API.
    """
    first = 30 if settings.CLOUDINARY_NOTIFY else 3
    if look >= LOOKS_MAX:
        raise TimeoutError(f"Cloudinary did not make what video {video_id} needs")
    jobs.enqueue(
        task,
        lock=f"video-{video_id}",
        queueing_lock=f"look-{task.name.rpartition('.')[2]}-{video_id}",
        delay=max(wait, min(first * 2**look, 120)),
        video_id=video_id,
        look=look + 1,
    )


def _enqueue_rest(video: Video) -> None:
    enqueue_once(make_stills, video.pk)
    enqueue_once(make_larger_renditions, video.pk)


def _take_up(now: datetime) -> None:
    """Go on with what the disk had no room for, or what ran out of retries, for a week."""
    full = Video.objects.filter(status=Status.FAILED, reason_code=room.CODE)
    for video in full.order_by("pk")[:TAKEN_UP_PER_RUN]:
        with transaction.atomic():
            if video.advance(Status.STORED, progress=0, reason="", reason_code=""):
                enqueue_processing(video.pk)
    recent = Video.objects.filter(
        created_at__range=(now - TAKEN_UP_FOR, now - STALE_AFTER), attempt__lt=ATTEMPTS_MAX
    ).order_by("pk")
    for task, lacking in (
        (make_stills, recent.without_stills()),
        (make_larger_renditions, recent.without_larger()),
    ):
        for video_id in list(lacking.values_list("pk", flat=True)[:TAKEN_UP_PER_RUN]):
            enqueue_once(task, video_id)


def _sweep_direct(now: datetime) -> None:
    """Take in what came completely though nobody said so; let go what was given up."""
    uploads = silent.due(now, ABANDONED_AFTER)
    try:
        with allowance.leaving_reserve():
            absent = silent.absent(uploads)
    except OSError as error:
        log.warning("silent uploads: %s", error)
        uploads, absent = [each for each in uploads if each.video.store != CLOUDINARY], set()
    for upload in uploads:
        try:
            if upload.pk not in absent:
                _take_in(upload.video_id)
        except OSError as error:
            log.warning("upload of video %s: %s", upload.video_id, error)
        else:
            arriving.let_go(upload.video_id, expired=True)
    MediaEvent.objects.filter(created_at__lt=now - EVENTS_KEPT).delete()


def _try_later(tombstone: Tombstone, error: OSError) -> None:
    log.warning("cannot remove %s: %s", tombstone.name, error)
    wait = timedelta(seconds=_pause_of(error))
    if not wait:
        tombstone.attempts = min(tombstone.attempts + 1, 1000)
        wait = timedelta(minutes=min(2**tombstone.attempts, 24 * 60))
    tombstone.last_error = str(error)[:300]
    tombstone.due_at = timezone.now() + wait
    tombstone.save(update_fields=["attempts", "last_error", "due_at"])


def _remove_old_files(before: float) -> None:
    """Remove what killed requests and attempts left in the folder of incoming files."""
    waiting = Video.objects.filter(upload__isnull=False).values_list("uuid", flat=True)
    kept = {f"{arriving.PIECES}{uuid}" for uuid in waiting}
    for path in incoming().iterdir():
        try:
            if path.name in kept or path.stat().st_mtime >= before:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except FileNotFoundError:
            continue
