"""Which videos may come next for a reader, from where, and with which features.

Each source asks PostgreSQL for ids by one index; then all of them are looked at once as the reader
may see them. What the newest of everything adds makes sure that nothing is ever left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import log1p
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import Follow, User
from feeds.affinity import COUNTED
from feeds.circles import rows
from feeds.models import Impression, ModelRun
from feeds.recommender.ranking import WINDOW, Found, Trial
from feeds.seeds import Seed
from feeds.wishes import recommendable
from videos.models import Like, Video, VideoHashtag
from videos.models.video import VideoQuerySet

# The last acts that speak for or against something; what is older says less of today.
POSITIVES, NEGATIVES = 60, 40
# Days after which an act says half as much; and after so many halves no less, so that somebody
# whose acts are all old still has a taste.
TASTE_HALF_LIFE, MOST_HALVINGS = 30.0, 10.0
# Strengths that count in full, though there are no larger ones: of a like, and of a refusal.
SURE, REFUSED = 1.0, 2.0
# Days after which newness counts half: of anybody's, and of those whom the reader follows.
FRESH_HALF_LIFE, FOLLOWED_HALF_LIFE = 3.0, 7.0
# How many candidates each source gives at most: about 500 together.
NEAR, POPULAR, NEWEST, EXPLORED = 200, 80, 80, 40
TAGS, CREATORS, FOLLOWED, OF_EACH = 8, 8, 100, 8
# Of so many neighbours of a video the others are too far to bring anything among the best.
NEIGHBOURS = 100
# With fewer candidates, all that is new is looked through for more.
ENOUGH = 100
# How far down the newest it is looked for what to explore.
EXPLORED_AMONG = 150
# From so many on it is known who likes a video.
KNOWN_AFTER = 200
# Likes a view where nothing is known; counts as much as so many views.
USUAL_RATE, USUAL_VIEWS = 0.05, 20
# Neighbours looked at to tell which of the nearest candidates resemble each other.
ALIKE, ALIKE_AMONG = 20, 100


@dataclass(frozen=True)
class Act:
    """What a reader did with a video: how much it says today for it, or against it."""

    video: int
    strength: float
    author: int
    tags: tuple[int, ...]


@dataclass(frozen=True)
class Gathered:
    """What `ranking.rank` needs besides the seed."""

    videos: list[Found] = field(default_factory=list)
    before: list[tuple[int, frozenset[int]]] = field(default_factory=list)
    alike: list[tuple[int, int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Taste:
    """What follows from the acts of a reader, each from -1 to 1.

    Attributes:
        near: by video, how much its being a neighbour of liked ones speaks for it.
        far: by video, how much its being a neighbour of refused ones speaks against it.
        because: by video, the liked one that did most for it.
        tags: by hashtag, what was done with videos that have it.
        creators: by author, likewise.
    """

    near: Mapping[int, float] = field(default_factory=dict)
    far: Mapping[int, float] = field(default_factory=dict)
    because: Mapping[int, int] = field(default_factory=dict)
    tags: Mapping[int, float] = field(default_factory=dict)
    creators: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What a candidate's row says."""

    author: int
    published_at: datetime
    trend: float
    followed: bool
    tags: tuple[int, ...]


def gather(reader: User, seed: Seed, taken: Sequence[int]) -> Gathered:
    """Collect candidates for the places after those taken; empty where nothing new is left.

    Args:
        reader: for whom; without profiling, only popularity, newness and follows count.
        seed: nothing newer than its snapshot comes in.
        taken: the order so far.
    """
    run = ModelRun.objects.in_service() if reader.profiling else None
    known = run.pk if run else None
    taste = taste_of(reader, known) if reader.profiling else Taste()
    trials = _explored(reader, seed, taken) if reader.profiling else {}
    named = {*taste.near, *trials, *_listed(reader, seed, taken, taste)}
    facts = _facts(reader, _unseen(reader, seed, taken), named)
    features = _Features(taste, facts)
    videos = [features.found(pk, trials.get(pk)) for pk in facts]
    nearest = [pk for pk in taste.near if pk in facts][:ALIKE_AMONG]
    return Gathered(videos, _before(taken), _alike(known, nearest))


