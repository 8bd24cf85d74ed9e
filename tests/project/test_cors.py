"""Web applications of other origins: those in the settings, by token and never by cookie."""

from typing import Any

import pytest
from django.test import Client

from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db

FRIEND = "https://app.example.org"
STRANGER = "https://elsewhere.example.net"


@pytest.fixture(autouse=True)
def _origins(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [FRIEND]


def preflight(path: str, method: str, headers: str, origin: str = FRIEND) -> Any:
    return Client().options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/user/signin"),
        ("GET", "/videos/feed"),
        ("POST", "/video"),
        ("POST", "/videos/1/comment"),
        ("DELETE", "/videos/1/like"),
        ("PATCH", "/users/@someone"),
        ("DELETE", "/comments/1"),
    ],
)
def test_a_named_origin_may_send_a_token_and_a_key(method: str, path: str) -> None:
    answer = preflight(path, method, "authorization, idempotency-key, content-type")
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == FRIEND
    assert method in answer["Access-Control-Allow-Methods"]
    allowed = names(answer["Access-Control-Allow-Headers"])
    assert {"authorization", "idempotency-key", "content-type"} <= allowed
    assert "x-csrftoken" not in allowed
    assert "Access-Control-Allow-Credentials" not in answer
    assert "origin" in names(answer["Vary"])


def test_another_origin_may_not(client: Client) -> None:
    answer = preflight("/videos/feed", "GET", "authorization", STRANGER)
    assert "Access-Control-Allow-Origin" not in answer
    answer = client.get("/videos", headers={"Origin": STRANGER})
    assert "Access-Control-Allow-Origin" not in answer


def test_answers_and_errors_can_be_read_with_what_they_say_of_time(
    client: Client, settings: Any
) -> None:
    VideoFactory()
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, "anonymous_ip": (1, 300)}
    for expected in (200, 429):
        answer = client.get("/videos", headers={"Origin": FRIEND})
        assert answer.status_code == expected
        assert answer["Access-Control-Allow-Origin"] == FRIEND
        assert {"retry-after", "idempotency-replayed"} <= names(
            answer["Access-Control-Expose-Headers"]
        )
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/", "/signin", "/explore", "/settings", "/upload"])
def test_pages_are_not_for_other_origins(path: str, client: Client) -> None:
    answer = client.get(path, headers={"Origin": FRIEND})
    assert "Access-Control-Allow-Origin" not in answer


def test_without_the_setting_nobody_may(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = []
    assert "Access-Control-Allow-Origin" not in preflight("/videos", "GET", "authorization")
