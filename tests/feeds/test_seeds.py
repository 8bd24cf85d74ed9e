"""Tokens and snapshots, as functions."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from feeds.models import SeedSnapshot
from feeds.seeds import Seed, Snapshot, micros, moment, new_seed, read_token, sign, take_snapshot
from feeds.tasks import forget_old_seeds
from tests.factories import VideoFactory
from tiktok_clone.common.errors import DomainError

pytestmark = pytest.mark.django_db

numbers = st.integers(0, 2**63 - 1)
signed = st.integers(-(2**63), 2**63 - 1)
times = st.datetimes(
    min_value=datetime(2000, 1, 1), max_value=datetime(2500, 1, 1), timezones=st.just(UTC)
)
seeds = st.builds(
    Seed,
    mode=st.sampled_from(["all", "following", "friends", "for-you"]),
    order=st.sampled_from(["shuffle", "latest", "ranked"]),
    reader=numbers,
    snapshot=st.builds(Snapshot, epoch=st.integers(0, 2**31), used=numbers, taken_at=times),
    key=st.integers(0, 2**64 - 1),
    made=st.integers(0, 2**32 - 1),
    skip=numbers,
    place=st.none() | st.tuples(signed, signed),
)


@settings(max_examples=150)
@given(seed=seeds)
def test_a_token_is_read_as_it_was_signed(seed: Seed) -> None:
    token = sign(seed)
    assert read_token(token) == seed
    assert len(token) < 200
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


@settings(max_examples=150)
@given(seed=seeds, place=st.integers(0), letter=st.characters(codec="utf-8"))
def test_a_token_with_one_letter_changed_is_refused(seed: Seed, place: int, letter: str) -> None:
    token = sign(seed)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(DomainError, match="Refresh"):
            read_token(changed)


@settings(max_examples=100)
@given(raw=st.text(max_size=200))
def test_anything_else_is_refused(raw: str) -> None:
    with pytest.raises(DomainError) as refused:
        read_token(raw)
    assert refused.value.code == "seed_invalid"


@given(when=times)
def test_times_are_kept_to_the_microsecond(when: datetime) -> None:
    assert moment(micros(when)) == when


def test_a_snapshot_counts_slots_and_ends_at_the_last_publication() -> None:
    video = VideoFactory()
    assert video.slot == 0
    assert take_snapshot() == Snapshot(epoch=1, used=1, taken_at=video.published_at)


def test_new_seeds_differ() -> None:
    assert len({new_seed("all", "shuffle", 1).key for _ in range(100)}) == 100


def test_old_snapshots_are_forgotten(user: User) -> None:
    for seed in range(3):
        SeedSnapshot.objects.create(
            reader=user, mode="all", order="shuffle", seed=seed, epoch=1, used=0,
            taken_at=timezone.now(),
        )  # fmt: skip
    SeedSnapshot.objects.filter(seed=1).update(created_at=timezone.now() - timedelta(hours=2))
    forget_old_seeds(timestamp=0)
    forget_old_seeds(timestamp=0)
    assert set(SeedSnapshot.objects.values_list("seed", flat=True)) == {0, 2}
