"""Limits of what one account writes, in the API and in the pages alike."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.api_client import ApiClient
from tests.factories import CommentFactory, UserFactory, VideoFactory
from tiktok_clone.settings import base

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_each(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One act of each kind, and a clock that stands in the middle of every window."""
    scopes = [name for name in base.THROTTLE_RATES if name.endswith("_user")]
    settings.THROTTLE_RATES = {**configured.THROTTLE_RATES, **dict.fromkeys(scopes, (1, 300))}
    clock = SimpleNamespace(time=lambda: 1_800_000_000 + 60)
    monkeypatch.setattr("accounts.throttling.time", clock)


ACTS: dict[str, Callable[[], tuple[str, dict[str, Any]]]] = {
    "like": lambda: (f"/videos/{VideoFactory().pk}/like", {}),
    "save": lambda: (f"/videos/{VideoFactory().pk}/save", {}),
    "share": lambda: (f"/videos/{VideoFactory().pk}/share", {}),
    "refuse": lambda: (f"/videos/{VideoFactory().pk}/not-interested", {}),
    "like a comment": lambda: (f"/comments/{CommentFactory().pk}/like", {}),
    "comment": lambda: (f"/videos/{VideoFactory().pk}/comment", {"text": "hello"}),
    "follow": lambda: (f"/users/@{UserFactory().handle}/follow", {}),
    "report": lambda: (f"/videos/{VideoFactory().pk}/report", {"reason": "spam"}),
}


@pytest.mark.parametrize("act", ACTS)
def test_one_too_many_is_told_when_to_come_back(act: str, as_user: ApiClient, user: User) -> None:
    as_user.post(*ACTS[act](), expect=201 if act == "comment" else 200)
    problem = as_user.post(*ACTS[act](), expect=429)
    assert problem["code"] == "throttled"
    assert as_user.response["Content-Type"] == "application/problem+json"
    assert 0 < int(as_user.response["Retry-After"]) <= 300


@pytest.mark.parametrize("act", ACTS)
def test_of_another_account_is_another_matter(
    act: str, as_user: ApiClient, as_other: ApiClient
) -> None:
    for client in (as_user, as_other):
        client.post(*ACTS[act](), expect=201 if act == "comment" else 200)


def test_an_upload_too_many_is_refused(as_user: ApiClient) -> None:
    for expected in (400, 429):
        form = {"file": SimpleUploadedFile("a.mp4", b"no video")}
        as_user.post("/video", form, format="multipart", expect=expected)
    assert int(as_user.response["Retry-After"]) > 0


def test_taking_back_has_no_limit(as_user: ApiClient) -> None:
    video = VideoFactory()
    as_user.post(f"/videos/{video.pk}/like")
    for _ in range(3):
        as_user.delete(f"/videos/{video.pk}/like")
        as_user.delete(f"/users/@{video.author.handle}/follow")


@pytest.mark.parametrize("act", ["like", "save", "share", "comment"])
def test_the_forms_of_the_pages_have_the_same_limits(act: str, client: Client, user: User) -> None:
    client.force_login(user)
    first, second = VideoFactory(), VideoFactory()
    path = first.get_absolute_url() + f"/{act}"
    assert client.post(path, {"text": "hello"}).status_code == 302
    answer = client.post(second.get_absolute_url() + f"/{act}", {"text": "hello"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "Too many attempts" in answer.content.decode()


def test_a_form_that_follows_has_the_same_limit(client: Client, user: User) -> None:
    client.force_login(user)
    for expected in (302, 429):
        answer = client.post(f"/@{UserFactory().handle}/follow", {"action": "follow"})
        assert answer.status_code == expected


def test_the_rates_let_people_be_and_stop_machines() -> None:
    per_minute = {
        name: count * 60 / window for name, (count, window) in base.THROTTLE_RATES.items()
    }
    assert per_minute["react_user"] == 60
    assert per_minute["comment_user"] == 6
    assert per_minute["follow_user"] == 4
    assert per_minute["report_user"] < 1
    assert per_minute["upload_user"] == 1
