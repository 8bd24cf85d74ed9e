"""The people around a reader whose videos a feed shows, and the newest of what they posted."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from feeds.seeds import Place, micros, moment

# Up to so many people, the newest of each are read and merged; above, PostgreSQL walks
# down the index over time and leaves out what others posted.
MERGED_PEOPLE = 200


@dataclass(frozen=True)
class Circle:
    """Some people around a reader: SQL for their ids, with %(reader)s."""

    name: str
    sql: str

    def some(self, reader: int, count: int) -> list[int]:
        """Return the ids of at most `count` of them."""
        found = rows(f"{self.sql} LIMIT %(count)s", {"reader": reader, "count": count})
        return [pk for (pk,) in found]

    def newest(self, reader: int, before: Place, count: int) -> list[Place]:
        """Return the next `count` places of their videos before a place, the newest first.

        They are candidates: nobody has looked yet whether the reader may see them.
        """
        people = self.some(reader, MERGED_PEOPLE + 1)
        values = {
            "reader": reader,
            "people": people,
            "before": moment(before[0]),
            "before_id": before[1],
            "count": count,
        }
        sql = _MERGE if len(people) <= MERGED_PEOPLE else _WALK.format(people=self.sql)
        return [(micros(time), pk) for time, pk in rows(sql, values)]


FOLLOWED = Circle(
    "following", "SELECT followee_id FROM accounts_follow WHERE follower_id = %(reader)s"
)
FRIENDS = Circle(
    "friends",
    "SELECT high_id FROM accounts_friendship WHERE low_id = %(reader)s"
    " UNION ALL SELECT low_id FROM accounts_friendship WHERE high_id = %(reader)s",
)

_MERGE = """
SELECT newest.published_at, newest.id
FROM unnest(%(people)s::bigint[]) AS person (id)
CROSS JOIN LATERAL (
    SELECT video.published_at, video.id
    FROM videos_video AS video
    WHERE video.author_id = person.id
      AND (video.published_at, video.id) < (%(before)s, %(before_id)s)
    ORDER BY video.published_at DESC, video.id DESC
    LIMIT %(count)s
) AS newest
ORDER BY newest.published_at DESC, newest.id DESC
LIMIT %(count)s
"""
_WALK = """
SELECT video.published_at, video.id
FROM videos_video AS video
WHERE video.author_id IN ({people})
  AND (video.published_at, video.id) < (%(before)s, %(before_id)s)
ORDER BY video.published_at DESC, video.id DESC
LIMIT %(count)s
"""


def rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return what a query finds."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
