"""POST /user/signup and /user/signin."""

import logging
from typing import Any

import pytest
from django.contrib.auth import hashers

from accounts.models import Session, User
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = {
    "email": "Ada@Example.org",
    "password": "engine of 1843",
    "handle": "Ada.L",
    "name": "Ada Lovelace",
}


def test_signing_up_answers_the_account_and_tokens_that_work(api: ApiClient) -> None:
    body = api.post("/user/signup", NEW, expect=201)
    assert body["user"]["email"] == "ada@example.org"
    assert body["user"]["handle"] == "ada.l"
    assert body["user"]["name"] == "Ada Lovelace"
    assert ApiClient(token=body["access"]).get("/user/me")["handle"] == "ada.l"
    assert User.objects.get(handle="ada.l").check_password(NEW["password"])


def test_without_a_name_the_handle_serves(api: ApiClient) -> None:
    body = api.post("/user/signup", {**NEW, "name": ""}, expect=201)
    assert body["user"]["name"] == "Ada.L"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "nonsense", "invalid_email"),
        ("email", "a/b@example.org", "invalid_email"),
        ("email", "", "blank"),
        ("email", "a\0b@example.org", "null_characters_not_allowed"),
        ("handle", "a", "invalid_handle"),
        ("handle", "a" * 25, "invalid_handle"),
        ("handle", "with space", "invalid_handle"),
        ("handle", "newline\n", None),
        ("handle", "ünïcode", "invalid_handle"),
        ("name", "n" * 51, "too_long"),
        ("name", "bell\a", "control_character"),
        ("password", "short", "password_too_short"),
        ("password", "p" * 129, "password_too_long"),
        ("password", "password1", "password_too_common"),
        ("password", "ada@example.org", "password_too_similar"),
    ],
)
def test_what_is_wrong_is_named_by_field(
    api: ApiClient, field: str, value: str, code: str | None
) -> None:
    if code is None:
        api.post("/user/signup", {**NEW, field: value}, expect=201)
        return
    body = api.post("/user/signup", {**NEW, field: value}, expect=400)
    assert code in [problem["code"] for problem in body["errors"][field]]
    assert not User.objects.exists()


def test_every_wrong_field_is_named_at_once(api: ApiClient) -> None:
    body = api.post("/user/signup", {"email": "x", "handle": "-", "password": "1"}, expect=400)
    assert set(body["errors"]) == {"email", "handle", "password"}


@pytest.mark.parametrize(("field", "value"), [("email", "ADA@example.org"), ("handle", "ADA.L")])
def test_a_taken_value_is_refused_whatever_the_letter_case(
    api: ApiClient, field: str, value: str
) -> None:
    UserFactory(email="ada@example.org", handle="ada.l")
    other = {"email": "other@example.org", "handle": "other"}
    body = api.post("/user/signup", {**NEW, **other, field: value}, expect=400)
    assert body["errors"] == {
        field: [{"code": "taken", "message": body["errors"][field][0]["message"]}]
    }


@pytest.mark.django_db(transaction=True)
def test_of_two_sign_ups_at_the_same_moment_one_gets_the_handle() -> None:
    def enter(number: int) -> int:
        body = {**NEW, "email": f"ada{number}@example.org"}
        status: int = ApiClient().raw.post("/user/signup", body, format="json").status_code
        return status

    statuses = at_once(*[lambda number=number: enter(number) for number in range(4)])
    assert sorted(statuses) == [201, 400, 400, 400]


def test_signing_in_opens_a_session(api: ApiClient, user: User) -> None:
    body = api.post("/user/signin", {"email": user.email.upper(), "password": PASSWORD})
    assert body["user"]["id"] == user.pk
    assert {"access", "refresh"} < set(body)
    assert Session.objects.live().filter(user=user, kind="api").count() == 1


def test_every_failure_says_the_same(api: ApiClient, user: User) -> None:
    suspended = UserFactory(is_active=False)
    tries = [
        (user.email, "wrong password"),
        ("nobody@example.org", PASSWORD),
        (suspended.email, PASSWORD),
        (user.handle, PASSWORD),
        (f"@{user.handle}", PASSWORD),
        (user.email, "x" * 129),
    ]
    answers = [
        api.post("/user/signin", {"email": email, "password": password}, expect=401)
        for email, password in tries
    ]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["code"] == "invalid_credentials"


def test_known_and_unknown_addresses_cost_the_same_hashing(
    api: ApiClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    hasher = type(hashers.get_hasher())
    encode = hasher.encode

    def counted(self: Any, *args: Any) -> str:
        hashed.append("once")
        return encode(self, *args)

    monkeypatch.setattr(hasher, "encode", counted)

    def price(path: str, **body: str) -> int:
        hashed.clear()
        api.raw.post(path, body, format="json")
        return len(hashed)

    known = price("/user/signin", email=user.email, password="wrong one")
    assert known == price("/user/signin", email="nobody@example.org", password="wrong one") > 0
    taken = price("/user/signup", **{**NEW, "email": user.email})
    assert taken == price("/user/signup", **{**NEW, "handle": "free"}) > 0


def test_an_old_authorization_header_does_not_stand_in_the_way(user: User) -> None:
    body = {"email": user.email, "password": PASSWORD}
    ApiClient(token="nonsense").post("/user/signin", body)


def test_the_log_names_no_address(
    api: ApiClient, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="audit"):
        api.post("/user/signin", {"email": user.email, "password": PASSWORD})
        api.post("/user/signin", {"email": user.email, "password": "wrong"}, expect=401)
    assert f"session_opened user={user.pk} kind=api" in caplog.text
    assert "signin_failed" in caplog.text
    assert user.email not in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_argon2_is_what_production_uses() -> None:
    from tiktok_clone.settings import base

    assert base.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
