"""What follows from the acts of a reader: where walks lead, which hashtags, whose videos."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.models import User
from feeds.affinity import COUNTED
from feeds.circles import rows
from feeds.models import ModelRun
from feeds.recommender.interactions import MOST_HALVINGS
from feeds.recommender.model import PROFILE, Parameters

# The last acts against something; of those that speak for something PROFILE, as in training.
NEGATIVES = 40
# Days after which an act says half as much of hashtags and creators, of which no model knows.
HALF_LIFE = 30.0
# Strengths that count in full, though there are no larger ones: of a like, and of a refusal.
SURE, REFUSED = 1.0, 2.0
# How many videos that walks lead to come in.
NEAR = 200


@dataclass(frozen=True)
class Act:
    """What a reader did with a video: how much it said for it, or against it, days ago."""

    video: int
    strength: float
    days: float
    author: int
    tags: tuple[int, ...]

    def today(self, half_life: float = HALF_LIFE) -> float:
        """Return how much it still says; after many halves no less."""
        return float(self.strength * 0.5 ** min(self.days / half_life, MOST_HALVINGS))


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


def profile(reader: User) -> list[Act]:
    """Return the last acts of a reader that speak for and against videos; one query.

    What they had forgotten does not come in, and nothing of who is not to be profiled.
    """
    values = {"reader": reader.pk, "positives": PROFILE, "negatives": NEGATIVES}
    found = rows(_PROFILE, values)
    return [
        Act(pk, strength, days, author, tuple(tags)) for pk, strength, days, author, tags in found
    ]


def taste_of(reader: User, run: ModelRun | None, taken: Sequence[int] = ()) -> Taste:
    """Follow what the reader did: to the neighbours of each video, to its hashtags and creator.

    Args:
        run: the model in service, None where there is none yet.
        taken: videos that do not come in again, beside those that the reader has seen.
    """
    acts = profile(reader)
    liked = [act for act in acts if act.strength > 0]
    refused = [act for act in acts if act.strength < 0]
    near = neighbours(reader, run, liked, taken)
    far = neighbours(reader, run, refused, taken)
    sure = min(1.0, sum(act.today() for act in liked) / SURE)
    unsure = min(1.0, -min((act.today() for act in refused), default=0.0) / REFUSED)
    return Taste(
        near=_scaled({pk: much for pk, much, _ in near}, sure),
        far=_scaled({pk: much for pk, much, _ in far}, unsure),
        because={pk: because for pk, _, because in near},
        tags=_summed((tag, act.today()) for act in acts for tag in act.tags),
        creators=_summed((act.author, act.today()) for act in acts),
    )


def neighbours(
    reader: User, run: ModelRun | None, acts: Sequence[Act], taken: Sequence[int] = ()
) -> list[tuple[int, float, int]]:
    """Return where walks from videos lead that is new to the reader, the likeliest first.

    One query. What they have seen, and what is taken, is left out before the likeliest are chosen,
    as it is when a model is judged: who reads on and on would else use them up.

    Args:
        run: the model, None where there is none; acts decay as they did when it was trained.

    Returns:
        (video, how much, which of `acts` leads there most).
    """
    if run is None or not acts:
        return []
    half_life = Parameters.from_json(run.parameters).half_life
    values = {
        "run": run.pk,
        "reader": reader.pk,
        "taken": list(taken),
        "videos": [act.video for act in acts],
        "strengths": [abs(act.today(half_life)) for act in acts],
        "count": NEAR,
    }
    return [(pk, much, acts[place - 1].video) for pk, much, place in rows(_NEIGHBOURS, values)]


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


_PROFILE = f"""
SELECT held.video_id, held.strength,
    greatest(extract(epoch FROM now() - held.acted_at)::float8, 0) / 86400,
    video.author_id,
    ARRAY(SELECT hashtag_id FROM videos_videohashtag WHERE video_id = held.video_id)
FROM (
    (SELECT held.* FROM feeds_affinity AS held JOIN accounts_user AS reader ON reader.id = user_id
     WHERE user_id = %(reader)s AND strength > 0 AND {COUNTED}
     ORDER BY acted_at DESC, strength DESC LIMIT %(positives)s)
    UNION ALL
    (SELECT held.* FROM feeds_affinity AS held JOIN accounts_user AS reader ON reader.id = user_id
     WHERE user_id = %(reader)s AND strength < 0 AND {COUNTED}
     ORDER BY acted_at DESC LIMIT %(negatives)s)
) AS held
JOIN videos_video AS video ON video.id = held.video_id
"""  # noqa: S608
# What leads to a video most has the largest number: how much, in front of its place among the acts.
# Whole numbers, as arrays or a second look at the pairs would take half as long again. Only what
# was added up is looked up among the seen: several times fewer than there are ways to it.
_NEIGHBOURS = """
SELECT id, much, place
FROM (
    SELECT id, sum(strength * weight) AS much,
        max((strength * weight * 1e12)::bigint * 1000 + place) %% 1000 AS place
    FROM (
        SELECT act.strength, act.place,
            unnest(held.neighbours) AS id, unnest(held.weights) AS weight
        FROM unnest(%(videos)s::bigint[], %(strengths)s::float8[])
            WITH ORDINALITY AS act (id, strength, place)
        JOIN feeds_neighbours AS held ON held.run_id = %(run)s AND held.item_id = act.id
    ) AS way
    GROUP BY id
) AS found
WHERE id <> ALL(%(taken)s::bigint[])
  AND NOT EXISTS (SELECT FROM feeds_impression WHERE user_id = %(reader)s AND video_id = found.id)
  AND NOT EXISTS (SELECT FROM videos_like WHERE user_id = %(reader)s AND video_id = found.id)
ORDER BY much DESC, id
LIMIT %(count)s
"""
