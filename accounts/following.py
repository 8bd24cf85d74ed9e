"""The rows of following: locked in pairs, counted exactly.

Part of the machinery, so that the job that answers many requests may call it as well.
"""

from django.db import transaction
from django.db.models import F

from accounts import signals
from accounts.models import Block, Follow, FollowRequest, Friendship, User
from tiktok_clone.common.errors import not_found

LOCKED = ("is_active", "is_private", "followers_count", "following_count")


def lock_pair(one: User, other: User) -> None:
    """Lock both rows in id order and refresh the instances.

    Two people who follow each other at the same moment take turns here, so that the
    second one sees the first one's row. NO KEY UPDATE lets rows that merely refer to
    these people be inserted meanwhile.

    Raises:
        DomainError: `not_found`, as one of them is gone.
    """
    pair = User.objects.select_for_update(no_key=True).filter(pk__in=[one.pk, other.pk])
    fresh = {person.pk: person for person in pair.order_by("pk")}
    for person in (one, other):
        if person.pk not in fresh:
            raise not_found("person")
        for field in LOCKED:
            setattr(person, field, getattr(fresh[person.pk], field))


def follows(follower: User, followee: User) -> bool:
    """Whether one follows the other."""
    return Follow.objects.filter(follower=follower, followee=followee).exists()


def are_apart(one: User, other: User) -> bool:
    """Whether nothing may begin between two people: one is gone, or there is a block."""
    active = one.is_active and other.is_active
    return not active or Block.objects.between(one.pk, other.pk).exists()


def begin(follower: User, followee: User) -> None:
    """Write a follow that is not there; a friendship begins when it is mutual. Lock first."""
    Follow.objects.create(follower=follower, followee=followee)
    _count(follower, followee, 1)
    signals.user_followed.send(Follow, follower_id=follower.pk, followee_id=followee.pk)
    if follows(followee, follower):
        low, high = sorted((follower, followee), key=lambda person: person.pk)
        Friendship.objects.create(low=low, high=high)
        signals.user_befriended.send(Friendship, one_id=follower.pk, other_id=followee.pk)


def end(follower: User, followee: User) -> None:
    """Remove a follow if it is there, or the request for it; the friendship ends. Lock first."""
    withdraw(follower, followee)
    gone, _ = Follow.objects.filter(follower=follower, followee=followee).delete()
    if not gone:
        return
    _count(follower, followee, -1)
    signals.user_unfollowed.send(Follow, follower_id=follower.pk, followee_id=followee.pk)
    ended, _ = Friendship.objects.between(follower.pk, followee.pk).delete()
    if ended:
        signals.user_unfriended.send(Friendship, one_id=follower.pk, other_id=followee.pk)


def withdraw(requester: User, target: User) -> bool:
    """Remove a request. Returns whether there was one."""
    gone, _ = FollowRequest.objects.filter(requester=requester, target=target).delete()
    if gone:
        signals.follow_request_gone.send(
            FollowRequest, requester_id=requester.pk, target_id=target.pk
        )
    return bool(gone)


@transaction.atomic
def accept(request: FollowRequest, *, as_public: bool = False) -> bool:
    """Turn a request into a follow.

    Args:
        request: with its requester and target loaded.
        as_public: nobody said yes; it is accepted as the account is private no more.

    Returns:
        False where it was answered, taken back or made void meanwhile.
    """
    requester, target = request.requester, request.target
    lock_pair(requester, target)
    if as_public and target.is_private:
        return False
    if not withdraw(requester, target) or are_apart(requester, target):
        return False
    if not follows(requester, target):
        begin(requester, target)
    signals.follow_request_accepted.send(
        FollowRequest, requester_id=requester.pk, target_id=target.pk, as_public=as_public
    )
    return True


def accept_waiting(target_id: int, limit: int) -> bool:
    """Accept up to `limit` requests to an account that is private no more.

    Returns:
        Whether more may wait.
    """
    waiting = FollowRequest.objects.filter(target=target_id, target__is_private=False)
    requests = list(waiting.select_related("requester", "target").order_by("id")[:limit])
    for request in requests:
        accept(request, as_public=True)
    return len(requests) == limit


def _count(follower: User, followee: User, change: int) -> None:
    User.objects.filter(pk=follower.pk).update(following_count=F("following_count") + change)
    User.objects.filter(pk=followee.pk).update(followers_count=F("followers_count") + change)
    follower.following_count += change
    followee.followers_count += change
