"""What the author of a video does with the comments under it: approve, hide, show again, pin.

Each may be repeated. Locks are taken as in `comments`: the video, then the comment.
"""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from tiktok_clone.common.errors import DomainError, not_found
from videos import signals
from videos.models import Comment, CommentState, Video
from videos.services.comments import count, visible_comment

MOST_PINNED = 3


@transaction.atomic
def show_comment(user: User, comment_id: int) -> Comment:
    """Approve a comment that is held, or show one again that is hidden.

    Raises:
        DomainError: not there or not visible (404); under somebody else's video (403).
    """
    comment, video = _lock(user, comment_id)
    before = comment.state
    if before == CommentState.SHOWN:
        return comment
    _change(comment, CommentState.SHOWN)
    count(comment, video, +1)
    news = signals.comment_added if before == CommentState.HELD else signals.comment_shown
    news.send(sender=Comment, comment=comment, video=video, user=comment.author)
    return comment


@transaction.atomic
def hide_comment(user: User, comment_id: int) -> Comment:
    """Show a comment and what hangs below it to nobody but its author and oneself.

    Raises:
        DomainError: as `show_comment`; `comment_held` (409) for one that nobody saw yet.
    """
    comment, video = _lock(user, comment_id)
    if comment.state == CommentState.HELD:
        raise DomainError("comment_held", "It waits for you: approve or delete it.", status=409)
    if comment.state == CommentState.SHOWN:
        _change(comment, CommentState.HIDDEN)
        count(comment, video, -1)
        signals.comment_hidden.send(
            sender=Comment, comment=comment, video=video, user=comment.author
        )
    return comment


@transaction.atomic
def pin_comment(user: User, comment_id: int) -> Comment:
    """Have a comment stand above the others; at most MOST_PINNED of a video.

    Raises:
        DomainError: as `show_comment`; `cannot_pin` (409) for a reply and for what not everybody
            sees; `too_many_pinned` (409).
    """
    comment, video = _lock(user, comment_id)
    if comment.pinned_at is not None:
        return comment
    if comment.parent_id is not None or comment.state != CommentState.SHOWN:
        raise DomainError(
            "cannot_pin", "Only comments that everybody sees, and no replies.", status=409
        )
    if Comment.objects.filter(video=video, pinned_at__isnull=False).count() >= MOST_PINNED:
        raise DomainError(
            "too_many_pinned", f"{MOST_PINNED} are pinned already. Unpin one first.", status=409
        )
    comment.pinned_at = timezone.now()
    comment.save(update_fields=["pinned_at"])
    return comment


@transaction.atomic
def unpin_comment(user: User, comment_id: int) -> Comment:
    """Let a comment stand where it stood. Raises as `show_comment` does."""
    comment, _ = _lock(user, comment_id)
    comment.pinned_at = None
    comment.save(update_fields=["pinned_at"])
    return comment


def _lock(user: User, comment_id: int) -> tuple[Comment, Video]:
    """Return a comment under one's own video, and the video; both locked."""
    found = Comment.objects.filter(pk=comment_id, video__author=user).first()
    if found is None:
        visible_comment(user, comment_id)
        raise DomainError(
            "permission_denied", "Only the author of the video may do this.", status=403
        )
    video = Video.objects.select_for_update(no_key=True).filter(pk=found.video_id).first()
    comments = Comment.objects.select_related("author").filter(pk=comment_id)
    comment = comments.select_for_update(of=("self",), no_key=True).first()
    if video is None or comment is None:
        raise not_found("comment")  # it went meanwhile
    return comment, video


def _change(comment: Comment, state: CommentState) -> None:
    comment.state, comment.pinned_at = state, None
    comment.save(update_fields=["state", "pinned_at"])
