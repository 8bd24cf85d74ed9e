"""Posting, editing, retrying and deleting videos."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import TextChoices

from accounts.models import CommentsFrom, CommentsHeld, User
from tiktok_clone.common import jobs
from tiktok_clone.common.errors import DomainError, invalid, not_found
from tiktok_clone.common.storage import incoming, ledger, room
from videos import publication, quotas, signals, tasks
from videos.captions import link_caption
from videos.media.probe import probe
from videos.media.processing import original_name
from videos.media.refusals import refused
from videos.models import MEDIA_MISSING, Reservation, Status, Video, Visibility
from videos.text import clean_caption

COMMENT_RULES: dict[str, type[TextChoices]] = {
    "comments_from": CommentsFrom,
    "comments_held": CommentsHeld,
}


def create_video(
    author: User,
    upload: "File[bytes] | Path | None",
    caption: str = "",
    visibility: str = Visibility.PUBLIC,
    on_stored: Callable[[Video], None] | None = None,
    *,
    comments_from: str | None = None,
    comments_held: str | None = None,
) -> Video:
    """Take in a video: it is checked now and processed by the worker.

    Args:
        upload: an uploaded file, or the path of a local one, which stays where it is (and
            must not be changed afterwards: the store may share its bytes).
        on_stored: called in the transaction that makes it stored.
        comments_from: who may comment; None for what the account says, as with `comments_held`.

    Returns:
        The stored video, with its job enqueued in the same transaction.

    Raises:
        RefusedError: the file is not let in; nothing of it is left.
        DomainError: `invalid` for caption, visibility or the rules of comments; `storage_full`
            (507) when the disk has no room.
    """
    caption = clean_caption(caption)
    check_visibility(visibility)
    rules = comment_rules(comments_from, comments_held)
    quotas.check(author)
    if upload is None:
        raise refused("missing")
    with room.refusing_when_full(), _on_disk(upload) as path:
        found = probe(path)
        size = path.stat().st_size
        facts: dict[str, Any] = {
            "width": found.width,
            "height": found.height,
            "duration": round(found.duration, 3),
            "status": Status.UPLOADING,
            **rules,
        }
        video = reserve(author, caption, visibility, size, **facts)
        try:
            ledger.keep(original_name(video), path, author.pk)
        except BaseException:
            _discard(video)
            raise
    return _confirm(video, on_stored)


def edit_video(
    user: User,
    video_id: int,
    *,
    caption: str | None = None,
    visibility: str | None = None,
    comments_from: str | None = None,
    comments_held: str | None = None,
) -> Video:
    """Change one's own video, in every state; None leaves what it is.

    A video that more people may see from now on counts as published anew for them; the first
    time that it is public it gets its place in the shuffle, which it keeps for ever.

    Raises:
        DomainError: `not_found`, or `invalid` for caption, visibility or the rules of comments.
    """
    caption = None if caption is None else clean_caption(caption)
    if visibility is not None:
        check_visibility(visibility)
    rules = comment_rules(comments_from, comments_held)
    with transaction.atomic():
        video = lock_own(user, video_id)
        before = str(video.visibility)
        video.caption = video.caption if caption is None else caption
        video.visibility = visibility or before
        for name, rule in rules.items():
            setattr(video, name, rule)
        video.save(update_fields=["caption", "visibility", "updated_at", *rules])
        link_caption(video)
        if video.visibility != before:
            _change_audience(video, before)
        signals.video_edited.send(sender=Video, video=video)
    return video


@transaction.atomic
def retry_processing(user: User, video_id: int) -> Video:
    """Process one's own video again after it failed; one that waits already just goes on.

    Raises:
        DomainError: `not_found`, or `cannot_retry` (409) when it is ready, or has no file that
            it could be made of: it was rejected, or its files are missing.
    """
    video = lock_own(user, video_id)
    if video.reason_code == MEDIA_MISSING:
        raise DomainError("cannot_retry", video.reason, status=409)
    if video.status == Status.FAILED:
        video.advance(Status.STORED, progress=0, reason="", reason_code="")
    if video.status not in (Status.STORED, Status.PROCESSING):
        raise DomainError("cannot_retry", "There is nothing to try again here.", status=409)
    tasks.enqueue_processing(video.pk)
    return video


@transaction.atomic
def choose_cover(user: User, video_id: int, seconds: float) -> None:
    """Have the frame at a time of one's own clip become its poster.

    Raises:
        DomainError: `not_found`, `not_ready` (409), or `invalid` for a time outside of the clip.
    """
    video = lock_own(user, video_id)
    if video.status != Status.READY:
        raise DomainError("not_ready", "The video is not ready yet.", status=409)
    if not 0 <= seconds <= video.duration:
        raise invalid("cover", "out_of_range", "Choose a moment within the clip.")
    jobs.enqueue(
        tasks.change_cover,
        lock=f"video-{video.pk}",
        video_id=video.pk,
        milliseconds=int(seconds * 1000),
    )


@transaction.atomic
def delete_video(user: User, video_id: int) -> None:
    """Delete one's own video in whatever state; its files follow at once, or as soon as possible.

    Raises:
        DomainError: `not_found`.
    """
    publication.remove(lock_own(user, video_id))
    jobs.enqueue(tasks.purge_tombstones, queueing_lock="purge_tombstones", timestamp=0)


def place_later(author_id: int) -> None:
    """Give an author's public videos their places in the shuffle, as a job."""
    jobs.enqueue(tasks.place_videos, author_id=author_id)