def newest(reader: User, seed: Seed, taken: Sequence[int], count: int) -> list[int]:
    """Return what the reader has not seen, without ranking; for places that are jumped to."""
    found = _unseen(reader, seed, taken).order_by("-published_at", "-pk")
    return list(found.values_list("pk", flat=True)[:count])


def seen_longest_ago(reader: User, seed: Seed, taken: Sequence[int], count: int) -> list[int]:
    """Return what is left of all, what the reader has not seen for longest first."""
    impressions = Impression.objects.filter(user=reader, video=OuterRef("pk"))
    left = _left(reader, seed, taken).annotate(seen_at=Subquery(impressions.values("last_at")[:1]))
    ordered = left.order_by(F("seen_at").asc(nulls_first=True), "pk")
    return list(ordered.values_list("pk", flat=True)[:count])


def profile(reader: User) -> list[Act]:
    """Return the last acts of a reader that speak for and against videos; one query.

    What they had forgotten does not come in, and nothing of who is not to be profiled.
    """
    values = {
        "reader": reader.pk,
        "positives": POSITIVES,
        "negatives": NEGATIVES,
        "half_life": TASTE_HALF_LIFE * 86400,
        "most": MOST_HALVINGS,
    }
    found = rows(_PROFILE, values)
    return [Act(pk, strength, author, tuple(tags)) for pk, strength, author, tags in found]


def taste_of(reader: User, run: int | None) -> Taste:
    """Follow what the reader did: to the neighbours of each video, to its hashtags and creator.

    Args:
        run: the id of the model in service, None where there is none yet.
    """
    acts = profile(reader)
    liked = {act.video: act.strength for act in acts if act.strength > 0}
    refused = {act.video: -act.strength for act in acts if act.strength < 0}
    near = neighbours(run, liked)
    far = neighbours(run, refused)
    return Taste(
        near=_scaled({pk: much for pk, much, _ in near}, min(1, sum(liked.values()) / SURE)),
        far=_scaled(
            {pk: much for pk, much, _ in far}, min(1, max(refused.values(), default=0) / REFUSED)
        ),
        because={pk: because for pk, _, because in near},
        tags=_summed((tag, act.strength) for act in acts for tag in act.tags),
        creators=_summed((act.author, act.strength) for act in acts),
    )


def neighbours(run: int | None, acts: Mapping[int, float]) -> list[tuple[int, float, int]]:
    """Return where walks from videos lead, the likeliest first; one query.

    Args:
        run: the id of the model, None where there is none.
        acts: how much each video counts, by its id.

    Returns:
        (video, how much, which of `acts` leads there most).
    """
    if run is None or not acts:
        return []
    values = {
        "run": run,
        "videos": list(acts),
        "strengths": list(acts.values()),
        "each": NEIGHBOURS,
        "count": NEAR,
    }
    return [(pk, much, int(because)) for pk, much, because in rows(_NEIGHBOURS, values)]


class _Features:
    """Makes features of what is known: all from 0 to 1."""

    def __init__(self, taste: Taste, facts: Mapping[int, Facts]) -> None:
        self._most = log1p(max((one.trend for one in facts.values()), default=0)) or 1.0
        self._now = timezone.now()
        self._taste = taste
        self._facts = facts

    def found(self, pk: int, trial: Trial | None) -> Found:
        """Return a candidate with its features and what they come from."""
        one, taste = self._facts[pk], self._taste
        tags = frozenset(one.tags)
        age = max((self._now - one.published_at).total_seconds() / 86400, 0.0)
        tag = max(tags, key=lambda tag: (taste.tags.get(tag, 0), -tag), default=0)
        creator = taste.creators.get(one.author, 0.0)
        against = [taste.far.get(pk, 0), -creator, *(-taste.tags.get(tag, 0) / 2 for tag in tags)]
        features = {
            "taste": taste.near.get(pk, 0.0),
            "tag": max(taste.tags.get(tag, 0.0), 0.0),
            "creator": max(creator, 0.0),
            "followed": _halved(age, FOLLOWED_HALF_LIFE) if one.followed else 0.0,
            "popular": log1p(one.trend) / self._most,
            "fresh": _halved(age, FRESH_HALF_LIFE),
            "unlike": max(against),
        }
        because = {"tag": tag, "creator": one.author, "followed": one.author}
        if pk in taste.because:
            because["taste"] = taste.because[pk]
        return Found(pk, one.author, tags, features, because, trial)


