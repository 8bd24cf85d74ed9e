"""What a feed knows of somebody's taste, as they see it, and how they change it.

They can refuse a creator or a hashtag (a single video: `services.refuse_video`), take a creator or
a hashtag out of what was learned, have all of it forgotten, and not be profiled at all. What was
forgotten is not deleted, as it follows from likes and watches that stay: it is left out wherever
it is read (`affinity.COUNTED`). A clip counts again once something new is done with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.throttling import limited
from feeds import prepared, services
from feeds.models import Affinity, NotInterested, RefusedCreator, RefusedTag, RemovedTaste
from feeds.recommender import sessions
from feeds.recommender.tastes import taste_of
from feeds.tasks import settle_forgotten
from tiktok_clone.common import jobs
from tiktok_clone.common.errors import DomainError, invalid
from tiktok_clone.common.folding import fold_tag
from videos.models import Hashtag, Video
from videos.services.engagement import lock_video
from videos.services.rows import delete_row, insert_once
from videos.text import read_id

CREATOR, HASHTAG, VIDEO = "creator", "hashtag", "video"
# Shown are at most so many of each kind: of what was learned the strongest, of refusals the latest.
MOST = 50
One = TypeVar("One", bound=models.Model)


@dataclass(frozen=True)
class Learned:
    """What the feed goes by: from 0 to 1, how much the reader cares, the most first."""

    hashtags: list[tuple[Hashtag, float]] = field(default_factory=list)
    creators: list[tuple[User, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Refused:
    """What a person does not want, the latest first; videos have their author loaded."""

    videos: list[Video]
    creators: list[User]
    hashtags: list[Hashtag]


def learned(user: User) -> Learned:
    """Return what the next order of a person is made from; nothing without profiling."""
    if not user.profiling:
        return Learned()
    taste = taste_of(user, None)
    no_tags = RefusedTag.objects.filter(user=user).values("hashtag")
    no_creators = RefusedCreator.objects.filter(user=user).values("creator")
    return Learned(
        _strongest(Hashtag.objects.exclude(pk__in=no_tags), taste.tags),
        _strongest(User.objects.visible_to(user).exclude(pk__in=no_creators), taste.creators),
    )


def refused(user: User) -> Refused:
    """Return what a person refused and may still come across; three queries."""
    videos = _latest(NotInterested, user, "video")
    creators, tags = _latest(RefusedCreator, user, "creator"), _latest(RefusedTag, user, "hashtag")
    visible = Video.objects.published().visible_to(user).select_related("author")
    return Refused(
        _in_order(visible, videos),
        _in_order(User.objects.visible_to(user), creators),
        _in_order(Hashtag.objects.all(), tags),
    )


def refuse(user: User, video_id: int, what: str, hashtag: str = "") -> None:
    """Recommend a video no more, or nothing by its creator, or nothing with one of its hashtags.

    Holds at once; again changes nothing.

    Raises:
        DomainError: one's own (400), no hashtag of the video (400), not visible (404) or not
            published (409).
    """
    if what == VIDEO:
        services.refuse_video(user, video_id)
    else:
        _refuse_kind(user, video_id, what, hashtag)


@limited("react_user")
@transaction.atomic
def _refuse_kind(user: User, video_id: int, what: str, hashtag: str) -> None:
    video = lock_video(user, video_id)
    if video.author_id == user.pk:
        raise DomainError("own_video", "This is your own video; it is not recommended to you.")
    if what == CREATOR:
        new = insert_once(RefusedCreator, user_id=user.pk, creator_id=video.author_id)
    else:
        tag = video.hashtags.filter(name=fold_tag(hashtag.removeprefix("#"))).first()
        if tag is None:
            raise invalid("hashtag", "not_its_hashtag", "Name a hashtag of this video.")
        new = insert_once(RefusedTag, user_id=user.pk, hashtag_id=tag.pk)
    if new:
        prepared.forget(user.pk)


def allow_of(user: User, video_id: int, what: str, hashtag: str = "") -> None:
    """Take back what was refused at a video, if it was.

    Raises:
        DomainError: `not_found` for a video that the person may not see.
    """
    if what == VIDEO:
        services.allow_video(user, video_id)
        return
    with transaction.atomic():
        video = lock_video(user, video_id)
        allow(user, what, video.author.handle if what == CREATOR else hashtag)


@transaction.atomic
def allow(user: User, what: str, name: str) -> None:
    """Take back a refusal by name; nothing changes where there is none.

    Args:
        what: one of the three kinds.
        name: a handle, a hashtag, or the id of a video.

    Raises:
        DomainError: `not_found` for a video that the person may not see.
    """
    if what == VIDEO:
        services.allow_video(user, read_id(name) or 0)
        return
    model, column = _REFUSALS[what]
    if delete_row(model, user_id=user.pk, **{f"{column}__{_NAMES[what]}": _folded(what, name)}):
        prepared.forget(user.pk)


@transaction.atomic
def forget_one(user: User, what: str, name: str) -> None:
    """Take a creator or a hashtag out of what was learned; again changes nothing.

    All that was done with such clips up to now says nothing any more, of other hashtags neither.
    What is done from now on is learned again.
    """
    model: type[models.Model] = User if what == CREATOR else Hashtag
    found = model._default_manager.filter(**{_NAMES[what]: _folded(what, name)}).first()
    if found is not None:
        named: dict[str, Any] = {what: found}
        now = {"removed_at": timezone.now()}
        RemovedTaste.objects.update_or_create(user=user, **named, defaults=now)
        prepared.forget(user.pk)


@transaction.atomic
def reset(user: User) -> None:
    """Forget all that was learned up to now. What was refused, and what was seen, stays so.

    Orders that were given out end: the next page of one says to refresh.
    """
    User.objects.select_for_update().get(pk=user.pk)
    user.taste_since = timezone.now()
    user.save(update_fields=["taste_since"])
    sessions.end_orders(user)
    RemovedTaste.objects.filter(user=user).delete()  # all of them from before
    prepared.forget(user.pk)


@transaction.atomic
def set_profiling(user: User, wanted: bool) -> int:
    """Let the feed learn from what a person does, or not.

    Without profiling `for-you` is made of what is popular, what is new and whom they follow, and
    no affinity of theirs is read or written; those that there are get deleted here. Likes,
    comments and the history stay, as does what they refused: those are their own words. When it is
    switched on again a job computes the affinities from these (`affinity.rebuild`), less what was
    forgotten before. Either way orders that were given out end: the next page of one says to
    refresh.

    Returns:
        How many affinities were deleted.
    """
    # The full lock: acts under way hold a weak one, see feeds/affinity.py.
    held = User.objects.select_for_update().get(pk=user.pk)
    user.profiling = wanted
    if held.profiling == wanted:
        return 0
    user.save(update_fields=["profiling"])
    sessions.end_orders(user)
    prepared.forget(user.pk)
    if wanted:
        jobs.enqueue(settle_forgotten, user_id=user.pk)
        return 0
    return Affinity.objects.filter(user=user).delete()[0]


_REFUSALS: dict[str, tuple[type[models.Model], str]] = {
    CREATOR: (RefusedCreator, "creator"),
    HASHTAG: (RefusedTag, "hashtag"),
}
_NAMES = {CREATOR: "handle", HASHTAG: "name"}


def _folded(what: str, name: str) -> str:
    return name.removeprefix("@").lower() if what == CREATOR else fold_tag(name.removeprefix("#"))


def _strongest(rows: "QuerySet[Any]", strengths: Mapping[int, float]) -> list[tuple[Any, float]]:
    liked = sorted((-much, pk) for pk, much in strengths.items() if much > 0)
    found = rows.in_bulk([pk for _, pk in liked])
    return [(found[pk], -much) for much, pk in liked if pk in found][:MOST]


def _latest(model: type[models.Model], user: User, column: str) -> list[int]:
    rows = model._default_manager.filter(user=user).order_by("-created_at", "-pk")
    return list(rows.values_list(column, flat=True)[:MOST])


def _in_order(rows: "QuerySet[One]", ids: list[int]) -> list[One]:
    found = rows.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]
