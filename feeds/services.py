"""What readers do to the feed engine: they watch, and say what they do not want to see."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from accounts.throttling import limited
from feeds import affinity, export, prepared, tasks, writeback
from feeds.models import VIEW_SECONDS, Export, NotInterested
from tiktok_clone.common import jobs
from tiktok_clone.common.errors import DomainError, invalid
from tiktok_clone.common.locking import kept
from videos.models import Video
from videos.services.engagement import lock_video
from videos.services.rows import delete_row, insert_once

LARGEST_BATCH = 50
# A watch that is said to have lasted longer is taken for this long, in seconds.
LONGEST_WATCH = 3600.0


@dataclass(frozen=True)
class Watched:
    """One impression: how long a video was on, in seconds, and whether it reached its end."""

    video: int
    seconds: float = 0.0
    completed: bool = False


@transaction.atomic
def record_views(user: User, batch: Iterable[Watched]) -> int:
    """Add a batch of impressions and watch time, whoever else adds at the moment.

    Every impression is kept, an instant swipe too; one of at least a second brings a video that
    was removed from the history back to it. A *view* is a person who has watched at
    least a second of a video in all, or to its end: it is counted on the video once for each
    person, at the impression that makes it true. People it was shown to are counted, up to as many
    as exploration asks for. Seconds count up to the video's duration for
    each impression. What the person may not see is left out. Impressions are exact; the counters
    of the videos follow (`feeds/writeback.py`).

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
    videos = Video.objects.published().visible_to(user)
    rows = videos.filter(pk__in={one.video for one in watched}).order_by("pk")
    # Kept, not locked: all who watch the same video go on side by side.
    known = {pk: (duration, author) for pk, duration, author in kept(rows.values_list(*_COLUMNS))}
    seen = [one for one in watched if one.video in known]
    sums: dict[int, _Sum] = {}
    for one in seen:
        bounded = min(max(one.seconds, 0.0), known[one.video][0])
        sums.setdefault(one.video, _Sum()).add(bounded, one.completed)
    if sums:
        writeback.add(_add(user.pk, sums))
        last_of = {known[one.video][1]: one for one in seen}
        last = {one.video: min(max(one.seconds, 0.0), LONGEST_WATCH) for one in last_of.values()}
        affinity.settle_watched(user.pk, {pk: last.get(pk) for pk in sums})
    return len(seen)


@limited("react_user")
@transaction.atomic
def refuse_video(user: User, video_id: int) -> None:
    """Show a video to a person in no feed any more; saying it again changes nothing.

    Raises:
        DomainError: one's own (400), not visible (404) or not published (409).
    """
    video = lock_video(user, video_id)
    if video.author_id == user.pk:
        raise DomainError("own_video", "This is your own video; you can delete it.")
    if insert_once(NotInterested, user_id=user.pk, video_id=video.pk):
        affinity.settle(user.pk, [video.pk])
        prepared.forget(user.pk)


@transaction.atomic
def allow_video(user: User, video_id: int) -> None:
    """Take back that a person does not want to see a video, if they said so."""
    video = lock_video(user, video_id)
    if delete_row(NotInterested, user_id=user.pk, video_id=video.pk):
        affinity.settle(user.pk, [video.pk])
        prepared.forget(user.pk)


@limited("export_user")
@transaction.atomic
def request_export(user: User) -> Export:
    """Have a copy of all that a person has here made; one at a time, the old one goes.

    Returns:
        The one under way if there is one, else a new one.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    waiting = export.under_way(user)
    if waiting is not None:
        return waiting
    export.drop(Export.objects.filter(user=user))
    made = Export.objects.create(user=user, name=export.new_name())
    jobs.enqueue(tasks.make_export, lock=export.lock_of(made), export_id=made.pk)
    return made


_COLUMNS = ("pk", "duration", "author_id")


@dataclass
class _Sum:
    """What one batch adds to an impression."""

    times: int = 0
    seconds: float = 0.0
    completed: int = 0
    longest: float = 0.0

    def add(self, seconds: float, completed: bool) -> None:
        self.times += 1
        self.seconds += seconds
        self.completed += completed
        self.longest = max(self.longest, seconds)


# The totals after the upsert, less what was added, are the totals before. Hundredths of a
# second are added up, and rounding makes the comparison exact in spite of the floats.
_ADD = """
WITH added AS (
    SELECT * FROM unnest(%(videos)s::bigint[], %(times)s::int[], %(seconds)s::float8[],
                         %(completed)s::int[], %(longest)s::float8[])
        AS added (video_id, times, seconds, completed, longest)
), impression AS (
    INSERT INTO feeds_impression AS held
        (user_id, video_id, times, seconds, completed, longest, first_at, last_at)
    SELECT %(user)s, video_id, times, seconds, completed, longest,
           statement_timestamp(), statement_timestamp()
    FROM added ORDER BY video_id
    ON CONFLICT (user_id, video_id) DO UPDATE SET
        times = held.times + excluded.times,
        seconds = held.seconds + excluded.seconds,
        completed = held.completed + excluded.completed,
        longest = greatest(held.longest, excluded.longest),
        forgotten_at = CASE
            WHEN excluded.seconds >= %(view)s OR excluded.completed > 0 THEN NULL
            ELSE held.forgotten_at END,
        last_at = excluded.last_at
    RETURNING video_id, times, seconds, completed
)
SELECT video_id, (impression.times = added.times)::int, (
        (impression.completed > 0 OR round(impression.seconds::numeric, 3) >= %(view)s)
        AND impression.completed = added.completed
        AND round((impression.seconds - added.seconds)::numeric, 3) < %(view)s
    )::int, round(added.seconds::numeric * 100)::bigint
FROM added JOIN impression USING (video_id)
"""


def _add(user_id: int, sums: dict[int, _Sum]) -> list[writeback.Added]:
    videos = sorted(sums)
    values: dict[str, Any] = {
        "user": user_id,
        "view": VIEW_SECONDS,
        "videos": videos,
        "times": [sums[pk].times for pk in videos],
        "seconds": [round(sums[pk].seconds, 2) for pk in videos],
        "completed": [sums[pk].completed for pk in videos],
        "longest": [round(sums[pk].longest, 2) for pk in videos],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)
        return [writeback.Added(*row) for row in cursor.fetchall()]
