"""The demo's crowd: people who post nothing, but whose tastes one can learn from.

Everybody cares for two themes. They act in bulk, through the same rows and counters as an act
of anybody, since one by one they would keep the worker busy for a minute.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, cycle, product
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from feeds import affinity, cards
from feeds.demo.people import REMARKS
from feeds.models import VIEW_SECONDS, Impression
from videos.models import Like, Save, Video

THEMES = tuple(REMARKS)
# How likely somebody comes across a clip, likes it and keeps it: of their themes, and of others.
SEEN, LIKED, SAVED = (0.85, 0.3), (0.6, 0.04), (0.2, 0.0)
# The share of a clip that is watched, likewise.
WATCHED = ((0.7, 1.0), (0.05, 0.6))
# From here on a watch has come to its end.
ENDED = 0.85


@dataclass(frozen=True)
class Fan:
    """One of the crowd."""

    handle: str
    name: str
    likes: tuple[str, ...]

    @property
    def email(self) -> str:
        """The address, in the domain kept for examples."""
        return f"{self.handle}@example.com"


_FIRST = ("Ada", "Bruno", "Chidi", "Daria", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jamal")
_LAST = ("Alves", "Berg", "Chen", "Dlamini", "Eriksen", "Fontaine")
FANS = [
    Fan(f"{first}.{last}".lower(), f"{first} {last}", likes)
    for (first, last), likes in zip(
        product(_FIRST, _LAST), cycle(combinations(THEMES, 2)), strict=False
    )
]


def ensure_crowd() -> int:
    """Make those who are missing; nobody can sign in as one of them. Returns how many were new."""
    known = set(User.objects.filter(handle__in=[fan.handle for fan in FANS]).values_list("handle"))
    now = timezone.now()
    new = [
        User(
            email=fan.email,
            handle=fan.handle,
            name=fan.name,
            password=make_password(None),
            email_verified_at=now,
        )
        for fan in FANS
        if (fan.handle,) not in known
    ]
    return len(User.objects.bulk_create(new, ignore_conflicts=True))


@transaction.atomic
def send_crowd(video: Video, theme: str, name: str) -> int:
    """Let the crowd watch, like and keep a published clip. To be called once for each.

    Args:
        video: the clip.
        theme: what it shows.
        name: what the choices follow from, besides the people.

    Returns:
        How many came across it.
    """
    affinity.keep_videos([video.pk])
    ids = dict(
        User.objects.active().filter(email__in=_emails()).values_list("handle", "pk").order_by("pk")
    )
    acts = [
        _Act(ids[fan.handle], *choice)
        for fan in FANS
        if fan.handle in ids and (choice := _choice(fan, theme, name)) is not None
    ]
    for model, users in (
        (Like, [act.user for act in acts if act.liked]),
        (Save, [act.user for act in acts if act.saved]),
    ):
        rows: Any = model
        rows.objects.bulk_create([model(user_id=user, video=video) for user in users])
    watched = [_impression(act, video) for act in acts]
    Impression.objects.bulk_create(watched)
    _count(video, acts, watched)
    affinity.settle_pairs((act.user, video.pk) for act in acts)
    cards.recount(video.pk)
    return len(acts)


@dataclass(frozen=True)
class _Act:
    """What somebody does with a clip: the share they watch, and whether they like and keep it."""

    user: int
    part: float
    liked: bool
    saved: bool


def _choice(fan: Fan, theme: str, name: str) -> tuple[float, bool, bool] | None:
    """Return what somebody does with a clip; None if they never come across it."""
    chance = random.Random(f"{fan.handle} {name}")
    other = int(theme not in fan.likes)
    if chance.random() > SEEN[other]:
        return None
    liked = chance.random() < LIKED[other]
    return chance.uniform(*WATCHED[other]), liked, liked and chance.random() < SAVED[other]


def _impression(act: _Act, video: Video) -> Impression:
    seconds = round(video.duration * act.part, 1)
    ended = int(act.part > ENDED)
    return Impression(
        user_id=act.user, video=video, seconds=seconds, longest=seconds, completed=ended
    )


def _count(video: Video, acts: Iterable[_Act], watched: Sequence[Impression]) -> None:
    likes = sum(act.liked for act in acts)
    views = sum(one.completed > 0 or one.seconds >= VIEW_SECONDS for one in watched)
    Video.objects.filter(pk=video.pk).update(
        likes_count=F("likes_count") + likes,
        saves_count=F("saves_count") + sum(act.saved for act in acts),
        views_count=F("views_count") + views,
        shown_count=F("shown_count") + len(watched),
        watch_seconds=F("watch_seconds") + sum(one.seconds for one in watched),
    )
    User.objects.filter(pk=video.author_id).update(likes_count=F("likes_count") + likes)


def _emails() -> list[str]:
    return [fan.email for fan in FANS]
