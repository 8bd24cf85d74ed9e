"""Hypothesis without clocks and without chance, so that a red test stays red; prepared pages."""

import pytest
from hypothesis import HealthCheck, settings
from pytest_django import Settings

from feeds import prefetch
from tests.feeds.caching import Later
from tiktok_clone.common import generation, recent, signing

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile(
    "search", settings.get_profile("deterministic"), derandomize=False, print_blob=True
)
settings.load_profile("deterministic")


@pytest.fixture
def lasting_names(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read from PostgreSQL once a second is read once, so that tests may count."""
    monkeypatch.setattr(recent, "SECONDS", 1e9)
    generation.forget()
    generation.generation()
    signing.current_epoch()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch, settings: Settings, lasting_names: None) -> Later:
    """Pages are prepared, each when the test says so."""
    settings.FEED_PREFETCH_THREADS = 1
    generation.generation()  # forgotten with each setting that changes
    signing.current_epoch()
    pool = Later()
    monkeypatch.setattr(prefetch, "_pool", lambda _: pool)
    return pool