def _halved(age: float, half_life: float) -> float:
    """A half after one half-life, a third after two: what is old keeps an order."""
    return 1 / (1 + age / half_life)


def _left(reader: User, seed: Seed, taken: Sequence[int]) -> VideoQuerySet:
    """What may still come in an order."""
    videos = recommendable(reader).filter(published_at__lte=seed.snapshot.taken_at)
    # A subquery is looked up in a hash, a list of parameters would be written out.
    return videos.exclude(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [list(taken)]))


def _unseen(reader: User, seed: Seed, taken: Sequence[int]) -> VideoQuerySet:
    # Also what was taken out of the history: an instant swipe is enough, and it stays seen.
    seen = Impression.objects.filter(user=reader, video=OuterRef("pk"))
    # Who likes a clip has seen it, whether or not their player has said so.
    liked = Like.objects.filter(user=reader, video=OuterRef("pk"))
    return _left(reader, seed, taken).exclude(Exists(seen)).exclude(Exists(liked))


def _facts(reader: User, new: VideoQuerySet, named: set[int]) -> dict[int, Facts]:
    """Look at what the sources named, as the reader may see it.

    Where that is little, the newest of all that is new comes in: nothing is ever left out.
    """
    follows = Follow.objects.filter(follower=reader, followee=OuterRef("author"))
    tags = VideoHashtag.objects.filter(video=OuterRef("pk")).values("hashtag")
    rows: Any = new.annotate(followed=Exists(follows), tagged=ArraySubquery(tags)).values_list(
        "pk", "author_id", "published_at", "trend", "followed", "tagged"
    )
    # Written out: a subquery would have PostgreSQL look at all videos there are.
    found = {pk: Facts(*facts) for pk, *facts in rows.filter(pk__in=named)}
    if len(found) < ENOUGH:
        newest = rows.order_by("-published_at", "-pk")[:ENOUGH]
        found |= {pk: Facts(*facts) for pk, *facts in newest}
    return found


def _listed(reader: User, seed: Seed, taken: Sequence[int], taste: Taste) -> list[int]:
    """Return what stands at the head of a list: popular, new, by whom and with what is liked."""
    values = {
        "reader": reader.pk,
        "taken_at": seed.snapshot.taken_at,
        "taken": list(taken),
        "tags": _best(taste.tags, TAGS),
        "creators": _best(taste.creators, CREATORS),
        "followed": FOLLOWED,
        "each": OF_EACH,
        "popular": POPULAR,
        "newest": NEWEST,
    }
    return [pk for (pk,) in rows(_LISTED, values)]


def _explored(reader: User, seed: Seed, taken: Sequence[int]) -> dict[int, Trial]:
    """Return new videos of which nobody knows yet who likes them."""
    values = {
        "reader": reader.pk,
        "taken_at": seed.snapshot.taken_at,
        "taken": list(taken),
        "among": EXPLORED_AMONG,
        "count": EXPLORED,
        "known": KNOWN_AFTER,
        "likes": USUAL_RATE * USUAL_VIEWS,
        "views": USUAL_VIEWS,
        "each": OF_EACH,
    }
    return {pk: Trial(shown, liked, rate) for pk, shown, liked, rate in rows(_EXPLORED, values)}


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


def _alike(run: int | None, videos: list[int]) -> list[tuple[int, int, float]]:
    """Return which of some videos the model takes for alike, and how much."""
    return rows(_ALIKE, {"run": run, "videos": videos, "count": ALIKE}) if run else []


