"""Removing everything that somebody posted and did, a piece at a time, while the account stays.

Part of the machinery, since it is a job. Each piece is a transaction of its own, so a killed
worker leaves exact counters, and the next run goes on where it ended.
"""

from collections.abc import Collection
from dataclasses import astuple, dataclass

from django.db import connection, transaction

from accounts.models import Follow, FollowRequest, User
from accounts.services import unfollow
from videos import forgetting, publication
from videos.models import Video

FOLLOWS_AT_ONCE = 50


@dataclass(frozen=True)
class Content:
    """How much of each there is of one person."""

    videos: int
    comments: int
    likes: int
    saves: int
    shares: int
    follows: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(astuple(self))


def count_content(person_id: int) -> Content:
    """Count what somebody posted and did."""
    return count_contents([person_id])[person_id]


def count_contents(person_ids: Collection[int]) -> dict[int, Content]:
    """Count what some people posted and did, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [list(person_ids)])
        return {person_id: Content(*counts) for person_id, *counts in cursor.fetchall()}


def remove_some(person_id: int) -> bool:
    """Remove one piece of what somebody posted and did. Returns whether there was any.

    First the videos, whose media follow by tombstones; then comments, likes, saves and shares;
    then whom the person follows, or asks to.
    """
    video_id = Video.objects.filter(author=person_id).values_list("pk", flat=True).first()
    if video_id is not None:
        _remove_video(video_id)
        return True
    return forgetting.forget_some(person_id) or _unfollow_some(person_id)


@transaction.atomic
def _remove_video(video_id: int) -> None:
    video = publication.lock(video_id)
    if video is not None:
        publication.remove(video)


def _unfollow_some(person_id: int) -> bool:
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        return False
    rows = Follow.objects.filter(follower=person_id).select_related("followee")
    asked = FollowRequest.objects.filter(requester=person_id).select_related("target")
    others = [row.followee for row in rows[:FOLLOWS_AT_ONCE]]
    others = others or [row.target for row in asked[:FOLLOWS_AT_ONCE]]
    for other in others:
        unfollow(person, other)
    return bool(others)


_COUNTS = """
SELECT person.id,
    (SELECT count(*) FROM videos_video WHERE author_id = person.id),
    (SELECT count(*) FROM videos_comment WHERE author_id = person.id),
    (SELECT count(*) FROM videos_like WHERE user_id = person.id)
        + (SELECT count(*) FROM videos_commentlike WHERE user_id = person.id),
    (SELECT count(*) FROM videos_save WHERE user_id = person.id),
    (SELECT count(*) FROM videos_share WHERE user_id = person.id),
    (SELECT count(*) FROM accounts_follow WHERE follower_id = person.id)
        + (SELECT count(*) FROM accounts_followrequest WHERE requester_id = person.id)
FROM unnest(%s::bigint[]) AS person (id)
"""
