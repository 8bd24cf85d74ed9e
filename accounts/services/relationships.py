"""Follow, ask to follow, mute, block, and take it back: each idempotent, and exact in races."""

from dataclasses import dataclass

from django.db import transaction

from accounts import audit, following, signals
from accounts.models import Block, FollowRequest, Mute, User
from accounts.throttling import limited
from tiktok_clone.common.errors import DomainError, not_found


@dataclass(frozen=True)
class FollowState:
    """What the follow button shows afterwards."""

    following: bool
    requested: bool
    followers_count: int


@limited("follow_user")
@transaction.atomic
def follow(follower: User, followee: User) -> FollowState:
    """Follow somebody, or ask a private account; a friendship begins when it is mutual.

    Raises:
        DomainError: `cannot_follow_yourself`, `not_found` (gone, or a block in either
            direction), or `account_inactive`.
    """
    check_not_oneself(follower, followee, "follow")
    following.lock_pair(follower, followee)
    if following.follows(follower, followee):
        return FollowState(True, False, followee.followers_count)
    check_can_follow(follower, followee)
    if followee.is_private:
        _ask(follower, followee)
        return FollowState(False, True, followee.followers_count)
    # From before the account became public, if the job that accepts them has not come to it.
    following.withdraw(follower, followee)
    following.begin(follower, followee)
    return FollowState(True, False, followee.followers_count)


@transaction.atomic
def unfollow(follower: User, followee: User) -> FollowState:
    """Stop following somebody, or take the request back; a friendship ends with it."""
    check_not_oneself(follower, followee, "follow")
    following.lock_pair(follower, followee)
    following.end(follower, followee)
    return FollowState(False, False, followee.followers_count)


@transaction.atomic
def remove_follower(user: User, follower: User) -> None:
    """Make somebody stop following oneself; they are not told."""
    check_not_oneself(user, follower, "remove")
    following.lock_pair(user, follower)
    following.end(follower, user)


@transaction.atomic
def block(blocker: User, blocked: User) -> None:
    """Hide two people from each other; follows and requests in both directions end.

    Raises:
        DomainError: `cannot_block_yourself`.
    """
    check_not_oneself(blocker, blocked, "block")
    following.lock_pair(blocker, blocked)
    if Block.objects.filter(blocker=blocker, blocked=blocked).exists():
        return
    Block.objects.create(blocker=blocker, blocked=blocked)
    following.end(blocker, blocked)
    following.end(blocked, blocker)
    signals.user_blocked.send(Block, blocker_id=blocker.pk, blocked_id=blocked.pk)
    audit.record("block", user=blocker.pk, other=blocked.pk)


@transaction.atomic
def unblock(blocker: User, blocked: User) -> None:
    """Take a block back; what it ended does not return."""
    gone, _ = Block.objects.filter(blocker=blocker, blocked=blocked).delete()
    if gone:
        signals.user_unblocked.send(Block, blocker_id=blocker.pk, blocked_id=blocked.pk)
        audit.record("unblock", user=blocker.pk, other=blocked.pk)


@transaction.atomic
def mute(muter: User, muted: User) -> None:
    """Come across somebody no more: not in feeds, search and comments. They are not told.

    Raises:
        DomainError: `cannot_mute_yourself`.
    """
    check_not_oneself(muter, muted, "mute")
    _, created = Mute.objects.get_or_create(muter=muter, muted=muted)
    if created:
        signals.user_muted.send(Mute, muter_id=muter.pk, muted_id=muted.pk)


@transaction.atomic
def unmute(muter: User, muted: User) -> None:
    """Take a mute back."""
    gone, _ = Mute.objects.filter(muter=muter, muted=muted).delete()
    if gone:
        signals.user_unmuted.send(Mute, muter_id=muter.pk, muted_id=muted.pk)


def accept_request(user: User, request_id: int) -> None:
    """Let somebody follow oneself who has asked.

    Raises:
        DomainError: `not_found`, as it is not one's own, was taken back or answered.
    """
    if not following.accept(_own_request(user, request_id)):
        raise not_found("request")


@transaction.atomic
def decline_request(user: User, request_id: int) -> None:
    """Answer a request with no; they are not told, and may ask again.

    Raises:
        DomainError: `not_found`, as above.
    """
    request = _own_request(user, request_id)
    if not following.withdraw(request.requester, user):
        raise not_found("request")


def check_not_oneself(one: User, other: User, verb: str) -> None:
    """Raise `cannot_<verb>_yourself` when the two are the same person."""
    if one.pk == other.pk:
        raise DomainError(f"cannot_{verb}_yourself", f"You cannot {verb} yourself.")


def check_can_follow(follower: User, followee: User) -> None:
    """Raise when one may not begin to follow the other. Both rows are locked and fresh."""
    if not follower.is_active:
        raise DomainError("account_inactive", "This account is not active.", status=403)
    if following.are_apart(follower, followee):
        raise not_found("person")


def _ask(requester: User, target: User) -> None:
    _, created = FollowRequest.objects.get_or_create(requester=requester, target=target)
    if created:
        signals.follow_requested.send(FollowRequest, requester_id=requester.pk, target_id=target.pk)


def _own_request(user: User, request_id: int) -> FollowRequest:
    requests = FollowRequest.objects.filter(target=user).select_related("requester", "target")
    request = requests.filter(pk=request_id).first()
    if request is None:
        raise not_found("request")
    return request
