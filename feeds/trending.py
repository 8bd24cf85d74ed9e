"""What is on many people's minds at present: decayed counts of people, for videos and hashtags.

A person counts once for a video and once for a hashtag, with the strongest of their acts there,
however many they are: neither a hundred clips nor a hundred comments of one person make a
trend. What a person does to their own video does not count, beside having posted it.

An act weighs half after each HALF_LIFE, so that counts fade by themselves; this is the decayed
count of streams (Cormode et al., "Forward decay", 2009), recomputed from the rows: nothing that is
taken back stays in it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from accounts.models import Block
from feeds.models import VIEW_SECONDS
from feeds.wishes import wanted_by
from videos.models import Hashtag, Video
from videos.models.video import VideoQuerySet

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models.user import Viewer

HALF_LIFE = timedelta(hours=24)
# Older acts weigh less than 1/256 and are not read; what has only such ones is at 0 exactly.
HORIZON = 8 * HALF_LIFE
# A value is written anew when it has changed by so much, not for each minute of decay:
# every write of a video's row costs entries in all its indexes.
WORTH_WRITING = 0.02
CHUNK = 500


@dataclass(frozen=True)
class Weights:
    """What an act is worth beside the others, as a multiple of a like."""

    posted: float = 2.0  # a hashtag is in use; a new video has a start
    shared: float = 2.0
    commented: float = 1.5
    saved: float = 1.5
    liked: float = 1.0
    watched: float = 0.25  # a view: see VIEW_SECONDS


WEIGHTS = Weights()


def trending_tags(viewer: "Viewer") -> "QuerySet[Hashtag]":
    """Hashtags with a trend, the strongest first; none that are muted."""
    tags = Hashtag.objects.filter(trend__gt=0, videos_count__gt=0).not_muted_by(viewer)
    return tags.order_by("-trend", "name")


def trending_videos(viewer: "Viewer") -> VideoQuerySet:
    """Everybody's videos with a trend, the strongest first, less blocks and what is not wanted."""
    videos = Video.objects.visible_to(None).filter(trend__gt=0)
    if viewer is not None and viewer.pk is not None:
        videos = videos.exclude(Exists(Block.objects.between(viewer.pk, OuterRef("author"))))
    return wanted_by(viewer, videos).order_by("-trend", "-id")


def recompute() -> int:
    """Bring the trends of all videos and hashtags up to date. Returns how many were written.

    Reads only acts within HORIZON, in one statement; writes only what has changed.
    """
    values: dict[str, Any] = vars(WEIGHTS) | {
        "half_life": HALF_LIFE.total_seconds(),
        "horizon": HORIZON,
        "view": VIEW_SECONDS,
        "worth": WORTH_WRITING,
    }
    changes: dict[str, list[tuple[int, float]]] = {"videos_video": [], "videos_hashtag": []}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, values)
        for table, pk, trend in cursor.fetchall():
            changes[table].append((pk, trend))
    for table, rows in changes.items():
        rows.sort()
        for start in range(0, len(rows), CHUNK):
            _write(table, rows[start : start + CHUNK])
    return sum(map(len, changes.values()))


@transaction.atomic
def _write(table: str, rows: list[tuple[int, float]]) -> None:
    """Lock in the order of the ids first, as everybody does who changes several of these rows."""
    ids, trends = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK.format(table=table), [list(ids)])
        cursor.execute(_UPDATE.format(table=table), [list(ids), list(trends)])


_CHANGES = """
WITH act AS (
    SELECT video_id, user_id AS person_id, created_at AS at, %(liked)s AS weight
    FROM videos_like WHERE created_at > now() - %(horizon)s
    UNION ALL
    SELECT video_id, user_id, created_at, %(saved)s
    FROM videos_save WHERE created_at > now() - %(horizon)s
    UNION ALL
    SELECT video_id, user_id, created_at, %(shared)s
    FROM videos_share WHERE created_at > now() - %(horizon)s
    UNION ALL
    SELECT video_id, author_id, created_at, %(commented)s
    FROM videos_comment WHERE created_at > now() - %(horizon)s AND state = 'shown'
    UNION ALL
    SELECT video_id, user_id, last_at, %(watched)s
    FROM feeds_impression
    WHERE last_at > now() - %(horizon)s AND (completed > 0 OR seconds >= %(view)s)
    UNION ALL
    SELECT id, NULL, published_at, %(posted)s
    FROM videos_video WHERE published_at > now() - %(horizon)s
), counted AS MATERIALIZED (
    SELECT act.video_id, coalesce(act.person_id, video.author_id) AS person_id,
        max(act.weight * 0.5 ^ (
            greatest(extract(epoch FROM now() - act.at)::float8, 0) / %(half_life)s
        )) AS weight
    FROM act
    JOIN videos_video AS video ON video.id = act.video_id
    JOIN accounts_user AS author ON author.id = video.author_id
    LEFT JOIN accounts_user AS person ON person.id = act.person_id
    WHERE video.status = 'ready' AND video.visibility = 'public'
      AND video.hidden_at IS NULL AND video.published_at IS NOT NULL
      AND author.is_active AND author.deleted_at IS NULL AND NOT author.is_private
      AND (act.person_id IS NULL OR (act.person_id <> video.author_id AND person.is_active))
    GROUP BY 1, 2
), video_trend AS (
    SELECT video_id AS id, sum(weight) AS trend FROM counted GROUP BY 1
), tag_trend AS (
    SELECT hashtag_id AS id, sum(weight) AS trend
    FROM (
        SELECT tagged.hashtag_id, counted.person_id, max(counted.weight) AS weight
        FROM counted JOIN videos_videohashtag AS tagged USING (video_id)
        GROUP BY 1, 2
    ) AS person
    GROUP BY 1
)
SELECT 'videos_video', id, video_trend.trend
FROM video_trend JOIN videos_video AS held USING (id)
WHERE abs(held.trend - video_trend.trend) > %(worth)s * video_trend.trend
UNION ALL
SELECT 'videos_video', id, 0 FROM videos_video AS held
WHERE held.trend > 0 AND NOT EXISTS (SELECT FROM video_trend WHERE video_trend.id = held.id)
UNION ALL
SELECT 'videos_hashtag', id, tag_trend.trend
FROM tag_trend JOIN videos_hashtag AS held USING (id)
WHERE abs(held.trend - tag_trend.trend) > %(worth)s * tag_trend.trend
UNION ALL
SELECT 'videos_hashtag', id, 0 FROM videos_hashtag AS held
WHERE held.trend > 0 AND NOT EXISTS (SELECT FROM tag_trend WHERE tag_trend.id = held.id)
"""
_LOCK = "SELECT FROM {table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_UPDATE = """
UPDATE {table} AS held SET trend = new.trend
FROM unnest(%s::bigint[], %s::float8[]) AS new (id, trend) WHERE held.id = new.id
"""
