"""Removes a deleted account and all that hangs on it, counters of others included.

What it has in the stores goes by tombstones, which those who listen to `user_purging` write.
"""

from django.db import transaction
from django.db.models import F

from accounts import signals
from accounts.models import Follow, User

CHUNK = 500


def purge(user_id: int) -> None:
    """Remove the row of a deleted account; does nothing for one that is not deleted, or gone."""
    user = User.objects.filter(pk=user_id, deleted_at__isnull=False).first()
    if user is None:
        return
    while _remove_some_follows(user_id):
        pass
    with transaction.atomic():
        signals.user_purging.send(User, user=user)
        user.delete()


@transaction.atomic
def _remove_some_follows(user_id: int) -> bool:
    """Delete up to CHUNK follows in each direction, with the counts of the other side."""
    followed = list(
        Follow.objects.filter(follower=user_id).values_list("followee", flat=True)[:CHUNK]
    )
    following = list(
        Follow.objects.filter(followee=user_id).values_list("follower", flat=True)[:CHUNK]
    )
    # All in id order, like the locks of a follow, so that the two cannot wait for each other.
    others = User.objects.filter(pk__in={*followed, *following}).order_by("pk")
    list(others.select_for_update(no_key=True).values_list("pk", flat=True))
    for other in followed:
        gone, _ = Follow.objects.filter(follower=user_id, followee=other).delete()
        if gone:
            User.objects.filter(pk=other).update(followers_count=F("followers_count") - 1)
    for other in following:
        gone, _ = Follow.objects.filter(follower=other, followee=user_id).delete()
        if gone:
            User.objects.filter(pk=other).update(following_count=F("following_count") - 1)
    return bool(followed or following)