def _summed(pairs: Iterable[tuple[int, float]]) -> dict[int, float]:
    """Add up strengths; 1 is the largest sum or a like, −1 the smallest or a refusal."""
    sums: dict[int, float] = defaultdict(float)
    for pk, strength in pairs:
        sums[pk] += strength
    most = max(SURE, max(sums.values(), default=0))
    least = max(REFUSED, -min(sums.values(), default=0))
    return {pk: value / (most if value > 0 else least) for pk, value in sums.items()}


def _scaled(values: Mapping[int, float], most: float) -> dict[int, float]:
    """Scale so that the largest is `most`."""
    largest = max(values.values(), default=0) or 1.0
    return {pk: most * value / largest for pk, value in values.items()}


def _best(values: Mapping[int, float], count: int) -> list[int]:
    liked = [pk for pk, value in values.items() if value > 0]
    return sorted(liked, key=lambda pk: (-values[pk], pk))[:count]


_PROFILE = f"""
SELECT held.video_id,
    held.strength * 0.5 ^ least(
        greatest(extract(epoch FROM now() - held.acted_at)::float8, 0) / %(half_life)s, %(most)s),
    video.author_id,
    ARRAY(SELECT hashtag_id FROM videos_videohashtag WHERE video_id = held.video_id)
FROM (
    (SELECT held.* FROM feeds_affinity AS held JOIN accounts_user AS reader ON reader.id = user_id
     WHERE user_id = %(reader)s AND strength > 0 AND {COUNTED}
     ORDER BY acted_at DESC LIMIT %(positives)s)
    UNION ALL
    (SELECT held.* FROM feeds_affinity AS held JOIN accounts_user AS reader ON reader.id = user_id
     WHERE user_id = %(reader)s AND strength < 0 AND {COUNTED}
     ORDER BY acted_at DESC LIMIT %(negatives)s)
) AS held
JOIN videos_video AS video ON video.id = held.video_id
"""  # noqa: S608
# max() over pairs finds which one leads to a video most.
_NEIGHBOURS = """
SELECT near.id, sum(act.strength * near.weight) AS much,
    (max(ARRAY[act.strength * near.weight, act.id]))[2]
FROM unnest(%(videos)s::bigint[], %(strengths)s::float8[]) AS act (id, strength)
JOIN feeds_neighbours AS held ON held.run_id = %(run)s AND held.item_id = act.id
CROSS JOIN LATERAL unnest(held.neighbours[:%(each)s], held.weights[:%(each)s])
    AS near (id, weight)
GROUP BY near.id
ORDER BY much DESC, near.id
LIMIT %(count)s
"""
_ALIKE = """
SELECT held.item_id, near.id, near.weight / held.weights[1]
FROM feeds_neighbours AS held
CROSS JOIN LATERAL unnest(held.neighbours[:%(count)s], held.weights[:%(count)s])
    AS near (id, weight)
WHERE held.run_id = %(run)s AND held.item_id = ANY(%(videos)s::bigint[])
  AND near.id = ANY(%(videos)s::bigint[])
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
# Views are never more than people who were shown it, so that few rows need to be counted.
_EXPLORED = """
SELECT fresh.id, shown.people,
    fresh.likes_count + fresh.saves_count + fresh.shares_count,
    (coalesce(creator.likes, 0) + coalesce(tagged.likes, 0) + %(likes)s)::float8
        / (coalesce(creator.views, 0) + coalesce(tagged.views, 0) + %(views)s)::float8
FROM (
    SELECT * FROM (
        SELECT * FROM videos_video
        WHERE published_at <= %(taken_at)s
        ORDER BY published_at DESC, id DESC LIMIT %(among)s
    ) AS newest
    WHERE views_count < %(known)s AND author_id <> %(reader)s
      AND status = 'ready' AND visibility = 'public' AND hidden_at IS NULL
      AND id <> ALL(%(taken)s::bigint[])
      AND NOT EXISTS (
        SELECT FROM feeds_impression WHERE user_id = %(reader)s AND video_id = newest.id)
    LIMIT %(count)s
) AS fresh
CROSS JOIN LATERAL (
    SELECT count(*) AS people FROM (
        SELECT FROM feeds_impression WHERE video_id = fresh.id LIMIT %(known)s
    ) AS impression
) AS shown
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
WHERE shown.people < %(known)s
"""
