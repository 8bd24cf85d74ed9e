"""Bringing a publication to the cached timelines of those who follow its author.

Writing is for those who read lately: a push changes only lists that exist. An author with more
than `FEED_PUSH_MAX_FOLLOWERS` followers is pulled instead: one outbox, whoever follows. Until all
is delivered, and a little longer than anybody may read with an old generation, the row of
`PendingFanout` is what readers find it by; so nothing is lost, however late a job is.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import Follow, Friendship, User
from feeds import timeline
from feeds.models import PendingFanout, PullAuthor
from feeds.seeds import Place, micros
from feeds.timeline import List
from tiktok_clone.common import generation
from videos.models import Video

BATCH = 500
BATCHES = 10  # a job; then another one goes on
KEPT = timedelta(seconds=10)
LEAST_SHARE = 0.5  # of the bound, below which an author is pushed again


def announce(video: Video) -> None:
    """Note that a video came out, in the transaction that publishes it.

    Raises:
        ValueError: it is not published.
    """
    if video.published_at is None:
        raise ValueError(f"{video} is not published.")
    _choose_way(video.author_id)
    PendingFanout.objects.update_or_create(
        video=video,
        defaults={
            "author_id": video.author_id,
            "published_at": video.published_at,
            "delivered_at": None,
        },
    )


def deliver(video_id: int, after: int) -> int | None:
    """Push a publication to some followers, by the order of their ids.

    Args:
        video_id: of a row of `PendingFanout`; without one, all has been done.
        after: the last follower who has been reached.

    Returns:
        The last follower reached, where more may follow; None at the end.
    """
    _forget_delivered()
    row = PendingFanout.objects.filter(video=video_id, delivered_at=None).first()
    if row is None:
        return None
    place = (micros(row.published_at), video_id)
    if PullAuthor.objects.filter(author=row.author_id, ended_at=None).exists():
        _push([List.of_author(row.author_id)], place)
        _finish(row)
        return None
    for _ in range(BATCHES):
        followers = _followers(row.author_id, after)
        if followers and not _push(_timelines(row.author_id, followers), place):
            break  # a new generation has begun, so that no list is without it
        if len(followers) < BATCH:
            break
        after = followers[-1]
    else:
        return after
    _finish(row)
    return None


def undelivered() -> list[int]:
    """Return the videos that are still on their way; what has arrived is forgotten meanwhile."""
    _forget_delivered()
    waiting = PendingFanout.objects.filter(delivered_at=None)
    return list(waiting.values_list("video", flat=True))


def give_up(video_ids: list[int]) -> None:
    """Deliver publications in another way: a new generation begins, with no list without them."""
    if video_ids:
        generation.renew()
        PendingFanout.objects.filter(video__in=video_ids).update(delivered_at=timezone.now())


def _choose_way(author_id: int) -> None:
    """Have the author pulled or pushed from now on, by how many follow."""
    most = settings.FEED_PUSH_MAX_FOLLOWERS
    followers = User.objects.values_list("followers_count", flat=True).get(pk=author_id)
    if followers > most:
        PullAuthor.objects.update_or_create(author_id=author_id, defaults={"ended_at": None})
    elif followers < most * LEAST_SHARE:
        ending = PullAuthor.objects.filter(author=author_id, ended_at=None)
        if ending.update(ended_at=timezone.now()):
            generation.renew()  # lists of before are without what was only in the outbox


def _followers(author_id: int, after: int) -> list[int]:
    rows = Follow.objects.filter(followee=author_id, follower__gt=after).order_by("follower")
    return list(rows.values_list("follower", flat=True)[:BATCH])


def _timelines(author_id: int, followers: list[int]) -> list[List]:
    """Of all who follow the one, of the friends among them both."""
    pairs = Friendship.objects.filter(
        Q(low=author_id, high__in=followers) | Q(high=author_id, low__in=followers)
    )
    friends = {low + high - author_id for low, high in pairs.values_list("low", "high")}
    return [
        *(List.of_reader("following", follower) for follower in followers),
        *(List.of_reader("friends", friend) for friend in sorted(friends)),
    ]


def _push(lists: list[List], place: Place) -> bool:
    return generation.deliver(lambda redis, name: timeline.push(redis, name, lists, place))


def _finish(row: PendingFanout) -> None:
    """Unless it was published anew meanwhile, which has a job of its own."""
    same = PendingFanout.objects.filter(video=row.video_id, published_at=row.published_at)
    same.update(delivered_at=timezone.now())


def _forget_delivered() -> None:
    old = timezone.now() - KEPT
    PendingFanout.objects.filter(delivered_at__lte=old).delete()
