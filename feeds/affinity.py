"""How much a person cares for a video, recomputed from the rows of what they did.

Nothing is added up: each act writes its own row (a like, a comment, an impression …), and the
strength is computed anew from all of them by one statement. So it is exact however often an act
is repeated, undone or rolled back, and a changed weight needs no more than `rebuild`.

Facts of one person and one video may change in several transactions at once: a watch holds its
video only against being deleted. So the row of the strength is locked by a statement of its own
before another one reads the facts, which then sees what all who held the lock before have
committed. Where there is no row yet, there is nothing to lock. Two who make it at the same moment
meet in the upsert, and whoever comes second reads the facts once more, with the lock by then.
What follows from a follow, `followed`, is kept in the row of the strength itself, and every
statement reads it from the row that it has locked.

Of who does not want to be profiled (`User.profiling`) nothing here is read or written: each
function asks first, and holds the account until the end of the transaction, so that no act which
is under way while somebody switches it off leaves a row behind. Their acts stay what they are, a
like is a like; from these alone everything is computed anew when they switch it on again. Only
which clips they followed somebody after is not known then.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from django.db import connection, transaction

from tiktok_clone.common.locking import kept
from videos.models import Video


@dataclass(frozen=True)
class Weights:
    """What each act is worth, as a multiple of a like. The positive ones together: at most MOST."""

    liked: float = 1.0  # the plainest yes, and the unit
    saved: float = 1.2  # meant to be watched again
    shared: float = 1.5  # good enough to give one's name for it
    commented: float = 0.8  # once a video: who argues on and on does not love it more
    followed: float = 1.5  # wanted more of its author right after watching
    watched: float = 0.5  # nearly to the end, FULL of it at least
    again: float = 0.3  # … and in all about twice
    half: float = 0.2  # HALF of it at least, but not FULL
    skipped: float = -0.2  # gone within SKIP_SECONDS; weak, since it is often chance
    not_interested: float = -2.0  # said so


WEIGHTS = Weights()
MOST = 3.0
FULL, HALF, TWICE = 0.9, 0.5, 1.8
SKIP_SECONDS = 2.0
# A follow belongs to the video of that author which was watched last, if no longer ago.
FOLLOW_WINDOW = "30 minutes"
# Players report a watch when it is over, in batches: a follow in the middle of a watch comes
# before its report. One that is older than the watch and this delay was no consequence of it.
REPORT_DELAY = "30 seconds"
CHUNK = 1000


@dataclass(frozen=True, order=True)
class Pair:
    """A person and a video, and what is new about them besides the rows."""

    user: int
    video: int
    # Seconds of a watch in the middle of which a follow of the author may have come.
    seconds: float | None = None
    followed: bool | None = None  # None leaves what is stored


def settle(user_id: int, video_ids: Iterable[int]) -> None:
    """Recompute one person's strength for some videos, kept by the caller's transaction."""
    settle_pairs((user_id, video_id) for video_id in video_ids)


def settle_pairs(pairs: Iterable[tuple[int, int]]) -> None:
    """Recompute the strength of pairs (person, video); one's own videos have none."""
    _settle({Pair(user_id, video_id) for user_id, video_id in pairs})


def settle_watched(user_id: int, watched: dict[int, float | None]) -> None:
    """Recompute after a batch of watches, and make up for follows that came before its report.

    Args:
        watched: by video, how long it was on; None where another video of the same author was
            watched later, to which a follow would belong.
    """
    _settle({Pair(user_id, video_id, seconds) for video_id, seconds in watched.items()})


def mark_followed(user_id: int, author_id: int) -> None:
    """Give a new follow to the video of the author that the person watched just before, if any."""
    found = _lock_strengths(_BEFORE_FOLLOW, user_id, author_id)
    _settle({Pair(user_id, video_id, followed=True) for video_id in found})


def unmark_followed(user_id: int, author_id: int) -> None:
    """Take a follow back."""
    found = _lock_strengths(_MARKED, user_id, author_id)
    _settle({Pair(user_id, video_id, followed=False) for video_id in found})


def rebuild(user_id: int) -> int:
    """Recompute all strengths of a person: for new weights, and for acts older than the table.

    Returns:
        For how many videos.
    """
    if not _profiled([user_id]):
        return 0
    video_ids = _column(_TOUCHED, {"user": user_id})
    for start in range(0, len(video_ids), CHUNK):
        with transaction.atomic():
            settle(user_id, keep_videos(video_ids[start : start + CHUNK]))
    return len(video_ids)


def keep_videos(video_ids: Iterable[int]) -> list[int]:
    """Keep videos from being deleted until the transaction ends; return those that are there."""
    videos = Video.objects.filter(pk__in=list(video_ids)).order_by("pk")
    return [pk for (pk,) in kept(videos.values_list("pk"))]


