"""What somebody has watched, as they see it, and how they remove it."""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from feeds import affinity
from feeds.models import WATCHED, Impression
from feeds.tasks import settle_forgotten
from tiktok_clone.common import jobs
from videos.models import Video
from videos.representation import Card, iso, represent_videos

# Latest watch first; several watches may be reported in the same moment.
ORDER = ("-last_at", "-id")


def history_of(user: User) -> "QuerySet[Impression]":
    """What the user has watched and may still see, latest first; a swipe past is no watch."""
    visible = Video.objects.published().visible_to(user).filter(pk=OuterRef("video"))
    rows = Impression.objects.filter(WATCHED, Exists(visible), user=user, forgotten_at=None)
    return rows.order_by(*ORDER)


def represent_history(rows: "list[Impression]", user: User) -> list[Card]:
    """Return the cards of a page of the history, each with `watched_at`, in its order."""
    at = {row.video_id: row.last_at for row in rows}
    videos = Video.objects.filter(pk__in=at).for_cards()
    cards = {card["id"]: card for card in represent_videos(videos, user.pk)}
    return [cards[pk] | {"watched_at": iso(at[pk])} for pk in at if pk in cards]


@transaction.atomic
def forget_watch(user: User, video_id: int) -> None:
    """Take a video out of the history; again changes nothing. Watching it again brings it back.

    The row stays, since a view is counted once; it just says no more what the user likes.
    """
    kept = affinity.keep_videos([video_id])
    if _forget(Impression.objects.filter(user=user, video__in=kept)):
        affinity.settle(user.pk, kept)


@transaction.atomic
def forget_everything(user: User) -> int:
    """Empty the history; returns how many videos were in it. A job sees to the rest."""
    forgotten = _forget(Impression.objects.filter(user=user))
    if forgotten:
        jobs.enqueue(settle_forgotten, user_id=user.pk)
    return forgotten


def _forget(rows: "QuerySet[Impression]") -> int:
    """Lock in the order of the videos first, as a batch of views does that comes meanwhile."""
    held = rows.filter(forgotten_at=None)
    list(held.select_for_update(no_key=True).order_by("video_id").values_list("pk"))
    return held.update(forgotten_at=timezone.now(), longest=0)
