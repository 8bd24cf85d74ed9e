"""Changing and resetting the password; verifying the address."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from freezegun import freeze_time

from accounts.models import Session, User
from tests.api_client import ApiClient
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
NEXT = "another good one"


def link_in(message: EmailMessage) -> str:
    """The path of the only link."""
    found = re.search(r"https?://[^/\s]+(/\S+)", str(message.body))
    assert found
    return found[1]


def test_changing_the_password_ends_every_session_and_opens_one(
    user: User, tokens: dict[str, Any]
) -> None:
    client = ApiClient(token=tokens["access"])
    pair = client.post("/user/password", {"current_password": PASSWORD, "new_password": NEXT})
    ApiClient().post("/user/refresh", {"refresh": tokens["refresh"]}, expect=401)
    ApiClient().post("/user/refresh", {"refresh": pair["refresh"]})
    ApiClient().post("/user/signin", {"email": user.email, "password": PASSWORD}, expect=401)
    ApiClient().post("/user/signin", {"email": user.email, "password": NEXT})


def test_the_present_password_is_asked_for(as_user: ApiClient, user: User) -> None:
    body = as_user.post(
        "/user/password", {"current_password": "wrong", "new_password": NEXT}, expect=400
    )
    assert body["errors"]["current_password"][0]["code"] == "wrong_password"
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_weak_new_password_is_refused(as_user: ApiClient) -> None:
    body = as_user.post(
        "/user/password", {"current_password": PASSWORD, "new_password": "12345678"}, expect=400
    )
    assert "password_too_common" in [found["code"] for found in body["errors"]["new_password"]]


def test_changing_it_on_the_page_keeps_this_browser_and_ends_the_others(
    user: User, tokens: dict[str, Any]
) -> None:
    here, there = Client(), Client()
    for browser in (here, there):
        browser.post("/signin", {"email": user.email, "password": PASSWORD})
    response = here.post("/settings/security", {"current_password": PASSWORD, "new_password": NEXT})
    assert response.status_code == 302
    assert here.get("/settings").status_code == 200
    assert there.get("/settings").status_code == 302
    row = Session.objects.live().get()
    assert row.session_key == here.session.session_key


@pytest.mark.django_db(transaction=True)
def test_the_link_in_the_message_sets_a_new_password_once(
    api: ApiClient, tokens: dict[str, Any], user: User, run_jobs: Any, mailoutbox: Any
) -> None:
    api.post("/user/password/reset", {"email": user.email.upper()}, expect=202)
    run_jobs()
    (message,) = mailoutbox
    assert message.to == [user.email]
    _, _, _, uid, token = link_in(message).split("/")
    body = {"uid": uid, "token": token, "new_password": NEXT}
    assert "errors" in api.post(
        "/user/password/reset/confirm", {**body, "new_password": "short"}, expect=400
    )
    api.post("/user/password/reset/confirm", body, expect=204)
    used = api.post("/user/password/reset/confirm", body, expect=400)
    assert used["code"] == "invalid_link"
    api.post("/user/refresh", {"refresh": tokens["refresh"]}, expect=401)
    api.post("/user/signin", {"email": user.email, "password": NEXT})


@pytest.mark.django_db(transaction=True)
def test_an_unknown_address_gets_the_same_answer_and_no_message(
    api: ApiClient, user: User, run_jobs: Any, mailoutbox: Any
) -> None:
    known = api.post("/user/password/reset", {"email": user.email}, expect=202)
    unknown = api.post("/user/password/reset", {"email": "nobody@example.org"}, expect=202)
    assert known == unknown
    by_handle = api.post("/user/password/reset", {"email": f"@{user.handle}"}, expect=202)
    assert by_handle == known
    run_jobs()
    assert [message.to for message in mailoutbox] == [[user.email]]


@pytest.mark.django_db(transaction=True)
def test_the_pages_reset_the_password_and_a_link_runs_out(
    client: Client, user: User, run_jobs: Any, mailoutbox: Any
) -> None:
    assert client.post("/password/reset", {"email": user.email}).status_code == 200
    run_jobs()
    link = link_in(mailoutbox[0])
    with freeze_time(timezone.now() + timedelta(hours=2)):
        assert client.get(link).status_code == 400
    page = client.get(link)
    assert page.status_code == 200
    assert page["Referrer-Policy"] == "same-origin"
    assert client.post(link, {"new_password": "short"}).status_code == 400
    assert client.post(link, {"new_password": NEXT}).headers["Location"] == "/signin"
    user.refresh_from_db()
    assert user.check_password(NEXT)


@pytest.mark.parametrize("uid", ["x", "AAAA", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk", "-", "M\0"])
def test_a_made_up_link_is_refused(api: ApiClient, client: Client, uid: str) -> None:
    body = {"uid": uid, "token": "abc-def", "new_password": NEXT}
    api.post("/user/password/reset/confirm", body, expect=400)
    assert client.get(f"/password/reset/{uid}/abc-def").status_code in (400, 404)


@pytest.mark.django_db(transaction=True)
def test_the_address_is_verified_by_the_message_sent_at_sign_up(
    client: Client, run_jobs: Any, mailoutbox: Any
) -> None:
    body = {"email": "new@example.org", "handle": "new", "password": PASSWORD}
    assert client.post("/signup", body).status_code == 302
    run_jobs()
    assert client.get("/verify-email/nonsense").status_code == 400
    assert client.get(link_in(mailoutbox[0])).status_code == 302
    assert User.objects.get().email_verified_at is not None
