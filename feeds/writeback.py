"""Views and watch time, written back: counted in Redis, and added to the clips once in a while.

Else all who watch a viral clip would wait for its row, and each would write it anew with its
indexes. What a batch adds is known when its impressions are written (`services.record_views`), and
goes to one hash when these are committed. Who counts while nobody has taken the hash for
VIEWS_WRITTEN_EVERY_SECONDS takes it, and adds all of it to PostgreSQL at once: on a quiet site
every count is exact at once, and a row is written once in that time, whoever watches. The rest
waits for the next one who counts, or for the job of the minute.

This is no cache, so its keys name no generation: it is the only copy of a moment. A process that
is killed between taking and adding loses that, as does a Redis that forgets; the nightly job raises
counts to what the impressions say. Without Redis, PostgreSQL is written at once.
"""

import logging
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import Error, connection, transaction

from feeds.recommender.exploring import KNOWN_AFTER
from feeds.scripts import COUNT_VIEWS
from tiktok_clone.common.compiled import bigints
from tiktok_clone.common.redis import RedisError, client

HASH, TIMER = "feeds:views", "feeds:views:taken"
logger = logging.getLogger(__name__)


class Added(NamedTuple):
    """What is to be added to a video: people shown to, views, hundredths of a second watched."""

    video: int
    shown: int = 0
    views: int = 0
    hundredths: int = 0


def add(added: Iterable[Added]) -> None:
    """Count for some videos when the present transaction is committed."""
    counted = [one for one in added if any(one[1:])]
    if counted:
        transaction.on_commit(partial(_count, counted), robust=True)


def flush() -> None:
    """Write what is counted, now."""
    try:
        taken = _exchange([], every=0)
    except RedisError:
        return
    if taken:
        _write_taken(taken)


def forget() -> None:
    """Drop what is counted: it was of other rows. Without Redis nothing is."""
    try:
        _exchange([], every=0)
    except RedisError:
        return


def _count(added: list[Added]) -> None:
    try:
        taken = _exchange(added, every=settings.VIEWS_WRITTEN_EVERY_SECONDS)
    except RedisError:
        taken = None
    if taken is None:
        _write(added)
    elif taken:
        _write_taken(taken)


def _exchange(added: Iterable[Added], every: float) -> list[Added] | None:
    """Count, and take all that is counted if it is time to; one round trip.

    A command that waited in the socket of a frozen Redis counts nothing any more, as PostgreSQL
    was written instead. (So nothing is written back where the clock of Redis is ahead.)

    Args:
        added: what is counted.
        every: seconds between two times that it is taken; 0 for now.

    Returns:
        What is to be written, or None where nothing was counted.

    Raises:
        RedisError: Redis is away.
    """
    redis = client()
    if redis is None:
        return None
    until = int((time.time() + settings.REDIS_TIMEOUT) * 1000)
    held = COUNT_VIEWS.run(
        redis, [HASH, TIMER], [until, int(every * 1000), *(each for one in added for each in one)]
    )
    return None if held is None else _parse(held)


def _parse(held: list[bytes]) -> list[Added]:
    """Put together what belongs to each video."""
    sums: dict[int, dict[str, int]] = {}
    for field, number in zip(held[::2], held[1::2], strict=True):
        video, name = field.decode().split(":")
        sums.setdefault(int(video), {})[name] = int(number)
    return [Added(video, **numbers) for video, numbers in sums.items()]


def _write_taken(taken: list[Added]) -> None:
    try:
        _write(taken)
    except Error as error:
        logger.warning("Views of %d clips wait: %s", len(taken), error)
        _put_back(taken)


def _put_back(taken: Iterable[Added]) -> None:
    redis = client()
    if redis is None:
        return
    pipe = redis.pipeline()
    for one in taken:
        for name, number in zip(Added._fields[1:], one[1:], strict=True):
            pipe.hincrby(HASH, f"{one.video}:{name}", number)
    try:
        pipe.execute()
    except RedisError:
        logger.exception("Views were lost.")


@transaction.atomic
def _write(added: list[Added]) -> None:
    """Lock the videos in the order of the ids, like all who lock several, and add to them.

    By a statement each: one that updates rows for whose locks it has just waited gets in the way
    of those who keep the videos meanwhile, and PostgreSQL sees a deadlock.
    """
    columns = map(bigints, zip(*added, strict=True))
    values: dict[str, Any] = dict(zip(Added._fields, columns, strict=True))
    values["enough"] = KNOWN_AFTER
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, values)
        cursor.execute(_WRITE, values)


_LOCK = """
SELECT FROM videos_video WHERE id = ANY(%(video)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
_WRITE = """
UPDATE videos_video AS video SET
    shown_count = least(video.shown_count + added.shown, %(enough)s),
    views_count = video.views_count + added.views,
    watch_seconds = video.watch_seconds + added.hundredths / 100.0
FROM unnest(%(video)s::bigint[], %(shown)s::bigint[], %(views)s::bigint[],
            %(hundredths)s::bigint[]) AS added (video_id, shown, views, hundredths)
WHERE video.id = added.video_id
"""
