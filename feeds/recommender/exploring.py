"""What too little is known of: clips that few were shown, the new ones and those passed over."""

from collections.abc import Sequence

from accounts.models import User
from feeds.circles import rows
from feeds.recommender.ranking import Trial
from feeds.seeds import Seed

# From so many people on it is known who likes a video; no more are counted.
KNOWN_AFTER = 200
# How many of the newest and of the least shown come in; the newest among so many.
EACH_KIND, AMONG = 20, 150
# Likes a view where nothing is known; counts as much as so many views.
USUAL_RATE, USUAL_VIEWS = 0.05, 20
# So many of a creator's videos, and of those with a hashtag, tell what to expect of another.
OF_EACH = 8


def explored(reader: User, seed: Seed, taken: Sequence[int]) -> dict[int, Trial]:
    """Return videos of which nobody knows yet who likes them; one query.

    Half of them are the newest. The others are those that the fewest were shown, however old, so
    that each gets its turn on a site where much is posted.
    """
    values = {
        "reader": reader.pk,
        "taken_at": seed.snapshot.taken_at,
        "taken": list(taken),
        "among": AMONG,
        "count": EACH_KIND,
        "known": KNOWN_AFTER,
        "likes": USUAL_RATE * USUAL_VIEWS,
        "views": USUAL_VIEWS,
        "each": OF_EACH,
    }
    return {pk: Trial(shown, liked, rate) for pk, shown, liked, rate in rows(_EXPLORED, values)}


# Views count too: of before it was counted who was shown a video.
_NEW_TO_READER = """
WHERE shown_count < %(known)s AND views_count < %(known)s AND author_id <> %(reader)s
  AND status = 'ready' AND visibility = 'public' AND hidden_at IS NULL
  AND published_at <= %(taken_at)s AND id <> ALL(%(taken)s::bigint[])
  AND NOT EXISTS (
    SELECT FROM feeds_impression WHERE user_id = %(reader)s AND video_id = video.id)
"""
_EXPLORED = f"""
WITH fresh AS (
    SELECT video.* FROM videos_video AS video JOIN (
        (SELECT id FROM (
            SELECT * FROM videos_video WHERE published_at <= %(taken_at)s
            ORDER BY published_at DESC, id DESC LIMIT %(among)s
         ) AS video {_NEW_TO_READER}
         ORDER BY published_at DESC, id DESC LIMIT %(count)s)
        UNION
        (SELECT id FROM videos_video AS video {_NEW_TO_READER}
         ORDER BY shown_count, published_at, id LIMIT %(count)s)
    ) AS found USING (id)
)
SELECT fresh.id, greatest(fresh.shown_count, fresh.views_count),
    fresh.likes_count + fresh.saves_count + fresh.shares_count,
    (coalesce(creator.likes, 0) + coalesce(tagged.likes, 0) + %(likes)s)::float8
        / (coalesce(creator.views, 0) + coalesce(tagged.views, 0) + %(views)s)::float8
FROM fresh
CROSS JOIN LATERAL (
    SELECT sum(least(likes_count, views_count)) AS likes, sum(views_count) AS views FROM (
        SELECT likes_count, views_count FROM videos_video
        WHERE author_id = fresh.author_id AND published_at IS NOT NULL AND id <> fresh.id
        ORDER BY published_at DESC, id DESC LIMIT %(each)s
    ) AS posted
) AS creator
CROSS JOIN LATERAL (
    SELECT sum(least(likes_count, views_count)) AS likes, sum(views_count) AS views FROM (
        SELECT other.id, other.likes_count, other.views_count
        FROM videos_videohashtag AS tag
        CROSS JOIN LATERAL (
            SELECT video_id FROM videos_videohashtag
            WHERE hashtag_id = tag.hashtag_id ORDER BY video_id DESC LIMIT %(each)s
        ) AS same
        JOIN videos_video AS other ON other.id = same.video_id AND other.id <> fresh.id
        WHERE tag.video_id = fresh.id
    ) AS posted
) AS tagged
"""  # noqa: S608
