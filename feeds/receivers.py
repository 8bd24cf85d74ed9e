"""Listens to the lower apps: each act settles the affinity in its own transaction."""

from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import (
    user_befriended,
    user_followed,
    user_purging,
    user_unfollowed,
    user_unfriended,
)
from feeds import affinity, export, fanout, timeline
from feeds.models import Export
from feeds.tasks import fan_out
from tiktok_clone.common import jobs
from videos import signals
from videos.models import Video

ACTS = [
    signals.video_liked,
    signals.video_unliked,
    signals.video_saved,
    signals.video_unsaved,
    signals.video_shared,
    signals.comment_added,
]


@receiver(ACTS)
def settle(user: User, video: Video, **_: Any) -> None:
    """Somebody did something with a video, or took it back."""
    affinity.settle(user.pk, [video.pk])


@receiver(signals.acts_gone)
def settle_what_went(pairs: Iterable[tuple[int, int]], **_: Any) -> None:
    """Comments went, with the replies of others under them, or all that somebody did."""
    affinity.settle_pairs(pairs)


@receiver(user_followed)
def mark_followed(follower_id: int, followee_id: int, **_: Any) -> None:
    """A follow belongs to the video watched just before."""
    affinity.mark_followed(follower_id, followee_id)


@receiver(user_unfollowed)
def unmark_followed(follower_id: int, followee_id: int, **_: Any) -> None:
    """Unfollowing, or a block."""
    affinity.unmark_followed(follower_id, followee_id)


@receiver(user_purging)
def drop_exports(user: User, **_: Any) -> None:
    """The copies of what a person had here go with them."""
    export.drop(Export.objects.filter(user=user))


@receiver(signals.video_published)
def bring_to_followers(video: Video, **_: Any) -> None:
    """More people may see a video from now on."""
    fanout.announce(video)
    jobs.enqueue(fan_out, video_id=video.pk)


@receiver([user_followed, user_unfollowed])
def drop_timelines_of_follower(follower_id: int, **_: Any) -> None:
    """What a list was built of has changed."""
    timeline.drop(follower_id)


@receiver([user_befriended, user_unfriended])
def drop_timelines_of_friends(one_id: int, other_id: int, **_: Any) -> None:
    """The lists of friends of both have changed."""
    timeline.drop(one_id, other_id)
