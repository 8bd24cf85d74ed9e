"""GET and DELETE /user/sessions; browsers and programs side by side."""

import uuid
from typing import Any

import pytest
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client

from accounts.clients import program_name
from accounts.models import Session, User
from tests.api_client import ApiClient
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def laptop(user: User) -> Client:
    """A browser that `user` signed in with."""
    client = Client(HTTP_USER_AGENT="Firefox\0 on a laptop")
    response = client.post("/signin", {"email": user.email, "password": PASSWORD})
    assert response.status_code == 302
    return client


def test_sessions_are_listed_with_the_one_that_asks(
    user: User, tokens: dict[str, Any], laptop: Client
) -> None:
    Session.objects.create(user=UserFactory(), kind="api", token_id=uuid.uuid4())
    rows = ApiClient(token=tokens["access"]).get("/user/sessions")["results"]
    assert [(row["kind"], row["current"]) for row in rows] == [("browser", False), ("api", True)]
    assert rows[0]["user_agent"] == "Firefox on a laptop"
    assert set(rows[0]) == {
        "id", "kind", "user_agent", "ip", "created_at", "last_used_at", "current"
    }  # fmt: skip


def test_ending_a_browsers_session_signs_the_browser_out(
    tokens: dict[str, Any], laptop: Client
) -> None:
    assert laptop.get("/settings").status_code == 200
    row = Session.objects.get(kind="browser")
    ApiClient(token=tokens["access"]).delete(f"/user/sessions/{row.pk}", expect=204)
    assert laptop.get("/settings").status_code == 302
    assert not DjangoSession.objects.filter(session_key=row.session_key).exists()


def test_ending_all_signs_out_everywhere(tokens: dict[str, Any], laptop: Client) -> None:
    ApiClient(token=tokens["access"]).delete("/user/sessions/all", expect=204)
    assert not Session.objects.live().exists()
    assert laptop.get("/settings").status_code == 302
    ApiClient().post("/user/refresh", {"refresh": tokens["refresh"]}, expect=401)


def test_nobody_ends_the_session_of_another(as_other: ApiClient, tokens: dict[str, Any]) -> None:
    row = Session.objects.get()
    as_other.delete(f"/user/sessions/{row.pk}", expect=404)
    assert Session.objects.live().count() == 1


def test_signing_out_in_the_browser_ends_its_row(laptop: Client) -> None:
    laptop.post("/signout")
    assert Session.objects.get().ended_reason == "signed_out"


def test_the_cookie_serves_the_api_with_a_csrf_token_only(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get("/user/me").json()["id"] == user.pk
    assert client.post("/user/signout").status_code == 403
    client.get("/settings")
    token = client.cookies["csrftoken"].value
    assert client.post("/user/signout", headers={"X-CSRFToken": token}).status_code == 204
    assert client.get("/user/me").status_code == 401


def test_the_administrations_sign_in_is_a_session_too(client: Client) -> None:
    boss = UserFactory(is_staff=True, is_superuser=True)
    client.post("/admin/login/", {"username": boss.email, "password": PASSWORD})
    assert Session.objects.live().filter(user=boss, kind="browser").count() == 1


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (iPhone; like Mac OS X) Version/18 Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36 Edg/140", "Edge on Windows"),
        ("curl/8.5.0", "curl"),
        ("Loopy-App/1.0", "Loopy-App"),
        ("", ""),
    ],
)
def test_programs_are_called_what_people_call_them(user_agent: str, name: str) -> None:
    assert program_name(user_agent) == name
