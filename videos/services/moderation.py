"""What moderators do: hide, show, remove, answer reports, suspend, take back a spammer's posts.

The moderator is `by`, None for our own code; `why` is what the person is told. Each act that
changed something is in the log of acts. Whether somebody may moderate at all is checked by the
administration.
"""

from dataclasses import asdict

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.audit import Target
from accounts.models import Decision, DecisionKind, StaffAct, User
from accounts.services import check_can_suspend, decide, suspend_person, undo, warn_person
from accounts.services.decisions import UNSAID, Why
from tiktok_clone.common import jobs
from tiktok_clone.common.errors import DomainError, not_found
from videos import publication, removal, signals, tasks
from videos.models import Comment, Report, Video
from videos.services import comments, publishing

Outcome = Report.Outcome


@transaction.atomic
def hide_video(video_id: int, by: User | None = None, why: Why = UNSAID) -> bool:
    """Hide a video and close its reports. Returns whether it was shown before."""
    video = publication.lock(video_id)
    if video is None:
        return False
    _close_reports(video.pk, Outcome.HIDDEN, by)
    if video.hidden_at is not None:
        return False
    _set_hidden(video, hidden=True)
    signals.video_hidden.send(sender=Video, video=video)
    _decide(by, DecisionKind.HIDDEN, video, why)
    return True


@transaction.atomic
def show_video(video_id: int, by: User | None = None) -> bool:
    """Show a hidden video again, in its old place. Returns whether it was hidden."""
    video = publication.lock(video_id)
    if video is None or video.hidden_at is None:
        return False
    _set_hidden(video, hidden=False)
    signals.video_shown.send(sender=Video, video=video)
    audit.act(by, StaffAct.SHOWN, target_of(video))
    undo(Decision.objects.about(DecisionKind.HIDDEN, video.pk), by)
    return True


@transaction.atomic
def remove_video(video_id: int, by: User | None = None, why: Why = UNSAID) -> bool:
    """Delete a video like its author would, its reports with it. Returns whether it was there."""
    video = Video.objects.filter(pk=video_id).select_related("author").first()
    if video is None:
        return False
    publishing.delete_video(video.author, video.pk)
    _decide(by, DecisionKind.REMOVED, video, why, author=video.author_id)
    return True


def warn_author(video_id: int, by: User, why: Why = UNSAID) -> None:
    """Warn the author of a video, which stays.

    Raises:
        DomainError: `not_found`; or what warning raises.
    """
    video = Video.objects.filter(pk=video_id).select_related("author").first()
    if video is None:
        raise not_found("video")
    about = target_of(video)
    warn_person(video.author_id, by, why, about=about, subject=video.caption)


@transaction.atomic
def retry_video(video_id: int, by: User | None = None) -> None:
    """Process a failed video again, or give one that waits another push.

    Raises:
        DomainError: `not_found`, or `cannot_retry` (409).
    """
    video = Video.objects.filter(pk=video_id).select_related("author").first()
    if video is None:
        raise not_found("video")
    publishing.retry_processing(video.author, video.pk)
    audit.act(by, StaffAct.RETRIED, target_of(video))


@transaction.atomic
def remove_comment(comment_id: int, by: User | None = None, why: Why = UNSAID) -> int:
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
    author = comment.author
    decide(
        by,
        DecisionKind.COMMENT_REMOVED,
        author.pk,
        Target("comment", comment_id, f"comment {comment_id} of {author}"),
        why,
        comment.text,
        author=author.pk,
    )
    return gone


@transaction.atomic
def answer_reports(video_id: int, outcome: str, by: User, why: Why = UNSAID) -> int:
    """Do what a moderator decided about a reported video, and close all its reports.

    Args:
        outcome: of `Report.Outcome`. A suspension closes the reports of all of the author's
            videos, which vanish with it; removing a video takes its reports with it.
        by: the moderator.
        why: what the author is told of any outcome but the dismissal and showing it again.

    Returns:
        How many reports were waiting.

    Raises:
        DomainError: `not_found`; or what suspending raises.
    """
    video = publication.lock(video_id)
    if video is None:
        raise not_found("video")
    waiting = Report.objects.filter(video=video, resolved_at=None).count()
    target = target_of(video)
    _close_reports(video.pk, outcome, by)
    _carry_out(outcome, video, by, why)
    if waiting:
        detail = f"{Outcome(outcome).label}, {waiting} reports"
        named = StaffAct.REPORTS_ANSWERED
        audit.act(by, named, target, detail=detail, outcome=outcome, reports=waiting)
    return waiting


@transaction.atomic
def remove_content(person_id: int, by: User, why: Why = UNSAID, *, suspend: bool) -> int | None:
    """Have everything removed that somebody posted and did, as a job; the account stays.

    Args:
        person_id: whose.
        by: the moderator.
        why: what they are told.
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
        suspend_person(person.pk, by, why)
    counts = removal.count_content(person.pk)
    job = jobs.enqueue(
        tasks.remove_content,
        lock=tasks.removal_lock(person.pk),
        queueing_lock=tasks.removal_lock(person.pk),
        person_id=person.pk,
        # Not needed for the work: how far it is can be told from it.
        total=counts.total,
    )
    if job is not None:
        target = audit.target_of(person)
        decide(by, DecisionKind.CONTENT_REMOVED, person.pk, target, why, **asdict(counts))
    return job


def target_of(video: Video) -> Target:
    """Name a video as the log of acts does."""
    return Target("video", video.pk, f"clip {video.pk} of {video.author}")


def _decide(by: User | None, kind: DecisionKind, video: Video, why: Why, **facts: object) -> None:
    decide(by, kind, video.author_id, target_of(video), why, video.caption, **facts)


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


def _carry_out(outcome: str, video: Video, by: User, why: Why) -> None:
    """Do it; the reports of the video are closed already."""
    if outcome == Outcome.SHOWN:
        show_video(video.pk, by)
    elif outcome == Outcome.WARNED:
        warn_author(video.pk, by, why)
    elif outcome == Outcome.HIDDEN:
        hide_video(video.pk, by, why)
    elif outcome == Outcome.REMOVED:
        remove_video(video.pk, by, why)
    elif outcome == Outcome.SUSPENDED:
        suspend_person(video.author_id, by, why)
        _close(Report.objects.filter(video__author=video.author_id), outcome, by)
