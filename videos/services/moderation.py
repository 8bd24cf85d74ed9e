"""What moderators do: hide, show, remove, answer reports, suspend, take back a spammer's posts.

The moderator is `by`, None for our own code; each act that changed something is a line of the
audit log. Whether somebody may moderate at all is checked by the administration.
"""

from dataclasses import asdict

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.services import check_can_suspend, suspend_person
from tiktok_clone.common import jobs
from tiktok_clone.common.errors import DomainError, not_found
from videos import publication, removal, signals, tasks
from videos.models import Comment, Report, Video
from videos.services import comments, publishing

Outcome = Report.Outcome


@transaction.atomic
def hide_video(video_id: int, by: User | None = None) -> bool:
    """Hide a video and close its reports. Returns whether it was shown before."""
    video = publication.lock(video_id)
    if video is None:
        return False
    _close_reports(video.pk, Outcome.HIDDEN, by)
    if video.hidden_at is not None:
        return False
    _set_hidden(video, hidden=True)
    signals.video_hidden.send(sender=Video, video=video)
    _record("video_hidden", by, video=video.pk)
    return True


@transaction.atomic
def show_video(video_id: int, by: User | None = None) -> bool:
    """Show a hidden video again, in its old place. Returns whether it was hidden."""
    video = publication.lock(video_id)
    if video is None or video.hidden_at is None:
        return False
    _set_hidden(video, hidden=False)
    signals.video_shown.send(sender=Video, video=video)
    _record("video_shown", by, video=video.pk)
    return True


def remove_video(video_id: int, by: User | None = None) -> bool:
    """Delete a video like its author would, its reports with it. Returns whether it was there."""
    video = Video.objects.filter(pk=video_id).select_related("author").first()
    if video is None:
        return False
    publishing.delete_video(video.author, video.pk)
    _record("video_removed", by, video=video.pk, author=video.author_id)
    return True


def retry_video(video_id: int, by: User | None = None) -> None:
    """Process a failed video again, or give one that waits another push.

    Raises:
        DomainError: `not_found`, or `cannot_retry` (409).
    """
    video = Video.objects.filter(pk=video_id).select_related("author").first()
    if video is None:
        raise not_found("video")
    publishing.retry_processing(video.author, video.pk)
    _record("video_retried", by, video=video.pk)


def remove_comment(comment_id: int, by: User | None = None) -> int:
    """Delete a comment with its replies. Returns how many went; 0 when it was gone already."""
    comment = Comment.objects.filter(pk=comment_id).select_related("author").first()
    if comment is None:
        return 0
    try:
        gone = comments.delete_comment(comment.author, comment.pk)
    except DomainError as error:
        if error.status != 404:  # gone with its thread a moment ago
            raise
        return 0
    _record("comment_removed", by, comment=comment_id, author=comment.author_id)
    return gone


def answer_reports(video_id: int, outcome: str, by: User) -> int:
    """Do what a moderator decided about a reported video, and close all its reports.

    Args:
        outcome: of `Report.Outcome`. A suspension closes the reports of all of the author's
            videos, which vanish with it; removing a video takes its reports with it.

    Returns:
        How many reports were waiting.

    Raises:
        DomainError: `not_found`; or what suspending raises.
    """
    with transaction.atomic():
        video = publication.lock(video_id)
        if video is None:
            raise not_found("video")
        waiting = Report.objects.filter(video=video, resolved_at=None).count()
        if outcome == Outcome.HIDDEN:
            hide_video(video.pk, by)
        elif outcome == Outcome.REMOVED:
            remove_video(video.pk, by)
        elif outcome == Outcome.SUSPENDED:
            _suspend_author(video, by)
        else:
            outcome = Outcome.DISMISSED
            _close_reports(video.pk, outcome, by)
    _record("reports_answered", by, video=video_id, outcome=outcome, reports=waiting)
    return waiting


@transaction.atomic
def remove_content(person_id: int, by: User, *, suspend: bool) -> int | None:
    """Have everything removed that somebody posted and did, as a job; the account stays.

    Args:
        suspend: suspend the account as well, so that nothing new comes meanwhile.

    Returns:
        The id of the job, or None where one waits already.

    Raises:
        DomainError: `not_found`; one's own account (400), or an administrator's (403).
    """
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise not_found("person")
    check_can_suspend(by, person)
    if suspend:
        suspend_person(person.pk, by)
    counts = removal.count_content(person.pk)
    _record("content_removing", by, user=person.pk, **asdict(counts))
    return jobs.enqueue(
        tasks.remove_content,
        lock=tasks.removal_lock(person.pk),
        queueing_lock=tasks.removal_lock(person.pk),
        person_id=person.pk,
        # Not needed for the work: how far it is can be told from it.
        total=counts.total,
    )


def _suspend_author(video: Video, by: User) -> None:
    suspend_person(video.author_id, by)
    _close(Report.objects.filter(video__author=video.author_id), Outcome.SUSPENDED, by)


def _close_reports(video_id: int, outcome: str, by: User | None) -> None:
    _close(Report.objects.filter(video=video_id), outcome, by)


def _close(reports: "QuerySet[Report]", outcome: str, by: User | None) -> None:
    waiting = list(reports.filter(resolved_at=None).values_list("pk", flat=True))
    Report.objects.filter(pk__in=waiting, resolved_at=None).update(
        resolved_at=timezone.now(), resolved_by=by, outcome=outcome
    )


def _set_hidden(video: Video, *, hidden: bool) -> None:
    """Tags and the author count only what everybody may see; the video is locked already."""
    video.hidden_at = timezone.now() if hidden else None
    Video.objects.filter(pk=video.pk).update(hidden_at=video.hidden_at)
    publication.recount(video)


def _record(event: str, by: User | None, **facts: object) -> None:
    audit.record(event, **facts, by=by.pk if by is not None else "system")
