"""Limits, with rates of their own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from accounts import throttling
from accounts.clients import Client, client_of
from accounts.models import ThrottleCount, User
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import PASSWORD, UserFactory
from tiktok_clone.common.errors import DomainError

pytestmark = pytest.mark.django_db
Limit = Callable[..., None]
WRONG = {"email": "nobody@example.org", "password": "wrong"}


def test_sign_in_by_network(api: ApiClient, user: User, limit: Limit) -> None:
    limit(signin_ip=(2, 300))
    for _ in range(2):
        api.post("/user/signin", WRONG, expect=401)
    body = {"email": user.email, "password": PASSWORD}
    answer = api.post("/user/signin", body, expect=429)
    assert answer["code"] == "throttled"
    assert 0 < int(api.response.headers["Retry-After"]) <= 300
    api.post("/user/signin", body, REMOTE_ADDR="10.0.0.2")


def test_sign_in_by_address_from_everywhere(api: ApiClient, user: User, limit: Limit) -> None:
    limit(signin_email=(2, 3600))
    for number, email in enumerate((user.email, user.email.upper())):
        api.post(
            "/user/signin", {**WRONG, "email": email}, expect=401, REMOTE_ADDR=f"10.0.0.{number}"
        )
    body = {"email": user.email, "password": PASSWORD}
    api.post("/user/signin", body, expect=429, REMOTE_ADDR="10.0.0.9")
    api.post("/user/signin", WRONG, expect=401)


def test_sign_up_counts_what_could_succeed(api: ApiClient, limit: Limit) -> None:
    limit(signup_ip=(1, 1800))
    body = {"email": "a@example.org", "handle": "aa", "password": PASSWORD}
    for _ in range(3):
        api.post("/user/signup", {**body, "password": "short"}, expect=400)
    api.post("/user/signup", body, expect=201)
    api.post("/user/signup", {**body, "handle": "bb"}, expect=429)


def test_looking_people_up_by_address(
    api: ApiClient, as_user: ApiClient, user: User, other: User, limit: Limit
) -> None:
    limit(lookup_ip=(1, 3600), lookup_user=(2, 3600))
    api.get(f"/users/{other.email}")
    api.get("/users/nobody@example.org", expect=429)
    api.get(f"/users/@{other.handle}")
    for _ in range(3):
        as_user.get(f"/users/{user.email}")
    as_user.get(f"/users/{other.email}")
    as_user.get("/users/nobody@example.org", expect=404)
    as_user.get(f"/users/{other.email}", expect=429)
    as_user.get(f"/users/@{other.handle}")


def test_people_who_are_not_signed_in(api: ApiClient, as_user: ApiClient, limit: Limit) -> None:
    limit(anonymous_ip=(2, 300))
    person = UserFactory()
    for _ in range(2):
        api.get(f"/users/@{person.handle}")
    assert api.get(f"/users/@{person.handle}", expect=429)["code"] == "throttled"
    assert int(api.response.headers["Retry-After"]) > 0
    as_user.get(f"/users/@{person.handle}")


def test_asking_for_a_link(api: ApiClient, limit: Limit) -> None:
    limit(password_reset_ip=(1, 3600))
    api.post("/user/password/reset", {"email": "a@example.org"}, expect=202)
    api.post("/user/password/reset", {"email": "b@example.org"}, expect=429)
    api.post("/user/password/reset", {"email": "a@example.org"}, expect=429, REMOTE_ADDR="10.0.0.2")


def test_guessing_the_present_password(as_user: ApiClient, limit: Limit) -> None:
    limit(signin_email=(1, 3600))
    body = {"current_password": "guess", "new_password": "another good one"}
    as_user.post("/user/password", body, expect=400)
    as_user.post("/user/password", body, expect=429)


def test_the_page_says_when_to_come_back(limit: Limit) -> None:
    limit(signin_ip=(0, 300))
    response = Browser().post("/signin", WRONG)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Too many attempts" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_many_simultaneous_requests_exactly_the_limit_passes(limit: Limit) -> None:
    limit(signin_ip=(5, 300))
    verdicts = at_once(*[lambda: throttling.count("signin_ip", "10.0.0.1").allowed] * 24)
    assert sorted(verdicts) == [False] * 19 + [True] * 5
    assert ThrottleCount.objects.get().count == 24


def test_the_rows_name_nobody(user: User) -> None:
    throttling.check("signin_email", user.email)
    assert user.email not in ThrottleCount.objects.get().key


def test_the_next_window_begins_anew(limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(signin_ip=(1, 300))
    throttling.check("signin_ip", "10.0.0.1")
    with pytest.raises(DomainError) as refused:
        throttling.check("signin_ip", "10.0.0.1")
    wait = refused.value.retry_after
    now = throttling.time.time()
    monkeypatch.setattr(throttling.time, "time", lambda: now + wait)
    throttling.check("signin_ip", "10.0.0.1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
    ],
)
def test_an_ipv6_customer_is_a_64(address: str, network: str) -> None:
    assert Client(ip=address).network == network


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (1, "", "9.9.9.9"),
        (2, "1.1.1.1", "9.9.9.9"),
        (1, "nonsense", ""),
    ],
)
def test_forwarded_addresses_are_believed_as_far_as_proxies_are_trusted(
    rf: Any, settings: Any, proxies: int, forwarded: str, seen: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    extra = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert client_of(rf.get("/", REMOTE_ADDR="9.9.9.9", **extra)).ip == seen
