"""Days of a site, told again: what was learnt up to one evening is judged by the next day.

People like and watch by tastes that drift. All of it are real rows of acts, from which the
strengths are computed as on a site that runs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import User
from feeds import affinity
from feeds.models import Affinity, Impression
from feeds.recommender import baselines, metrics, site
from feeds.recommender.evaluation import trial
from feeds.recommender.interactions import Interactions, Recommender
from feeds.recommender.model import Parameters, train
from tests.feeds.themes import people_and_videos
from videos.models import Like

pytestmark = pytest.mark.django_db
PEOPLE, THEMES, EACH, DAYS, ACTS = 90, 8, 25, 6, 7
JUDGED = range(3, DAYS)
SECONDS = 8.0
DRIFT, LOYALTY = 0.2, 0.85


@dataclass(frozen=True)
class Act:
    """Who meets which video when, and whether they like it; the others watch it to its end."""

    person: int
    video: int
    day: int
    at: datetime
    likes: bool


def history(people: list[User], videos: list[int], chance: np.random.Generator) -> list[Act]:
    """Days of acts: everybody has a theme for some time, and then another one."""
    start = timezone.now() - timedelta(days=DAYS)
    tastes, met = chance.integers(THEMES, size=PEOPLE), set()
    acts = []
    for day in range(DAYS):
        drifted = chance.random(PEOPLE) < DRIFT
        tastes = np.where(drifted, chance.integers(THEMES, size=PEOPLE), tastes)
        for person in range(PEOPLE):
            for _ in range(ACTS):
                theme = tastes[person] if chance.random() < LOYALTY else chance.integers(THEMES)
                video = int(theme * EACH + EACH * chance.random() ** 2)
                if (person, video) in met:
                    continue
                met.add((person, video))
                at = start + timedelta(days=day, hours=float(chance.random() * 23))
                acts.append(
                    Act(people[person].pk, videos[video], day, at, bool(chance.random() < 0.5))
                )
    return acts


def learnt_from(acts: list[Act]) -> Interactions:
    """Have the site hold these acts and nothing else, and read what it learns from them."""
    for model in (Like, Impression, Affinity):
        model.objects.all().delete()
    Like.objects.bulk_create(
        Like(user_id=one.person, video_id=one.video, created_at=one.at) for one in acts if one.likes
    )
    seen = Impression.objects.bulk_create(
        Impression(
            user_id=one.person,
            video_id=one.video,
            **{} if one.likes else {"seconds": SECONDS, "longest": SECONDS, "completed": 1},
        )
        for one in acts
    )
    for row, one in zip(seen, acts, strict=True):
        row.first_at = row.last_at = one.at
    Impression.objects.bulk_update(seen, ["first_at", "last_at"], batch_size=1000)
    affinity.settle_pairs((one.person, one.video) for one in acts)
    return site.read()


def quality(kept: Interactions, told: Interactions, recommender: Recommender) -> float:
    """NDCG@20 of recommendations for a day, by what people then did."""
    task = trial(kept, told)
    assert len(task.users) > PEOPLE / 2
    lists = recommender(task.users, task.consumed, 20)
    return float(metrics.quality(lists, task.held_out, 20).ndcg.mean())


def wrong_clips(acts: list[Act], chance: np.random.Generator) -> list[Act]:
    """Likes are kept under the id of another clip."""
    likes = [one for one in acts if one.likes]
    others = chance.permutation([one.video for one in likes])
    moved = {(one.person, int(video)): one for one, video in zip(likes, others, strict=True)}
    watched = {(one.person, one.video): one for one in acts if not one.likes}
    kept = {pair: replace(one, video=pair[1]) for pair, one in (moved | watched).items()}
    return list(kept.values())


def wrong_people(acts: list[Act], chance: np.random.Generator) -> list[Act]:
    """Watches are kept under the id of another person."""
    watches = [one for one in acts if not one.likes]
    others = chance.permutation([one.person for one in watches])
    moved = {(int(who), one.video): one for one, who in zip(watches, others, strict=True)}
    liked = {(one.person, one.video): one for one in acts if one.likes}
    kept = {pair: replace(one, person=pair[0]) for pair, one in (moved | liked).items()}
    return list(kept.values())


Breaking = Callable[[list[Act], np.random.Generator], list[Act]]


def test_each_day_is_foreseen_by_the_days_before_and_less_so_when_a_signal_breaks() -> None:
    """What is judged by stays as it was: only training gets the broken signal."""
    chance = np.random.default_rng(11)
    people, videos = people_and_videos(PEOPLE, THEMES * EACH)
    acts = history(people, videos, chance)
    whole = learnt_from(acts)
    breaks: dict[str, Breaking] = {"likes": wrong_clips, "watches": wrong_people}
    broken = {name: learnt_from(how(acts, chance)) for name, how in breaks.items()}
    midnight = min(one.at for one in acts).timestamp()
    for day in JUDGED:
        begin, end = (midnight + days * 86400 for days in (day, day + 1))
        assert whole.at is not None
        told = whole.rows((whole.at >= begin) & (whole.at < end))
        kept = whole.rows(whole.at < begin)
        model = train(kept, Parameters())
        ours = quality(kept, told, model.recommender(kept))
        floor = quality(kept, told, baselines.popular(kept).recommender(kept))
        print(f"day {day}: ours {ours:.3f}, popularity {floor:.3f}")  # noqa: T201 - when it fails
        assert ours > 1.25 * floor > 0
        for name, rows in broken.items():
            assert rows.items == whole.items
            assert rows.users == whole.users
            assert rows.at is not None
            worse = train(rows.rows(rows.at < begin), Parameters())
            # The readers are who they are; what walks follow is broken.
            fallen = quality(kept, told, worse.recommender(kept))
            print(f"day {day}: with broken {name} {fallen:.3f}")  # noqa: T201 - when it fails
            assert fallen < 0.9 * ours, f"broken {name} were not noticed on day {day}"
