"""What people do with a video: like, save, share, report.

Every act is idempotent by a constraint, and a counter moves by `F()` in the transaction
of its row, only if a row was inserted or deleted. Each locks the video first and the
author's account last, so acts on one video queue up and none waits in a circle.
"""

from django.db import transaction
from django.db.models import F

from accounts.models import Reason, User
from accounts.throttling import limited
from tiktok_clone.common.errors import DomainError, invalid, not_found
from videos import signals
from videos.models import Like, Report, Save, Share, Video
from videos.services.rows import delete_row, insert_once
from videos.text import clean_text

REPORT_TEXT_MAX = 500


def lock_video(user: User, video_id: int) -> Video:
    """Return a published video that the user may see, locked until the transaction ends.

    The lock lets others read and refer to the row; it makes acts on one video queue up.

    Raises:
        DomainError: `not_found` (404) for what is not there or not visible to the user;
            `not_published` (409) for one's own that is not published yet.
    """
    video = (
        Video.objects.visible_to(user)
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=video_id)
        .first()
    )
    if video is None:
        raise not_found("video")
    if not video.is_published:
        raise DomainError("not_published", "This video is not published yet.", status=409)
    return video


@limited("react_user")
@transaction.atomic
def like_video(user: User, video_id: int) -> int:
    """Like a video; liking it again changes nothing. Returns its likes."""
    video = lock_video(user, video_id)
    if not insert_once(Like, user_id=user.pk, video_id=video.pk):
        return video.likes_count
    _count_like(video, +1)
    signals.video_liked.send(sender=Video, user=user, video=video)
    return video.likes_count


@transaction.atomic
def unlike_video(user: User, video_id: int) -> int:
    """Take a like back, if there is one. Returns the video's likes."""
    video = lock_video(user, video_id)
    if not delete_row(Like, user_id=user.pk, video_id=video.pk):
        return video.likes_count
    _count_like(video, -1)
    signals.video_unliked.send(sender=Video, user=user, video=video)
    return video.likes_count


@limited("react_user")
@transaction.atomic
def save_video(user: User, video_id: int) -> int:
    """Keep a video for later; keeping it again changes nothing. Returns its saves."""
    video = lock_video(user, video_id)
    if not insert_once(Save, user_id=user.pk, video_id=video.pk):
        return video.saves_count
    _count(video, "saves_count", +1)
    signals.video_saved.send(sender=Video, user=user, video=video)
    return video.saves_count


@transaction.atomic
def unsave_video(user: User, video_id: int) -> int:
    """Keep a video no longer. Returns its saves."""
    video = lock_video(user, video_id)
    if not delete_row(Save, user_id=user.pk, video_id=video.pk):
        return video.saves_count
    _count(video, "saves_count", -1)
    signals.video_unsaved.send(sender=Video, user=user, video=video)
    return video.saves_count


@limited("react_user")
@transaction.atomic
def share_video(user: User, video_id: int) -> int:
    """Count that a person passed a video on: once a person, however often. Returns its shares."""
    video = lock_video(user, video_id)
    if not insert_once(Share, user_id=user.pk, video_id=video.pk):
        return video.shares_count
    _count(video, "shares_count", +1)
    signals.video_shared.send(sender=Video, user=user, video=video)
    return video.shares_count


@limited("report_user")
@transaction.atomic
def report_video(user: User, video_id: int, reason: str, text: str = "") -> bool:
    """Tell the moderators about a video, once a person. Returns whether this was the first.

    Raises:
        DomainError: not visible (404); one's own, or a reason that does not exist (400).
    """
    text = clean_text("text", text, max_length=REPORT_TEXT_MAX)
    if reason not in Reason.values:
        known = ", ".join(Reason.values)
        raise invalid("reason", "invalid_choice", f"Choose one of: {known}.")
    video = lock_video(user, video_id)
    if video.author_id == user.pk:
        raise DomainError("own_video", "This is your own video; you can delete it.")
    if not insert_once(Report, user_id=user.pk, video_id=video.pk, reason=reason, text=text):
        return False
    signals.video_reported.send(sender=Video, user=user, video=video)
    return True


def _count_like(video: Video, step: int) -> None:
    _count(video, "likes_count", step)
    User.objects.filter(pk=video.author_id).update(likes_count=F("likes_count") + step)


def _count(video: Video, field: str, step: int) -> None:
    Video.objects.filter(pk=video.pk).update(**{field: F(field) + step})
    # The row is locked, so what was read plus the step is what the database has now.
    setattr(video, field, getattr(video, field) + step)
