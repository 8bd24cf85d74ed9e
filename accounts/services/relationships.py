"""Follow, unfollow, block, unblock: each idempotent, and exact when two people act at once."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from accounts import audit, signals
from accounts.models import Block, Follow, Friendship, User
from accounts.throttling import limited
from tiktok_clone.common.errors import DomainError, not_found


@dataclass(frozen=True)
class FollowState:
    """What the follow button shows afterwards."""

    following: bool
    followers_count: int


@limited("follow_user")
@transaction.atomic
def follow(follower: User, followee: User) -> FollowState:
    """Follow somebody; a friendship begins when it is mutual.

    Raises:
        DomainError: `cannot_follow_yourself`, `not_found` (gone, or a block in either
            direction), `account_inactive`, or `private_account`.
    """
    check_not_oneself(follower, followee, "follow")
    _lock_pair(follower, followee)
    if Follow.objects.filter(follower=follower, followee=followee).exists():
        return FollowState(True, followee.followers_count)
    check_can_follow(follower, followee)
    Follow.objects.create(follower=follower, followee=followee)
    _count(follower, followee, 1)
    signals.user_followed.send(Follow, follower_id=follower.pk, followee_id=followee.pk)
    if Follow.objects.filter(follower=followee, followee=follower).exists():
        low, high = sorted((follower, followee), key=lambda person: person.pk)
        Friendship.objects.create(low=low, high=high)
        signals.user_befriended.send(Friendship, one_id=follower.pk, other_id=followee.pk)
    return FollowState(True, followee.followers_count)


@transaction.atomic
def unfollow(follower: User, followee: User) -> FollowState:
    """Stop following somebody; a friendship ends with it."""
    check_not_oneself(follower, followee, "follow")
    _lock_pair(follower, followee)
    _remove_follow(follower, followee)
    return FollowState(False, followee.followers_count)


@transaction.atomic
def block(blocker: User, blocked: User) -> None:
    """Hide two people from each other; follows in both directions and the friendship end.

    Raises:
        DomainError: `cannot_block_yourself`.
    """
    check_not_oneself(blocker, blocked, "block")
    _lock_pair(blocker, blocked)
    if Block.objects.filter(blocker=blocker, blocked=blocked).exists():
        return
    Block.objects.create(blocker=blocker, blocked=blocked)
    _remove_follow(blocker, blocked)
    _remove_follow(blocked, blocker)
    signals.user_blocked.send(Block, blocker_id=blocker.pk, blocked_id=blocked.pk)
    audit.record("block", user=blocker.pk, other=blocked.pk)


@transaction.atomic
def unblock(blocker: User, blocked: User) -> None:
    """Take a block back; what it ended does not return."""
    gone, _ = Block.objects.filter(blocker=blocker, blocked=blocked).delete()
    if gone:
        signals.user_unblocked.send(Block, blocker_id=blocker.pk, blocked_id=blocked.pk)
        audit.record("unblock", user=blocker.pk, other=blocked.pk)


def check_not_oneself(one: User, other: User, verb: str) -> None:
    """Raise `cannot_<verb>_yourself` when the two are the same person."""
    if one.pk == other.pk:
        raise DomainError(f"cannot_{verb}_yourself", f"You cannot {verb} yourself.")


def check_can_follow(follower: User, followee: User) -> None:
    """Raise when one may not begin to follow the other. Both rows are locked and fresh."""
    if not follower.is_active:
        raise DomainError("account_inactive", "This account is not active.", status=403)
    if not followee.is_active or Block.objects.between(follower.pk, followee.pk).exists():
        raise not_found("person")
    # Until there are follow requests, a private account says yes by following first.
    if followee.is_private and not _follows(followee, follower):
        raise DomainError(
            "private_account",
            "This account is private. Only people whom it follows may follow it.",
            status=403,
        )


def _follows(follower: User, followee: User) -> bool:
    return Follow.objects.filter(follower=follower, followee=followee).exists()


def _lock_pair(one: User, other: User) -> None:
    """Lock both rows in id order and refresh the instances.

    Two people who follow each other at the same moment take turns here, so that the
    second one sees the first one's row. NO KEY UPDATE lets rows that merely refer to
    these people be inserted meanwhile.
    """
    pair = User.objects.select_for_update(no_key=True).filter(pk__in=[one.pk, other.pk])
    fresh = {person.pk: person for person in pair.order_by("pk")}
    for person in (one, other):
        if person.pk not in fresh:
            raise not_found("person")
        for field in ("is_active", "is_private", "followers_count", "following_count"):
            setattr(person, field, getattr(fresh[person.pk], field))


def _remove_follow(follower: User, followee: User) -> None:
    gone, _ = Follow.objects.filter(follower=follower, followee=followee).delete()
    if not gone:
        return
    _count(follower, followee, -1)
    signals.user_unfollowed.send(Follow, follower_id=follower.pk, followee_id=followee.pk)
    ended, _ = Friendship.objects.between(follower.pk, followee.pk).delete()
    if ended:
        signals.user_unfriended.send(Friendship, one_id=follower.pk, other_id=followee.pk)


def _count(follower: User, followee: User, change: int) -> None:
    User.objects.filter(pk=follower.pk).update(following_count=F("following_count") + change)
    User.objects.filter(pk=followee.pk).update(followers_count=F("followers_count") + change)
    follower.following_count += change
    followee.followers_count += change