def recount_tags_later(author_id: int) -> None:
    """Count the tags of somebody anew who became private, public or hidden, as a job."""
    jobs.enqueue(tasks.recount_tags_of, author_id=author_id)


def check_visibility(visibility: str) -> None:
    """Raise `invalid` for what is not a visibility."""
    _check_choice("visibility", visibility, Visibility)


def comment_rules(comments_from: str | None, comments_held: str | None) -> dict[str, str]:
    """Return those of the two that are given. Raises `invalid` for what is not such a rule."""
    asked = {"comments_from": comments_from, "comments_held": comments_held}
    rules = {name: rule for name, rule in asked.items() if rule is not None}
    for name, rule in rules.items():
        _check_choice(name, rule, COMMENT_RULES[name])
    return rules


def _check_choice(field: str, value: str, known: type[TextChoices]) -> None:
    if value not in known.values:
        raise invalid(field, "invalid_choice", f"Choose one of: {', '.join(known.values)}.")


def check_own(user: User, video_id: int) -> None:
    """Raise `not_found`, or `permission_denied` (403), unless the video is one's own."""
    if not Video.objects.editable_by(user).filter(pk=video_id).exists():
        if Video.objects.visible_to(user).filter(pk=video_id).exists():
            raise DomainError("permission_denied", "Only its author may do this.", status=403)
        raise not_found("video")


def lock_own(user: User, video_id: int) -> Video:
    """Return one's own video, locked until the transaction ends.

    Raises:
        DomainError: `not_found`, or `permission_denied` (403) for somebody else's that one sees.
    """
    check_own(user, video_id)
    video = publication.lock(video_id)
    if video is None:
        raise not_found("video")
    return video


def _change_audience(video: Video, before: str) -> None:
    publication.recount_videos(video.author_id)
    signals.video_audience_changed.send(sender=Video, video=video)
    if video.status != Status.READY:
        return
    widened = _reach(video.visibility) > _reach(before)
    if widened and video.slot is None and video.visibility == Visibility.PUBLIC:
        publication.stamp(video, keep_time=before == Visibility.FRIENDS)
    if widened:
        signals.video_published.send(sender=Video, video=video)


def _reach(visibility: str) -> int:
    return (Visibility.PRIVATE, Visibility.FRIENDS, Visibility.PUBLIC).index(Visibility(visibility))


@transaction.atomic
def reserve(
    author: User, caption: str, visibility: str, size: int, etag: str = "", **facts: Any
) -> Video:
    """Make the row of a file to come: it, and that of its object, are there before the object.

    Args:
        size: bytes of the file.
        etag: its MD5, if it is known.
        facts: other fields of the row.

    Raises:
        DomainError: `quota_exceeded` (403).
    """
    quotas.check(author, size, lock=True)
    facts = {name: getattr(author, name) for name in COMMENT_RULES} | facts
    video = Video.objects.create(
        author=author, caption=caption, visibility=visibility, size_bytes=size, **facts
    )
    ledger.expect(original_name(video), author.pk, size, etag)
    Reservation.objects.create(author=author)
    return video


def _confirm(video: Video, on_stored: Callable[[Video], None] | None) -> Video:
    with transaction.atomic():
        stored = video.advance(Status.STORED)
        if stored:
            link_caption(video)
            tasks.enqueue_processing(video.pk)
            if on_stored is not None:
                on_stored(video)
    if not stored:
        # Outside of the transaction, which the error would take back.
        publication.bury(video.folder)
        raise DomainError("deleted", "The video was deleted while it arrived.", status=409)
    return video


@transaction.atomic
def _discard(video: Video) -> None:
    row = publication.lock(video.pk)
    if row is not None:
        publication.remove(row)


@contextmanager
def _on_disk(upload: "File[bytes] | Path") -> Iterator[Path]:
    """A path to the bytes: where the upload was streamed to, or a temporary copy."""
    known: Any = upload if isinstance(upload, Path) else getattr(upload, "temporary_file_path", "")
    if known:
        yield known if isinstance(known, Path) else Path(known())
        return
    with tempfile.NamedTemporaryFile(dir=incoming()) as copy:
        total = 0
        for chunk in upload.chunks():  # type: ignore[union-attr]
            total += len(chunk)
            if total > settings.VIDEO_MAX_BYTES:
                raise refused("too_large")
            copy.write(chunk)
        copy.flush()
        yield Path(copy.name)
