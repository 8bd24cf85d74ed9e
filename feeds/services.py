"""What readers do to the feed engine: they watch."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from tiktok_clone.common.errors import invalid
from videos.models import Video

LARGEST_BATCH = 50
# Watched in all, from which an impression is a view. Less is a swipe past.
VIEW_SECONDS = 1.0


@dataclass(frozen=True)
class Watched:
    """One impression: how long a video was on, in seconds, and whether it reached its end."""

    video: int
    seconds: float = 0.0
    completed: bool = False


@transaction.atomic
def record_views(user: User, batch: Iterable[Watched]) -> int:
    """Add a batch of impressions and watch time, exactly, whoever else adds at the moment.

    Every impression is kept, an instant swipe too. A *view* is a person who has watched at
    least a second of a video in all, or to its end: it is counted on the video once for each
    person, at the impression that makes it true. Seconds count up to the video's duration for
    each impression. What the person may not see is left out.

    Args:
        user: who watched.
        batch: at most 50; the same video may come several times.

    Returns:
        How many impressions were recorded.

    Raises:
        DomainError: too many at once.
    """
    watched = list(batch)
    if len(watched) > LARGEST_BATCH:
        raise invalid("views", "max_length", f"Send at most {LARGEST_BATCH} at once.")
    # Locked in the order of the ids, so that two batches cannot wait for each other.
    videos = (
        Video.objects.published()
        .visible_to(user)
        .filter(pk__in={one.video for one in watched})
        .select_for_update(no_key=True, of=("self",))
        .order_by("pk")
    )
    durations = dict(videos.values_list("pk", "duration"))
    sums: dict[int, tuple[int, float, int]] = {}
    for one in watched:
        if one.video in durations:
            times, seconds, completed = sums.get(one.video, (0, 0.0, 0))
            bounded = min(max(one.seconds, 0.0), durations[one.video])
            sums[one.video] = (times + 1, seconds + bounded, completed + one.completed)
    if sums:
        _add(user.pk, sums)
    return sum(times for times, _, _ in sums.values())


# The totals after the upsert, less what was added, are the totals before. Hundredths of a
# second are added up, and rounding makes the comparison exact in spite of the floats.
_ADD = """
WITH added AS (
    SELECT * FROM unnest(%(videos)s::bigint[], %(times)s::int[], %(seconds)s::float8[],
                         %(completed)s::int[]) AS added (video_id, times, seconds, completed)
), impression AS (
    INSERT INTO feeds_impression AS held
        (user_id, video_id, times, seconds, completed, first_at, last_at)
    SELECT %(user)s, video_id, times, seconds, completed, now(), now()
    FROM added ORDER BY video_id
    ON CONFLICT (user_id, video_id) DO UPDATE SET
        times = held.times + excluded.times,
        seconds = held.seconds + excluded.seconds,
        completed = held.completed + excluded.completed,
        last_at = excluded.last_at
    RETURNING video_id, seconds, completed
)
UPDATE videos_video AS video SET
    watch_seconds = video.watch_seconds + added.seconds,
    views_count = video.views_count + (
        (impression.completed > 0 OR round(impression.seconds::numeric, 3) >= %(view)s)
        AND impression.completed = added.completed
        AND round((impression.seconds - added.seconds)::numeric, 3) < %(view)s
    )::int
FROM added JOIN impression USING (video_id)
WHERE video.id = added.video_id
"""


def _add(user_id: int, sums: dict[int, tuple[int, float, int]]) -> None:
    videos = sorted(sums)
    values: dict[str, Any] = {
        "user": user_id,
        "view": VIEW_SECONDS,
        "videos": videos,
        "times": [sums[pk][0] for pk in videos],
        "seconds": [round(sums[pk][1], 2) for pk in videos],
        "completed": [sums[pk][2] for pk in videos],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)
