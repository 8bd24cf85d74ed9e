"""Comments, replies, and likes of comments.

Locks are taken in one order: the video, then comments, then their authors' rows (by
foreign keys). A comment that is liked while it is deleted waits for one of the two.
"""

from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from accounts.throttling import limited
from tiktok_clone.common.errors import DomainError, invalid, not_found
from videos import signals
from videos.models import Comment, CommentLike, CommentState, Video
from videos.services.commenting import is_held, refusal
from videos.services.engagement import lock_video
from videos.services.rows import delete_row, insert_once
from videos.text import clean_comment


@limited("comment_user")
@transaction.atomic
def add_comment(user: User, video_id: int, text: str, parent_id: int | None = None) -> Comment:
    """Comment on a video, or reply to a comment; a reply to a reply joins its thread.

    Where the video's author wants to approve it first, its state is `held`.

    Raises:
        DomainError: the text is empty, too long (1,000) or has control characters; the
            parent is not a comment of this video that everybody sees (400); the author lets
            others comment only (403, see `commenting.refusal`); the video is not visible
            (404) or not published (409).
    """
    text = clean_comment(text)
    video = lock_video(user, video_id)
    if refused := refusal(user, video):
        raise refused
    root_id = _thread(user, video, parent_id)
    held = is_held(user, video)
    comment = Comment.objects.create(
        video=video,
        author=user,
        parent_id=root_id,
        text=text,
        state=CommentState.HELD if held else CommentState.SHOWN,
    )
    if held:
        signals.comment_held.send(sender=Comment, comment=comment, video=video, user=user)
        return comment
    count(comment, video, +1)
    signals.comment_added.send(sender=Comment, comment=comment, video=video, user=user)
    return comment


def count(comment: Comment, video: Video, step: int) -> None:
    """Count a comment, which has just become shown (+1) or ceases to be (-1), with its thread.

    The video is locked. Replies count for the video only while the comment above them is shown.
    """
    if comment.parent_id is None:
        total = step * (1 + comment.replies_count)
    else:
        roots = Comment.objects.filter(pk=comment.parent_id)
        roots.update(replies_count=F("replies_count") + step)
        total = step * roots.filter(state=CommentState.SHOWN).count()
    Video.objects.filter(pk=video.pk).update(comments_count=F("comments_count") + total)
    video.comments_count += total


@transaction.atomic
def delete_comment(user: User, comment_id: int) -> int:
    """Delete a comment with its replies, as its author or as the video's.

    Returns:
        How many comments went.

    Raises:
        DomainError: it is not there or not visible (404); it is somebody else's (403).
    """
    comment = _deletable(user, comment_id)
    video = Video.objects.select_for_update(no_key=True).get(pk=comment.video_id)
    # The full lock keeps a like from being inserted between collecting and deleting.
    thread = Comment.objects.filter(Q(pk=comment_id) | Q(parent=comment_id)).order_by("pk")
    rows = {row.pk: row for row in thread.select_for_update(of=("self",))}
    if comment_id not in rows:
        raise not_found("comment")  # somebody was quicker
    comment, ids = rows[comment_id], list(rows)
    if comment.state == CommentState.SHOWN:
        count(comment, video, -1)
    signals.comments_deleting.send(sender=Comment, ids=ids)
    Comment.objects.filter(pk__in=ids).delete()
    signals.comment_deleted.send(sender=Comment, comment=comment, video=video, user=user, ids=ids)
    gone = [(row.author_id, video.pk) for row in rows.values()]
    signals.acts_gone.send(sender=Comment, pairs=gone)
    return len(ids)


@limited("react_user")
@transaction.atomic
def like_comment(user: User, comment_id: int) -> int:
    """Like a comment; liking it again changes nothing. Returns its likes."""
    comment = _lock_comment(user, comment_id)
    if insert_once(CommentLike, user_id=user.pk, comment_id=comment.pk):
        _count_like(comment, +1)
        signals.comment_liked.send(sender=Comment, user=user, comment=comment)
    return comment.likes_count


@transaction.atomic
def unlike_comment(user: User, comment_id: int) -> int:
    """Take a like of a comment back, if there is one. Returns the comment's likes."""
    comment = _lock_comment(user, comment_id)
    if delete_row(CommentLike, user_id=user.pk, comment_id=comment.pk):
        _count_like(comment, -1)
        signals.comment_unliked.send(sender=Comment, user=user, comment=comment)
    return comment.likes_count


def video_of(user: User, comment_id: int) -> int:
    """Return the id of the video under which a comment stands; raise as `delete_comment` does."""
    return _deletable(user, comment_id).video_id


def visible_comment(user: User, comment_id: int) -> Comment:
    """Return a comment that the user may see, on a video that they may see; else raise 404."""
    comment = (
        Comment.objects.visible_to(user)
        .filter(pk=comment_id, video__in=Video.objects.visible_to(user))
        .select_related("video", "author")
        .first()
    )
    if comment is None:
        raise not_found("comment")
    return comment


def _thread(user: User, video: Video, parent_id: int | None) -> int | None:
    """The comment that a reply to `parent_id` belongs under."""
    if parent_id is None:
        return None
    visible = Comment.objects.visible_to(user).counted().filter(video=video)
    parent = visible.filter(pk=parent_id).first()
    root_id = (parent.parent_id or parent.pk) if parent is not None else None
    # The thread may have been begun by somebody whom a block hides.
    if root_id is None or not visible.filter(pk=root_id).exists():
        raise invalid("parent", "not_found", "There is no such comment under this video.")
    return root_id


def _deletable(user: User, comment_id: int) -> Comment:
    """One's own words, and all under one's own video, whoever blocks whom."""
    comment = Comment.objects.filter(pk=comment_id).select_related("video").first()
    if comment is not None and user.pk in (comment.author_id, comment.video.author_id):
        return comment
    visible_comment(user, comment_id)
    raise DomainError(
        "permission_denied", "Only its author and the video's may delete a comment.", status=403
    )


def _lock_comment(user: User, comment_id: int) -> Comment:
    visible_comment(user, comment_id)
    locked = Comment.objects.select_for_update(no_key=True).filter(pk=comment_id).first()
    if locked is None:
        raise not_found("comment")
    return locked


def _count_like(comment: Comment, step: int) -> None:
    Comment.objects.filter(pk=comment.pk).update(likes_count=F("likes_count") + step)
    comment.likes_count += step
