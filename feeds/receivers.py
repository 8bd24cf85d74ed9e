"""Listens to the lower apps.

Each act settles the affinity in its own transaction; what was prepared or cached is dropped when
it is committed.
"""

from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver

from accounts import signals as people
from accounts.models import User
from accounts.signals import (
    user_befriended,
    user_followed,
    user_purging,
    user_unfollowed,
    user_unfriended,
)
from feeds import affinity, cards, export, fanout, prepared, timeline
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
    signals.comment_hidden,
    signals.comment_shown,
]
# What others see of somebody on a card, or that decides who sees the card.
ON_CARDS = frozenset({"name", "handle", "avatar", "is_private", "is_active"})


@receiver(ACTS)
def settle(user: User, video: Video, **_: Any) -> None:
    """Somebody did something with a video, or took it back."""
    affinity.settle(user.pk, [video.pk])


@receiver(signals.acts_gone)
def settle_what_went(pairs: Iterable[tuple[int, int]], **_: Any) -> None:
    """Comments went, with the replies of others under them, or all that somebody did."""
    pairs = list(pairs)
    affinity.settle_pairs(pairs)
    videos: dict[int, list[int]] = {}
    for reader, video in pairs:
        videos.setdefault(reader, []).append(video)
    for reader, touched in videos.items():
        prepared.note_act(reader, *touched)


@receiver(ACTS[:4])
def note_act(user: User, video: Video, **_: Any) -> None:
    """A like or a save shows at once on the reader's own pages."""
    prepared.note_act(user.pk, video.pk)


@receiver(signals.video_reported)
def forget_prepared_of_who_reports(user: User, **_: Any) -> None:
    """Whoever reports a video does not come across it again."""
    prepared.forget(user.pk)


@receiver([*ACTS, signals.comment_deleted])
def show_counts(video: Video, **_: Any) -> None:
    """Whoever likes or comments sees it counted on the page after."""
    cards.recount(video.pk)


@receiver(
    [
        signals.video_published,
        signals.video_edited,
        signals.video_hidden,
        signals.video_shown,
        signals.video_deleted,
    ]
)
def drop_card(video: Video, **_: Any) -> None:
    """What the card shows has changed, or who may see it."""
    cards.drop(video.pk)


@receiver(people.user_changed)
def drop_cards_of(user: User, changed: frozenset[str], **_: Any) -> None:
    """The author's part of all their cards has changed, or who may see them."""
    if changed & ON_CARDS:
        cards.drop_all_of(user.pk)
    if "is_active" in changed:
        prepared.forget(user.pk)


@receiver(people.user_deleting)
def drop_all_of(user: User, **_: Any) -> None:
    """Hidden at once."""
    cards.drop_all_of(user.pk)
    prepared.forget(user.pk)


@receiver(people.sessions_ended)
def forget_prepared(user_ids: Iterable[int], **_: Any) -> None:
    """A token whose session has ended gets no prepared page any more."""
    prepared.forget(*user_ids)


@receiver([people.user_followed, people.user_unfollowed])
def forget_prepared_of_follower(follower_id: int, **_: Any) -> None:
    """Whom a reader follows decides what there is for them, and is on the cards."""
    prepared.forget(follower_id)


@receiver([people.user_muted, people.user_unmuted])
def forget_prepared_of_muter(muter_id: int, **_: Any) -> None:
    """Whom a reader wants to come across has changed."""
    prepared.forget(muter_id)


@receiver(people.muted_words_changed)
def forget_prepared_of_reader(user_id: int, **_: Any) -> None:
    """Which words and hashtags a reader wants to come across has changed."""
    prepared.forget(user_id)


@receiver([people.user_befriended, people.user_unfriended])
def forget_prepared_of_friends(one_id: int, other_id: int, **_: Any) -> None:
    """Friends see more of each other."""
    prepared.forget(one_id, other_id)


@receiver([people.user_blocked, people.user_unblocked])
def forget_prepared_of_both(blocker_id: int, blocked_id: int, **_: Any) -> None:
    """Blocks work both ways."""
    prepared.forget(blocker_id, blocked_id)


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
