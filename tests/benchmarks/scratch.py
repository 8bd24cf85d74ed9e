"""A database of its own with as many published videos as one likes, quickly made."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

AUTHORS = 2000
STEP = 50_000
NAME = "loopy_benchmarks"


@contextmanager
def database() -> Iterator[None]:
    """Make a migrated, empty database on the server in use, and drop it afterwards."""
    own = connection.settings_dict["NAME"]
    connection.settings_dict.setdefault("TEST", {})["NAME"] = NAME
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        make_people()
        yield
    finally:
        connection.creation.destroy_test_db(own, verbosity=0)


def make_people(count: int = AUTHORS) -> None:
    """Add people until there are so many."""
    have = _run("SELECT count(*) FROM accounts_user")
    _run(_PEOPLE, [have + 1, count])


def grow_to(size: int) -> Iterator[int]:
    """Add published videos until there are `size`; yields how many each step added."""
    have = _run("SELECT count(*) FROM videos_video")
    while have < size:
        step = min(STEP, size - have)
        _run(_VIDEOS, [AUTHORS, have, have + step - 1])
        _run(_RENDITIONS, [have, have + step - 1])
        have += step
        yield step
    _run(_SNAPSHOT, [have])
    for table in ("accounts_user", "videos_video", "videos_rendition"):
        _run(f"VACUUM (ANALYZE) {table}")


def _run(sql: str, values: list[int] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.fetchone()[0]) if cursor.description else 0


_PEOPLE = """
INSERT INTO accounts_user (password, is_superuser, created_at, email, handle, name, bio, avatar,
    is_private, findable_by_email, is_active, is_staff, followers_count, following_count,
    videos_count, likes_count)
SELECT '!', false, now(), 'p' || n || '@example.org', 'p' || n, 'Person ' || n, '', '',
    false, true, true, false, 0, 0, 0, 0
FROM generate_series(%s, %s) AS n;
INSERT INTO videos_slotepoch (id, epoch, used, last_published_at) VALUES (1, 1, 0, now())
ON CONFLICT DO NOTHING
"""
# Slots and times grow together, as publications hand them out.
_VIDEOS = """
INSERT INTO videos_video (created_at, uuid, author_id, caption, visibility, status, progress,
    reason_code, reason, attempt, size_bytes, width, height, duration, poster, placeholder,
    likes_count, comments_count, saves_count, shares_count, views_count, watch_seconds,
    slot, updated_at, published_at)
SELECT now(), gen_random_uuid(), (SELECT min(id) FROM accounts_user) + mod(n::bigint * 7919, %s),
    'A clip with a caption of the usual length, number ' || n, 'public', 'ready', 100,
    '', '', 1, 2000000, 720, 1280, 8.5, 'videos/' || n || '/1/poster.webp', repeat('x', 300),
    0, 0, 0, 0, 0, 0,
    n, now(), '2025-01-01'::timestamptz + n * interval '1 second'
FROM generate_series(%s, %s) AS n
"""
_RENDITIONS = """
INSERT INTO videos_rendition (video_id, rung, width, height, bitrate, size_bytes, name)
SELECT id, 360, 360, 640, 600000, 600000, 'videos/' || slot || '/1/360.mp4'
FROM videos_video WHERE slot BETWEEN %s AND %s
"""
_SNAPSHOT = """
UPDATE videos_slotepoch
SET used = %s, last_published_at = (SELECT max(published_at) FROM videos_video)
"""
