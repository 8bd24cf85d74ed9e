"""Scores, and the order of a stretch of a feed: pure functions, one commented weight each.

A score is a sum of *terms*, each a feature from 0 to 1 times its weight, so that the terms say why
a video stands where it stands. The order is then made greedily: maximal marginal relevance
(Carbonell and Goldstein, SIGIR 1998) under rules that hold as long as anything obeys them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from feeds.shuffle import mix64


@dataclass(frozen=True)
class Weights:
    """What each feature is worth where it is 1."""

    taste: float = 1.0  # liked by those who liked the same: the best that there is to know
    tag: float = 0.3  # has hashtags of what was liked: finds what nobody has watched yet
    creator: float = 0.3  # is by somebody of whom the reader liked other videos
    followed: float = 0.4  # is new and by somebody whom the reader follows
    popular: float = 0.3  # much liked now; alone, where nothing is known of the reader
    fresh: float = 0.15  # is new: it could not be found by what others did yet
    unlike: float = -1.0  # leads to what the reader refused or skipped
    alike: float = -0.3  # resembles what stands before it in the same stretch
    explored: float = 1.0  # a trial, see `trials`; the only term in the places of exploration


WEIGHTS = Weights()
TERMS = tuple(one.name for one in fields(Weights))
# One place of so many is for what we know too little of, at a place that the seed decides.
EXPLORED_ONE_IN = 10
# Rules: within this many places …
WINDOW = 10
MOST_OF_A_CREATOR = 2  # … so many by a creator, and never one right after the other
MOST_OF_A_TAG = 4  # … so many with a hashtag
# How much those resemble each other that have the same hashtags, beside what the model knows.
SAME_TAGS = 0.5
DECIMALS = 4


@dataclass(frozen=True)
class Trial:
    """What is known of a video that few have seen, and what those like it did.

    Attributes:
        shown: people who were shown it.
        liked: likes, saves and shares it got.
        rate: what its creator's other videos, and others with its hashtags, get per view.
    """

    shown: int
    liked: int
    rate: float


@dataclass(frozen=True)
class Found:
    """A candidate.

    Attributes:
        features: 0 to 1, by the name of their weight.
        because: ids of what a feature comes from, by its name: a liked video, a hashtag.
        trial: for what is to be explored.
    """

    video: int
    author: int
    tags: frozenset[int] = frozenset()
    features: Mapping[str, float] = field(default_factory=dict)
    because: Mapping[str, int] = field(default_factory=dict)
    trial: Trial | None = None


@dataclass(frozen=True)
class Term:
    """A part of a score. `because` is the id of what it comes from, if of one thing."""

    name: str
    value: float
    because: int | None = None


@dataclass(frozen=True)
class Ranked:
    """A place of a stretch: the terms add up to the score."""

    video: int
    author: int
    tags: frozenset[int]
    score: float
    terms: tuple[Term, ...]

    @property
    def source(self) -> str:
        """The term that did most for it."""
        best = max(self.terms, key=lambda term: term.value, default=None)
        return best.name if best is not None and best.value > 0 else "fresh"


def rank(
    found: Iterable[Found],
    count: int,
    key: int,
    start: int = 0,
    before: Sequence[tuple[int, frozenset[int]]] = (),
    alike: Iterable[tuple[int, int, float]] = (),
    weights: Weights = WEIGHTS,
) -> list[Ranked]:
    """Return the next places of an order, best first.

    Args:
        found: candidates, each once.
        count: how many places.
        key: the 64 bits of the seed; decides what is explored, and where.
        start: number of the first place.
        before: author and hashtags of the places right before, the last one last.
        alike: pairs of candidates and how much they resemble each other, 0 to 1.
        weights: what each feature is worth.

    Returns:
        At most `count` places; fewer only where there are no more candidates.
    """
    pool = sorted(found, key=lambda one: -one.video)
    features = [[one.features.get(name, 0.0) for name in TERMS] for one in pool]
    terms = terms_of(np.array(features).reshape(len(pool), len(TERMS)), weights)
    tags = _Tags(pool)
    likeness = _Likeness(pool, tags, alike)
    rules = _Rules(pool, tags, before)
    sums = terms.sum(axis=1)
    samples = trials(pool, key, start).round(DECIMALS) * weights.explored
    free = np.ones(len(pool), bool)
    order: list[Ranked] = []
    for place in range(start, start + min(count, len(pool))):
        variety = (weights.alike * likeness.most).round(DECIMALS)
        explored = is_explored(key, place) and bool((free & (samples > 0)).any())
        worth = samples if explored else sums + variety
        allowed = free & (samples > 0) if explored else free
        best = rules.best(worth, allowed)
        found_by = (
            (Term("explored", float(samples[best])),)
            if explored
            else _terms(pool[best], terms[best], float(variety[best]))
        )
        score = round(float(worth[best]), DECIMALS)  # what it was ranked by
        one = pool[best]
        order.append(Ranked(one.video, one.author, one.tags, score, found_by))
        free[best] = False
        likeness.add(best)
        rules.add(best)
    return order


def is_explored(key: int, place: int) -> bool:
    """Whether a place is for what we know too little of: one of each EXPLORED_ONE_IN."""
    block, at = divmod(place, EXPLORED_ONE_IN)
    return mix64(key ^ mix64(block)) % EXPLORED_ONE_IN == at


# So many views of other videos count as much as one of a video itself does twice: the prior.
PRIOR_STRENGTH = 10.0


def trials(pool: Sequence[Found], key: int, start: int) -> NDArray[np.float64]:
    """Draw for each candidate to be explored how well it may do; 0 for the others.

    Thompson sampling (Thompson, Biometrika 25, 1933) with beta distributions: what few have seen
    varies much, so that it comes up now and then, and what does well comes up more often. The
    prior is what the creator's other videos and those with its hashtags did.
    """
    rng = np.random.default_rng([key, start])
    drawn = np.zeros(len(pool))
    for place, one in enumerate(pool):
        if one.trial is not None:
            liked = min(one.trial.liked, one.trial.shown)
            yes = PRIOR_STRENGTH * one.trial.rate + liked
            no = PRIOR_STRENGTH * (1 - one.trial.rate) + one.trial.shown - liked
            # Never rounded to 0, which means that there is nothing to find out.
            drawn[place] = max(rng.beta(max(yes, 0.01), max(no, 0.01)), 10**-DECIMALS)
    return drawn


def terms_of(features: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Return what each feature adds to a score; candidates × TERMS, as the features are."""
    worth = np.array([getattr(weights, name) for name in TERMS])
    return (features * worth).round(DECIMALS)


