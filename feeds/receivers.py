"""Listens to the lower apps: each act settles the affinity in its own transaction."""

from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import user_followed, user_purging, user_unfollowed
from feeds import affinity, export
from feeds.models import Export
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
