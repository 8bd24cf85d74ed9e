"""Fixtures for the tests of accounts."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from accounts.models import User
from tests.api_client import ApiClient
from tests.factories import PASSWORD


@pytest.fixture
def limit(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set rates by scope, `limit(signin_ip=(2, 300))`, and stop the clock inside one window."""

    def set_rates(**rates: tuple[int, int]) -> None:
        settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, **rates}
        clock = SimpleNamespace(time=lambda: 1_800_000_000 + 60)
        monkeypatch.setattr("accounts.throttling.time", clock)

    return set_rates


@pytest.fixture
def tokens(user: User) -> dict[str, Any]:
    """What `user` got by signing in: `{user, access, refresh}`."""
    body: dict[str, Any] = ApiClient().post(
        "/user/signin", {"email": user.email, "password": PASSWORD}
    )
    return body
