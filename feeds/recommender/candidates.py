"""Which videos may come next for a reader, and from where.

Each source asks PostgreSQL for ids by one index; then all of them are looked at once as the reader
may see them. What the newest of everything adds makes sure that nothing is ever left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    DateTimeField,
    Exists,
    F,
    FloatField,
    OuterRef,
    Subquery,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Extract

from accounts.models import Follow, User
from feeds.circles import rows
from feeds.models import Impression, ModelRun
from feeds.recommender.exploring import explored
from feeds.recommender.features import Facts, best
from feeds.recommender.ranking import WEIGHTS, WINDOW, Found, Weights
from feeds.recommender.tastes import Taste, taste_of
from feeds.seeds import Seed
from feeds.wishes import any_reader, recommendable
from tiktok_clone.common.compiled import Compiled, Named, bigints
from videos.models import Like, Video, VideoHashtag
from videos.models.muting import IsAny
from videos.models.video import VideoQuerySet

# How many candidates a source gives at most: about 500 together with those of taste.
POPULAR, NEWEST = 80, 80
TAGS, CREATORS, FOLLOWED, OF_EACH = 8, 8, 100, 8
# With fewer candidates, all that is new is looked through for more.
ENOUGH = 100
# Neighbours looked at to tell which of the nearest candidates resemble each other.
ALIKE, ALIKE_AMONG = 20, 100


@dataclass(frozen=True)
class Gathered:
    """What `ranking.rank` needs besides the seed."""

    videos: list[Found] = field(default_factory=list)
    before: list[tuple[int, frozenset[int]]] = field(default_factory=list)
    alike: list[tuple[int, int, float]] = field(default_factory=list)


def gather(reader: User, seed: Seed, taken: Sequence[int], weights: Weights = WEIGHTS) -> Gathered:
    """Collect candidates for the places after those taken; empty where nothing new is left.

    Args:
        reader: for whom; without profiling, only popularity, newness and follows count.
        seed: nothing newer than its snapshot comes in.
        taken: the order so far.
        weights: what will be ranked by.
    """
    run = ModelRun.objects.in_service() if reader.profiling else None
    taste = taste_of(reader, run, taken) if reader.profiling else Taste()
    trials = explored(reader, seed, taken) if reader.profiling else {}
    named = {*taste.near, *trials, *_listed(reader, seed, taken, taste)}
    facts = _facts(reader, seed, taken, named)
    videos = best(taste, list(facts.values()), trials, weights)
    nearest = [pk for pk in taste.near if pk in facts][:ALIKE_AMONG]
    return Gathered(videos, _before(taken), _alike(run, nearest))


def newest(reader: User, seed: Seed, taken: Sequence[int], count: int) -> list[int]:
    """Return what the reader has not seen, without ranking; for places that are jumped to."""
    new = _unseen(reader, seed.snapshot.taken_at, bigints(taken))
    found = new.order_by("-published_at", "-pk")
    return list(found.values_list("pk", flat=True)[:count])


def seen_longest_ago(reader: User, seed: Seed, taken: Sequence[int], count: int) -> list[int]:
    """Return what is left of all, what the reader has not seen for longest first."""
    impressions = Impression.objects.filter(user=reader, video=OuterRef("pk"))
    left = _left(reader, seed.snapshot.taken_at, bigints(taken))
    seen_at = Subquery(impressions.values("last_at")[:1])
    ordered = left.annotate(seen_at=seen_at).order_by(F("seen_at").asc(nulls_first=True), "pk")
    return list(ordered.values_list("pk", flat=True)[:count])


def _left(reader: User, taken_at: datetime | Named, taken: str | Named) -> VideoQuerySet:
    """What may still come in an order."""
    videos = recommendable(reader).filter(published_at__lte=taken_at)
    # A subquery is looked up in a hash, a list of parameters would be written out.
    return videos.exclude(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [taken]))


def _unseen(reader: User, taken_at: datetime | Named, taken: str | Named) -> VideoQuerySet:
    # Also what was taken out of the history: an instant swipe is enough, and it stays seen.
    seen = Impression.objects.filter(user=reader.pk, video=OuterRef("pk"))
    # Who likes a clip has seen it, whether or not their player has said so.
    liked = Like.objects.filter(user=reader.pk, video=OuterRef("pk"))
    return _left(reader, taken_at, taken).exclude(Exists(seen)).exclude(Exists(liked))


def _facts(reader: User, seed: Seed, taken: Sequence[int], named: set[int]) -> dict[int, Facts]:
    """Look at what the sources named, as the reader may see it.

    Where that is little, the newest of all that is new comes in: nothing is ever left out.

    Returns:
        By video, the latest first.
    """
    values = {
        "reader": reader.pk,
        "taken_at": seed.snapshot.taken_at,
        "taken": bigints(taken),
        "named": bigints(named),
    }
    mutes_words = reader.mutes_words
    found = _looked_at(mutes_words=mutes_words, newest=False).rows(**values)
    if len(found) < ENOUGH:
        found += _looked_at(mutes_words=mutes_words, newest=True).rows(**values)
    return {row[0]: Facts(*row) for row in sorted(found, reverse=True)}


@cache
def _looked_at(*, mutes_words: bool, newest: bool) -> Compiled:
    """What is asked for Facts: of what was named, or of the newest of all that is new."""
    reader, numbers = any_reader(mutes_words=mutes_words), ArrayField(BigIntegerField())
    follows = Follow.objects.filter(follower=reader.pk, followee=OuterRef("author"))
    tags = VideoHashtag.objects.filter(video=OuterRef("pk")).values("hashtag")
    # A time would take the driver longer than all the other columns.
    published = Cast(Extract("published_at", "epoch"), FloatField())
    new = _unseen(reader, Named("taken_at", DateTimeField()), Named("taken", numbers))
    videos = (
        new.order_by("-published_at", "-pk")[:ENOUGH]
        if newest
        # Written out: a subquery would have PostgreSQL look at all videos there are.
        else new.filter(IsAny("pk", Named("named", numbers)))
    )
    columns = ("pk", "author", published, "trend", Exists(follows), ArraySubquery(tags))
    return Compiled(videos.values_list(*columns))


def _listed(reader: User, seed: Seed, taken: Sequence[int], taste: Taste) -> list[int]:
    """Return what stands at the head of a list: popular, new, by whom and with what is liked."""
    values = {
        "reader": reader.pk,
        "taken_at": seed.snapshot.taken_at,
        "taken": list(taken),
        "tags": _dearest(taste.tags, TAGS),
        "creators": _dearest(taste.creators, CREATORS),
        "followed": FOLLOWED,
        "each": OF_EACH,
        "popular": POPULAR,
        "newest": NEWEST,
    }
    return [pk for (pk,) in rows(_LISTED, values)]


def _tags_of(videos: Iterable[int]) -> Mapping[int, list[int]]:
    tags: dict[int, list[int]] = defaultdict(list)
    found = VideoHashtag.objects.filter(video__in=list(videos))
    for video, tag in found.values_list("video_id", "hashtag_id"):
        tags[video].append(tag)
    return tags


def _before(taken: Sequence[int]) -> list[tuple[int, frozenset[int]]]:
    """Return author and hashtags of the last places, for the rules of ranking."""
    last = list(taken[-(WINDOW - 1) :])
    if not last:
        return []
    authors = dict(Video.objects.filter(pk__in=last).values_list("pk", "author_id"))
    tags = _tags_of(last)
    return [(authors[pk], frozenset(tags[pk])) for pk in last if pk in authors]


def _alike(run: ModelRun | None, videos: list[int]) -> list[tuple[int, int, float]]:
    """Return which of some videos the model takes for alike, and how much."""
    return rows(_ALIKE, {"run": run.pk, "videos": videos, "count": ALIKE}) if run else []


def _dearest(values: Mapping[int, float], count: int) -> list[int]:
    liked = [pk for pk, value in values.items() if value > 0]
    return sorted(liked, key=lambda pk: (-values[pk], pk))[:count]


_ALIKE = """
SELECT item_id, id, weight
FROM (
    SELECT item_id, unnest(neighbours[:%(count)s]) AS id,
        unnest(weights[:%(count)s]) / weights[1] AS weight
    FROM feeds_neighbours
    WHERE run_id = %(run)s AND item_id = ANY(%(videos)s::bigint[])
) AS near
WHERE id = ANY(%(videos)s::bigint[])
"""
# Popular and new ones that were seen or taken do not count; the other lists are short anyway.
_LISTED = """
(SELECT id FROM videos_video AS video
 WHERE trend > 0 AND id <> ALL(%(taken)s::bigint[]) AND NOT EXISTS (
    SELECT FROM feeds_impression WHERE user_id = %(reader)s AND video_id = video.id)
 ORDER BY trend DESC, id DESC LIMIT %(popular)s)
UNION
(SELECT id FROM videos_video AS video
 WHERE published_at <= %(taken_at)s AND id <> ALL(%(taken)s::bigint[]) AND NOT EXISTS (
    SELECT FROM feeds_impression WHERE user_id = %(reader)s AND video_id = video.id)
 ORDER BY published_at DESC, id DESC LIMIT %(newest)s)
UNION
SELECT tagged.video_id
FROM unnest(%(tags)s::bigint[]) AS tag (id)
CROSS JOIN LATERAL (
    SELECT video_id FROM videos_videohashtag
    WHERE hashtag_id = tag.id ORDER BY video_id DESC LIMIT %(each)s
) AS tagged
UNION
SELECT posted.id
FROM (
    SELECT unnest(%(creators)s::bigint[])
    UNION
    (SELECT followee_id FROM accounts_follow
     WHERE follower_id = %(reader)s ORDER BY id DESC LIMIT %(followed)s)
) AS creator (id)
CROSS JOIN LATERAL (
    SELECT id FROM videos_video
    WHERE author_id = creator.id AND published_at <= %(taken_at)s
    ORDER BY published_at DESC, id DESC LIMIT %(each)s
) AS posted
"""
