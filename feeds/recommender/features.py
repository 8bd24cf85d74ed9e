"""What speaks for each candidate, from 0 to 1, and which candidates are worth ranking."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from feeds.recommender.interactions import DAY
from feeds.recommender.ranking import TERMS, Found, Trial, Weights, terms_of
from feeds.recommender.tastes import Taste

# Days after which newness counts half: of anybody's, and of those whom the reader follows.
FRESH_HALF_LIFE, FOLLOWED_HALF_LIFE = 3.0, 7.0
# So many are ordered for a stretch: the best by score. More would cost time and change nothing.
POOL = 150


class Facts(NamedTuple):
    """What a candidate's row says; `published_at` in seconds since 1970."""

    video: int
    author: int
    published_at: float
    trend: float
    followed: bool
    tags: Sequence[int]


def best(
    taste: Taste, facts: Sequence[Facts], trials: Mapping[int, Trial], weights: Weights
) -> list[Found]:
    """Return what may be ranked: an object for each candidate there is would take milliseconds.

    Args:
        taste: what follows from the acts of the reader.
        facts: of all candidates, the latest first.
        trials: what is to be explored, by video.
        weights: what will be ranked by.
    """
    features = _features(taste, facts)
    tried = np.array([one.video in trials for one in facts], bool)
    places = _best_of(terms_of(features, weights), tried)
    return [_found(taste, facts[n], features[n], trials.get(facts[n].video)) for n in places]


def _best_of(terms: NDArray[np.float64], tried: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the places of the best by score, and of whatever is to be explored; ascending.

    Args:
        terms: of candidates, the latest first: of equals these are better.
        tried: whether a candidate is to be explored.
    """
    kept = tried.copy()
    kept[np.argsort(-terms.sum(axis=1), kind="stable")[:POOL]] = True
    return np.flatnonzero(kept)


def _found(taste: Taste, one: Facts, features: NDArray[np.float64], trial: Trial | None) -> Found:
    """Return a candidate with its features and what they come from."""
    tag = max(one.tags, key=lambda tag: (taste.tags.get(tag, 0.0), -tag), default=0)
    because = {"tag": tag, "creator": one.author, "followed": one.author}
    if one.video in taste.because:
        because["taste"] = taste.because[one.video]
    named = dict(zip(TERMS, features.tolist(), strict=True))
    return Found(one.video, one.author, frozenset(one.tags), named, because, trial)


def _features(taste: Taste, facts: Sequence[Facts]) -> NDArray[np.float64]:
    """Return candidates × TERMS, all from 0 to 1."""
    now = timezone.now().timestamp()
    age = np.maximum(now - np.array([one.published_at for one in facts]), 0) / DAY
    trend = np.log1p([one.trend for one in facts])
    creator = np.array([taste.creators.get(one.author, 0.0) for one in facts])
    tags = [[taste.tags.get(tag, 0.0) for tag in one.tags] for one in facts]
    worst_tag = np.array([min(values, default=0.0) for values in tags])
    far = np.array([taste.far.get(one.video, 0.0) for one in facts])
    columns = {
        "taste": [taste.near.get(one.video, 0.0) for one in facts],
        "tag": [max(values, default=0.0) for values in tags],
        "creator": creator,
        "followed": _halved(age, FOLLOWED_HALF_LIFE) * [one.followed for one in facts],
        "popular": trend / (trend.max(initial=0) or 1.0),
        "fresh": _halved(age, FRESH_HALF_LIFE),
        "unlike": np.maximum.reduce([far, -creator, -worst_tag / 2]),
    }
    table = np.zeros((len(facts), len(TERMS)))
    for name, values in columns.items():
        table[:, TERMS.index(name)] = values
    return np.maximum(table, 0)


def _halved(age: NDArray[np.float64], half_life: float) -> NDArray[np.float64]:
    """A half after one half-life, a third after two: what is old keeps an order."""
    return 1 / (1 + age / half_life)
