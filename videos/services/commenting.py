"""Who may comment on a video, and whose comments wait for its author's approval."""

from typing import TYPE_CHECKING

from accounts.models import CommentsFrom, CommentsHeld, Follow, Friendship, User
from tiktok_clone.common.errors import DomainError
from videos.models import Video

if TYPE_CHECKING:
    from accounts.models.user import Viewer


def refusal(viewer: "Viewer", video: Video) -> DomainError | None:
    """Say why somebody may not comment on a video that they see; None if they may.

    A visitor, who has to sign in first, is refused only where everybody is. The video's
    author is loaded.

    Returns:
        `comments_closed`, `comments_followers_only` or `comments_friends_only` (403).
    """
    person = viewer if isinstance(viewer, User) else None
    rule, author = video.comments_from, video.author
    if person is not None and person.pk == author.pk:
        return None
    if rule == CommentsFrom.NOBODY:
        return _refused("comments_closed", f"@{author.handle} has closed the comments here.")
    if person is None:
        return None
    if rule == CommentsFrom.FOLLOWERS and not _follows(person.pk, author.pk):
        sentence = f"Only followers of @{author.handle} may comment here."
        return _refused("comments_followers_only", sentence)
    if rule == CommentsFrom.FRIENDS and not _are_friends(person.pk, author.pk):
        sentence = f"Only friends of @{author.handle} may comment here."
        return _refused("comments_friends_only", sentence)
    return None


def is_held(user: User, video: Video) -> bool:
    """Whether a comment of somebody waits until the author of the video approves it."""
    if user.pk == video.author_id or video.comments_held == CommentsHeld.NOBODY:
        return False
    if video.comments_held == CommentsHeld.EVERYBODY:
        return True
    return not _follows(video.author_id, user.pk)


def _refused(code: str, sentence: str) -> DomainError:
    return DomainError(code, sentence, status=403)


def _follows(follower: int, followee: int) -> bool:
    return Follow.objects.filter(follower=follower, followee=followee).exists()


def _are_friends(one: int, other: int) -> bool:
    return Friendship.objects.between(one, other).exists()