def _lock_strengths(sql: str, user_id: int, author_id: int) -> list[int]:
    """Find and lock rows before they are recomputed."""
    if not _profiled([user_id]):
        return []
    return _column(sql, {"user": user_id, "author": author_id, "window": FOLLOW_WINDOW})


def _column(sql: str, values: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def _profiled(user_ids: Iterable[int]) -> set[int]:
    """Return who of some people may be profiled, and keep that so until the transaction ends."""
    return set(_column(_MAY_BE_PROFILED, {"users": sorted(set(user_ids))}))


def _settle(pairs: set[Pair]) -> None:
    profiled = _profiled(pair.user for pair in pairs) if pairs else set()
    pairs = {pair for pair in pairs if pair.user in profiled}
    if not pairs:
        return
    held = set(_execute(_LOCK, pairs))
    met = {(user, video) for user, video, there in _execute(_SETTLE, pairs) if there}
    if again := {pair for pair in pairs if (pair.user, pair.video) in met - held}:
        _execute(_SETTLE, again)


def _execute(sql: str, pairs: Iterable[Pair]) -> list[tuple[Any, ...]]:
    columns: dict[str, Any] = {
        "users": [pair.user for pair in pairs],
        "videos": [pair.video for pair in pairs],
        "seconds": [pair.seconds for pair in pairs],
        "marks": [pair.followed for pair in pairs],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, columns | _NUMBERS)
        return cursor.fetchall()


_NUMBERS: dict[str, Any] = {
    **{field.name: getattr(WEIGHTS, field.name) for field in fields(WEIGHTS)},
    "most": MOST,
    "is_full": FULL,
    "is_half": HALF,
    "is_twice": TWICE,
    "skip": SKIP_SECONDS,
    "delay": REPORT_DELAY,
    "window": FOLLOW_WINDOW,
}

# In the order in which they are written, so that no two wait for each other.
_LOCK = """
SELECT held.user_id, held.video_id FROM feeds_affinity AS held
JOIN unnest(%(users)s::bigint[], %(videos)s::bigint[]) AS pair (user_id, video_id)
    ON pair.user_id = held.user_id AND pair.video_id = held.video_id
ORDER BY held.user_id, held.video_id FOR NO KEY UPDATE OF held
"""
# `late` is a follow in the middle of a watch that is reported now. The UPDATE computes the strength
# once more, as there `held.followed` is what the locked row says at that moment. The last column
# tells which rows were there: one that was inserted has no `xmax`.
_SETTLE = """
WITH pair AS (
    SELECT * FROM unnest(%(users)s::bigint[], %(videos)s::bigint[], %(seconds)s::float8[],
                         %(marks)s::bool[]) AS pair (user_id, video_id, seconds, mark)
), fact AS (
    SELECT pair.user_id, pair.video_id,
        %(liked)s * (liked.id IS NOT NULL)::int
        + %(saved)s * (saved.id IS NOT NULL)::int
        + %(shared)s * (shared.id IS NOT NULL)::int
        + %(commented)s * (commented.at IS NOT NULL)::int
        + CASE
            WHEN seen.id IS NULL THEN 0
            WHEN seen.completed > 0 OR seen.longest >= %(is_full)s * video.duration
            THEN %(watched)s + %(again)s
                * (seen.completed > 1 OR seen.seconds >= %(is_twice)s * video.duration)::int
            WHEN seen.longest >= %(is_half)s * video.duration THEN %(half)s
            ELSE 0
        END AS yes,
        %(not_interested)s * (refused.id IS NOT NULL)::int
        + %(skipped)s * coalesce(
            seen.completed = 0 AND seen.longest < %(skip)s
            AND seen.longest < %(is_half)s * video.duration, false)::int AS no,
        greatest(liked.created_at, saved.created_at, shared.created_at, commented.at,
                 seen.last_at, refused.created_at) AS acted_at,
        least(liked.created_at, saved.created_at, shared.created_at, commented.first_at,
              seen.first_at, refused.created_at) AS first_at,
        follow.created_at AS followed_at,
        pair.seconds IS NOT NULL AND follow.created_at IS NOT NULL
        AND follow.created_at >= statement_timestamp() - least(
            pair.seconds * interval '1 second' + %(delay)s::interval, %(window)s::interval)
        AND NOT EXISTS (
            SELECT FROM feeds_affinity AS marked
            JOIN videos_video AS its ON its.id = marked.video_id
            WHERE marked.user_id = pair.user_id AND marked.followed
              AND marked.acted_at >= follow.created_at AND its.author_id = video.author_id
        ) AS late,
        pair.mark
    FROM pair
    JOIN videos_video AS video ON video.id = pair.video_id AND video.author_id <> pair.user_id
    LEFT JOIN videos_like AS liked
        ON liked.user_id = pair.user_id AND liked.video_id = pair.video_id
    LEFT JOIN videos_save AS saved
        ON saved.user_id = pair.user_id AND saved.video_id = pair.video_id
    LEFT JOIN videos_share AS shared
        ON shared.user_id = pair.user_id AND shared.video_id = pair.video_id
    LEFT JOIN LATERAL (
        SELECT max(comment.created_at) AS at, min(comment.created_at) AS first_at
        FROM videos_comment AS comment
        WHERE comment.author_id = pair.user_id AND comment.video_id = pair.video_id
          AND comment.state = 'shown'
    ) AS commented ON true
    LEFT JOIN feeds_impression AS seen
        ON seen.user_id = pair.user_id AND seen.video_id = pair.video_id
        AND seen.forgotten_at IS NULL
    LEFT JOIN feeds_notinterested AS refused
        ON refused.user_id = pair.user_id AND refused.video_id = pair.video_id
    LEFT JOIN accounts_follow AS follow
        ON follow.follower_id = pair.user_id AND follow.followee_id = video.author_id
)
INSERT INTO feeds_affinity AS held (user_id, video_id, strength, followed, acted_at, first_at)
SELECT user_id, video_id, least(yes + %(followed)s * late::int, %(most)s) + no, late,
       coalesce(greatest(acted_at, CASE WHEN late THEN followed_at END), statement_timestamp()),
       coalesce(first_at, statement_timestamp())
FROM fact ORDER BY user_id, video_id
ON CONFLICT (user_id, video_id) DO UPDATE SET (strength, followed, acted_at, first_at) = (
    SELECT least(yes + %(followed)s * now_followed::int, %(most)s) + no, now_followed,
           coalesce(greatest(fact.acted_at, CASE WHEN now_followed THEN followed_at END),
                    held.acted_at),
           least(held.first_at, fact.first_at)
    FROM fact, LATERAL (SELECT coalesce(mark, held.followed OR late)) AS state (now_followed)
    WHERE fact.user_id = held.user_id AND fact.video_id = held.video_id
)
RETURNING held.user_id, held.video_id, held.xmax <> 0
"""
# Conflicts with nothing but the lock that is taken to switch it; after a wait for that one the
# condition is looked at again.
_MAY_BE_PROFILED = """
SELECT id FROM accounts_user WHERE id = ANY(%(users)s::bigint[]) AND profiling
ORDER BY id FOR KEY SHARE
"""
# What an affinity `held` still says about its person `reader`: nothing from before they had
# everything forgotten, nor from before they had its creator or one of its hashtags forgotten.
COUNTED = """
reader.profiling AND (reader.taste_since IS NULL OR held.acted_at > reader.taste_since)
AND NOT EXISTS (
    SELECT FROM feeds_removedtaste AS removed
    WHERE removed.user_id = reader.id AND removed.removed_at >= held.acted_at AND (
        removed.creator_id = (SELECT author_id FROM videos_video WHERE id = held.video_id)
        OR removed.hashtag_id IN (
            SELECT hashtag_id FROM videos_videohashtag WHERE video_id = held.video_id)))
"""
_BEFORE_FOLLOW = """
SELECT held.video_id FROM feeds_affinity AS held
WHERE held.user_id = %(user)s AND held.video_id = (
    SELECT seen.video_id FROM feeds_impression AS seen
    JOIN videos_video AS video ON video.id = seen.video_id
    WHERE seen.user_id = %(user)s AND video.author_id = %(author)s
      AND seen.forgotten_at IS NULL AND seen.last_at >= statement_timestamp() - %(window)s::interval
    ORDER BY seen.last_at DESC, seen.video_id DESC LIMIT 1
)
FOR NO KEY UPDATE
"""
_MARKED = """
SELECT held.video_id FROM feeds_affinity AS held
JOIN videos_video AS video ON video.id = held.video_id
WHERE held.user_id = %(user)s AND held.followed AND video.author_id = %(author)s
ORDER BY held.video_id FOR NO KEY UPDATE OF held
"""
_TOUCHED = """
SELECT video_id FROM videos_like WHERE user_id = %(user)s
UNION SELECT video_id FROM videos_save WHERE user_id = %(user)s
UNION SELECT video_id FROM videos_share WHERE user_id = %(user)s
UNION SELECT video_id FROM videos_comment WHERE author_id = %(user)s
UNION SELECT video_id FROM feeds_impression WHERE user_id = %(user)s
UNION SELECT video_id FROM feeds_notinterested WHERE user_id = %(user)s
UNION SELECT video_id FROM feeds_affinity WHERE user_id = %(user)s
ORDER BY video_id
"""
