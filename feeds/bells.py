"""Bells: being told of each new video of somebody whom one follows.

A bell is a wish beside a follow, and ends with it. Publications are brought to the listeners by
jobs, a bounded number of rows each, in the order of their ids; a part that is done twice finds
its rows there.
"""

import time
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts import following
from accounts.models import User
from feeds import versions
from feeds.models import Bell, Kind
from feeds.notifications import topic_of
from tiktok_clone.common.errors import DomainError

BATCH = 1000
BATCHES = 10  # a job; then another one goes on
LONGEST_REST = 0.5  # seconds


@transaction.atomic
def switch_on(listener: User, creator: User) -> None:
    """Want to be told of somebody's new videos; again changes nothing.

    Raises:
        DomainError: `not_following` (409): only whom one follows has a bell.
    """
    following.lock_pair(listener, creator)  # no unfollow meanwhile
    if not following.follows(listener, creator):
        raise DomainError("not_following", "Follow this person first.", status=409)
    Bell.objects.get_or_create(listener=listener, creator=creator)


def switch_off(listener: User, creator: User) -> None:
    """Want it no more; again changes nothing."""
    Bell.objects.filter(listener=listener, creator=creator).delete()


def is_on(listener: User, creator: User) -> bool:
    """Whether somebody is told of another one's new videos."""
    return Bell.objects.filter(listener=listener, creator=creator).exists()


def ring(video_id: int, after: int) -> int | None:
    """Tell some listeners of a publication, those who may see it.

    It rests for as long as it works: nobody minds being told a second later, and everybody minds
    a like that waits for the database.

    Args:
        after: the last listener who has been reached.

    Returns:
        The last listener reached, where more may follow; None at the end.
    """
    for _ in range(BATCHES):
        began = time.monotonic()
        reached = _ring_some(video_id, after)
        if reached is None:
            return None
        after = reached
        time.sleep(min(time.monotonic() - began, LONGEST_REST))
    return after


def _ring_some(video_id: int, after: int) -> int | None:
    now = timezone.now()
    values: dict[str, Any] = {
        "video": video_id,
        "after": after,
        "batch": BATCH,
        "kind": Kind.NEW_VIDEO,
        "topic": topic_of(Kind.NEW_VIDEO, video_id, now),
        "now": now,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RING, values)
        looked_at, last, told = cursor.fetchone()
        versions.change(*told)
    return last if looked_at == BATCH else None


# The video is locked against being deleted meanwhile, which lets it be liked. As with `tell`, who
# does not want to hear of it now finds it read later.
_RING = """
WITH video AS (
    SELECT video.id, video.author_id, video.visibility
    FROM videos_video AS video JOIN accounts_user AS author ON author.id = video.author_id
    WHERE video.id = %(video)s AND video.status = 'ready' AND video.published_at IS NOT NULL
        AND video.hidden_at IS NULL AND author.is_active
    FOR KEY SHARE OF video
), part AS (
    SELECT bell.listener_id
    FROM feeds_bell AS bell JOIN video ON video.author_id = bell.creator_id
    WHERE bell.listener_id > %(after)s
    ORDER BY bell.listener_id LIMIT %(batch)s
), told AS (
    INSERT INTO feeds_notification
        (recipient_id, kind, actor_id, video_id, key, text, topic, created_at, read_at)
    SELECT part.listener_id, %(kind)s, video.author_id, video.id, '', '', %(topic)s, %(now)s,
        CASE WHEN EXISTS (
            SELECT FROM accounts_mute
            WHERE muter_id = part.listener_id AND muted_id = video.author_id
        ) OR EXISTS (
            SELECT FROM feeds_notificationswitch
            WHERE user_id = part.listener_id AND kind = %(kind)s
        ) THEN %(now)s::timestamptz END
    FROM part CROSS JOIN video JOIN accounts_user AS listener ON listener.id = part.listener_id
    WHERE listener.is_active AND (video.visibility = 'public'
        OR video.visibility = 'friends' AND EXISTS (
            SELECT FROM accounts_friendship
            WHERE low_id = least(video.author_id, part.listener_id)
                AND high_id = greatest(video.author_id, part.listener_id)))
    ON CONFLICT (recipient_id, kind, actor_id, video_id, comment_id, key) DO NOTHING
    RETURNING recipient_id
)
SELECT (SELECT count(*) FROM part), (SELECT max(listener_id) FROM part),
    ARRAY(SELECT recipient_id FROM told)
"""
