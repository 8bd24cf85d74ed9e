"""GET /readyz tells the truth, and costs the same however often it is asked."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tiktok_clone.common import readiness, recent

pytestmark = pytest.mark.django_db


class Looks:
    """Counts the looks into the database."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return "ok"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    ours = Looks()
    monkeypatch.setattr(readiness, "_database", ours)
    return ours


def test_it_looks_once_a_second(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(recent, "SECONDS", 1e9)
    assert client.get("/readyz").json() == {
        "ready": True,
        "checks": {"database": "ok", "media": "ok", "redis": "ok"},
    }
    with django_assert_num_queries(0):
        assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(recent, "SECONDS", -1)
    monkeypatch.setattr(readiness, "_media", lambda: "not writable")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["media"] == "not writable"


def test_what_went_wrong_is_not_remembered_for_long(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "SECONDS", -1)
    with monkeypatch.context() as patched:

        def away(*_: object) -> None:
            raise DatabaseError("away")

        patched.setattr(readiness, "MigrationExecutor", away)
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "unreachable")
    assert client.get("/readyz").status_code == 200


def test_of_many_at_once_one_looks(looks: Looks) -> None:
    together = Barrier(8)

    def ask(_: int) -> dict[str, str]:
        together.wait()
        return readiness.look()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert all(answer["database"] == "ok" for answer in answers)
    assert looks.count == 1


def test_nobody_waits_for_long_for_a_look_that_hangs(
    client: Client, looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PATIENCE", 0.01)
    with readiness._looking:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "no answer yet", "media": "no answer yet"}
    assert looks.count == 0
    assert client.get("/readyz").status_code == 200
