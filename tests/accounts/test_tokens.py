"""Access and refresh tokens, and the session rows behind them."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from freezegun import freeze_time

from accounts.api.authentication import StatelessAuthentication
from accounts.models import Session, User
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import PASSWORD
from tiktok_clone.common import recent, signing
from tiktok_clone.common.models import SigningEpoch

pytestmark = pytest.mark.django_db


def refresh(token: str, expect: int = 200) -> Any:
    return ApiClient().post("/user/refresh", {"refresh": token}, expect=expect)


def forged(token: str, *, algorithm: str = "HS256", **claims: Any) -> str:
    """The token with other claims, signed with our key; None removes a claim."""
    payload = jwt.decode(token, options={"verify_signature": False})
    payload |= claims
    payload = {name: value for name, value in payload.items() if value is not None}
    key = settings.SECRET_KEY
    return jwt.encode(payload, None if algorithm == "none" else key, algorithm=algorithm)


def test_tokens_rotate(tokens: dict[str, Any]) -> None:
    pair = refresh(tokens["refresh"])
    assert pair["refresh"] != tokens["refresh"]
    ApiClient(token=pair["access"]).get("/user/me")
    refresh(pair["refresh"])


def test_using_an_old_refresh_token_ends_the_session(tokens: dict[str, Any]) -> None:
    pair = refresh(tokens["refresh"])
    assert refresh(tokens["refresh"], expect=401)["code"] == "session_ended"
    refresh(pair["refresh"], expect=401)
    assert Session.objects.get().ended_reason == "token_reuse"


@pytest.mark.django_db(transaction=True)
def test_of_twelve_uses_at_the_same_moment_exactly_one_succeeds(user: User) -> None:
    for _ in range(5):
        body = ApiClient().post("/user/signin", {"email": user.email, "password": PASSWORD})

        def use(token: str = body["refresh"]) -> int:
            status: int = (
                ApiClient().raw.post("/user/refresh", {"refresh": token}, format="json").status_code
            )
            return status

        statuses = at_once(*[use] * 12)
        assert sorted(statuses) == [200, *[401] * 11]


def test_signing_out_ends_the_refresh_token(tokens: dict[str, Any]) -> None:
    ApiClient(token=tokens["access"]).post("/user/signout", expect=204)
    refresh(tokens["refresh"], expect=401)


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(
    tokens: dict[str, Any],
) -> None:
    refresh(tokens["access"], expect=401)
    ApiClient(token=tokens["refresh"]).get("/user/me", expect=401)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"exp": None},
        {"token_type": None},
        {"sid": None},
        {"epoch": "0" * 32},
        {"epoch": None},
        {"jti": None},
    ],
)
def test_a_token_with_other_claims_is_refused(
    tokens: dict[str, Any], claims: dict[str, Any]
) -> None:
    ApiClient(token=forged(tokens["access"], **claims)).get("/user/me", expect=401)
    refresh(forged(tokens["refresh"], **claims), expect=401)


@pytest.mark.parametrize("algorithm", ["HS512", "none"])
def test_the_algorithm_is_pinned(tokens: dict[str, Any], algorithm: str) -> None:
    ApiClient(token=forged(tokens["access"], algorithm=algorithm)).get("/user/me", expect=401)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü", "\0", "x" * 3000])
def test_nonsense_is_no_token(api: ApiClient, token: str) -> None:
    response = api.raw.post("/user/refresh", {"refresh": token}, format="json")
    assert response.status_code in (400, 401)
    assert ApiClient().raw.get("/user/me", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401


def test_an_access_token_lives_five_minutes(tokens: dict[str, Any]) -> None:
    client = ApiClient(token=tokens["access"])
    with freeze_time(timezone.now() + timedelta(minutes=4)):
        client.get("/user/me")
    with freeze_time(timezone.now() + timedelta(minutes=6)):
        client.get("/user/me", expect=401)


def test_an_epoch_is_as_old_as_the_question_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(recent, "time", SimpleNamespace(monotonic=lambda: now[0]))
    ended = signing.current_epoch()
    signing.forget_epoch()

    def slow(execute: Any, *rest: Any) -> Any:
        now[0] += 5
        return execute(*rest)

    with connection.execute_wrapper(slow):
        assert signing.current_epoch() == ended
    SigningEpoch.objects.update(value=uuid4())  # by another process
    assert signing.current_epoch() != ended


def test_a_new_epoch_ends_all_tokens(tokens: dict[str, Any]) -> None:
    signing.renew_epoch()
    ApiClient(token=tokens["access"]).get("/user/me", expect=401)
    refresh(tokens["refresh"], expect=401)


def test_the_token_of_a_deleted_account_is_refused(user: User, tokens: dict[str, Any]) -> None:
    client = ApiClient(token=tokens["access"])
    client.delete(f"/users/@{user.handle}", expect=204)
    assert client.get("/user/me", expect=401)["code"] == "account_gone"
    refresh(tokens["refresh"], expect=401)
    User.objects.filter(pk=user.pk).delete()
    client.get("/user/me", expect=401)
    refresh(tokens["refresh"], expect=401)


def test_a_suspended_account_cannot_refresh(user: User, tokens: dict[str, Any]) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    ApiClient(token=tokens["access"]).get("/user/me", expect=401)
    refresh(tokens["refresh"], expect=401)


def test_the_stateless_class_asks_the_database_nothing(
    user: User, tokens: dict[str, Any], rf: Any, django_assert_num_queries: Any
) -> None:
    signing.current_epoch()
    request = rf.get("/", HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    with django_assert_num_queries(0):
        person, _ = StatelessAuthentication().authenticate(request)
    assert person.pk == user.pk
    assert person.is_authenticated
    assert not person.is_staff


def test_an_access_token_ends_with_its_session(tokens: dict[str, Any]) -> None:
    person = ApiClient(token=tokens["access"])
    handle = person.get("/user/me")["handle"]
    person.post("/user/signout", expect=204)
    assert person.get("/user/me", expect=401)["code"] == "session_ended"
    person.delete(f"/users/@{handle}", expect=401)
    assert User.objects.active().filter(handle=handle).exists()