def _terms(one: Found, values: NDArray[np.float64], variety: float) -> tuple[Term, ...]:
    """Name the terms that are not 0, the largest first."""
    named = [
        Term(name, value, one.because.get(name))
        for name, value in zip(TERMS, values.tolist(), strict=True)
        if value
    ]
    if variety:
        named.append(Term("alike", variety))
    return tuple(sorted(named, key=lambda term: -abs(term.value)))


class _Tags:
    """Which of the pool has which hashtag.

    Attributes:
        columns: number of each hashtag.
        matrix: pool × hashtags, 1 where it has one.
    """

    def __init__(self, pool: list[Found]) -> None:
        tags = sorted({tag for one in pool for tag in one.tags})
        self.columns = {tag: column for column, tag in enumerate(tags)}
        self.matrix = np.zeros((len(pool), len(tags)), np.float32)
        places = [place for place, one in enumerate(pool) for _ in one.tags]
        self.matrix[places, [self.columns[tag] for one in pool for tag in one.tags]] = 1


class _Likeness:
    """How much each of the pool resembles what was taken: by the model, or by hashtags in common.

    Attributes:
        most: the largest likeness to anything taken so far, 0 to 1.
    """

    def __init__(
        self, pool: list[Found], tags: _Tags, alike: Iterable[tuple[int, int, float]]
    ) -> None:
        shared = tags.matrix @ tags.matrix.T
        sizes = tags.matrix.sum(axis=1)
        either = np.maximum(sizes[:, np.newaxis] + sizes - shared, 1)
        self._pairs = SAME_TAGS * shared / either
        places = {one.video: place for place, one in enumerate(pool)}
        for one, other, value in alike:
            if one in places and other in places:
                pair = places[one], places[other]
                self._pairs[pair] = self._pairs[pair[::-1]] = max(self._pairs[pair], value)
        self.most = np.zeros(len(pool))

    def add(self, taken: int) -> None:
        self.most = np.maximum(self.most, self._pairs[taken])


class _Rules:
    """Who may come next. What breaks fewer and lesser rules goes first, whatever its score."""

    def __init__(
        self, pool: list[Found], tags: _Tags, before: Sequence[tuple[int, frozenset[int]]]
    ) -> None:
        self._pool = pool
        self._authors = np.array([one.author for one in pool])
        self._tags = tags
        self._last = list(before)

    def best(self, worth: NDArray[np.float64], allowed: NDArray[np.bool_]) -> int:
        """Return the best of those allowed; of equals the latest one."""
        broken = np.where(allowed, self._broken(), np.inf)
        return int(np.where(broken == broken.min(), worth, -np.inf).argmax())

    def add(self, taken: int) -> None:
        self._last.append((self._pool[taken].author, self._pool[taken].tags))

    def _broken(self) -> NDArray[np.float64]:
        recent = self._last[-(WINDOW - 1) :]
        authors = Counter(author for author, _ in recent)
        tags = Counter(tag for _, used in recent for tag in used)
        broken = np.zeros(len(self._pool))
        full = [self._tags.columns[tag] for tag, times in tags.items()
                if times >= MOST_OF_A_TAG and tag in self._tags.columns]  # fmt: skip
        if full:
            broken += self._tags.matrix[:, full].any(axis=1)
        for author, times in authors.items():
            if times >= MOST_OF_A_CREATOR:
                broken[self._authors == author] += 2
        if recent:
            broken[self._authors == recent[-1][0]] += 4
        return broken
