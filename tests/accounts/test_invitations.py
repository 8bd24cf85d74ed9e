"""Who may sign up: everybody, whoever brings an invitation, or nobody."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import hashers
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import Invitation, User
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

NEW = {"email": "ada@example.org", "password": "engine of 1843", "handle": "ada"}


def entering(number: int, **more: str) -> dict[str, str]:
    """What the person of a number enters."""
    return {**NEW, "email": f"ada{number}@example.org", "handle": f"ada{number}", **more}


@pytest.fixture
def by_invitation(settings: Any) -> None:
    settings.SIGNUP_MODE = "invite"


@pytest.fixture
def closed(settings: Any) -> None:
    settings.SIGNUP_MODE = "closed"


class TestOpen:
    def test_nobody_is_asked_for_an_invitation(self, client: Client, api: ApiClient) -> None:
        assert b'name="invitation"' not in client.get("/signup?invitation=x").content
        api.post("/user/signup", {**NEW, "invitation": "whatever"}, expect=201)
        assert User.objects.get().invitation is None


@pytest.mark.usefixtures("closed")
class TestClosed:
    def test_the_api_says_so(self, api: ApiClient) -> None:
        body = api.post("/user/signup", {**NEW, "invitation": services.invite().code}, expect=403)
        assert body["code"] == "sign_up_closed"
        assert not User.objects.exists()

    def test_the_page_says_so_and_has_no_form(self, client: Client) -> None:
        page = client.get("/signup").content.decode()
        assert "no new accounts" in page
        assert 'name="password"' not in page
        answer = client.post("/signup", NEW)
        assert answer.status_code == 403
        assert "no new accounts" in answer.content.decode()
        assert not User.objects.exists()

    def test_no_page_offers_to_sign_up(self, client: Client) -> None:
        for path in ("/signin", "/explore"):
            page = client.get(path).content.decode()
            offers = re.findall(r"<a\b[^>]*>", page)
            offers = [tag for tag in offers if 'href="/signup' in tag and " hidden" not in tag]
            assert offers == [], path

    def test_whoever_has_an_account_signs_in(self, api: ApiClient, user: User) -> None:
        user.set_password("engine of 1843")
        user.save()
        api.post("/user/signin", {"email": user.email, "password": "engine of 1843"})


@pytest.mark.usefixtures("by_invitation")
class TestByInvitation:
    def test_without_one_the_field_is_named(self, api: ApiClient) -> None:
        for body in (NEW, {**NEW, "invitation": " "}):
            answer = api.post("/user/signup", body, expect=400)
            assert answer["code"] == "invitation_required"
            assert answer["errors"]["invitation"][0]["code"] == "invitation_required"

    @pytest.mark.parametrize("kind", ["unknown", "used up", "too old"])
    def test_one_that_does_not_work_is_refused(self, api: ApiClient, kind: str) -> None:
        made = {
            "unknown": lambda: Invitation(code="not-one-of-ours"),
            "used up": lambda: Invitation.objects.create(used_count=1),
            "too old": lambda: services.invite(expires_at=timezone.now() - timedelta(seconds=1)),
        }[kind]()
        answer = api.post("/user/signup", {**NEW, "invitation": made.code}, expect=400)
        assert answer["code"] == "invitation_invalid"
        assert answer["errors"]["invitation"][0]["code"] == "invitation_invalid"
        assert not User.objects.exists()

    def test_one_that_works_is_used_up_and_remembered(self, api: ApiClient) -> None:
        invitation = services.invite(expires_at=timezone.now() + timedelta(days=1))
        body = {**NEW, "invitation": f" {invitation.code} "}
        api.post("/user/signup", body, expect=201)
        invitation.refresh_from_db()
        assert invitation.used_count == 1
        assert User.objects.get().invitation == invitation
        again = api.post("/user/signup", entering(2, invitation=invitation.code), expect=400)
        assert again["code"] == "invitation_invalid"

    def test_a_sign_up_that_fails_leaves_it_unused(self, api: ApiClient) -> None:
        UserFactory(handle="ada")
        invitation = services.invite()
        answer = api.post("/user/signup", {**NEW, "invitation": invitation.code}, expect=400)
        assert answer["errors"]["handle"][0]["code"] == "taken"
        api.post(
            "/user/signup", {**NEW, "password": "1", "invitation": invitation.code}, expect=400
        )
        invitation.refresh_from_db()
        assert invitation.used_count == 0

    def test_without_one_nothing_tells_whether_an_address_is_known(self, api: ApiClient) -> None:
        known = UserFactory(email=NEW["email"])
        answers = [
            api.post("/user/signup", {**NEW, "email": email, "invitation": code}, expect=400)
            for email in (known.email, "nobody@example.org")
            for code in ("", "not-one-of-ours")
        ]
        assert answers[:2] == answers[2:]

    def test_known_and_unknown_addresses_cost_the_same_hashing(
        self, api: ApiClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed: list[str] = []
        hasher = type(hashers.get_hasher())
        encode = hasher.encode

        def counted(self: Any, *args: Any) -> str:
            hashed.append("once")
            return str(encode(self, *args))

        known = UserFactory(email="known@example.org")
        monkeypatch.setattr(hasher, "encode", counted)
        code = services.invite(max_uses=2).code

        def price(email: str) -> int:
            hashed.clear()
            api.raw.post("/user/signup", {**NEW, "email": email, "invitation": code}, format="json")
            return len(hashed)

        assert price(known.email) == price("nobody@example.org") > 0

    def test_the_link_fills_in_the_code_and_the_page_signs_up(self, client: Client) -> None:
        invitation = services.invite()
        page = client.get("/signup", {"invitation": invitation.code}).content.decode()
        assert f'value="{invitation.code}"' in page
        answer = client.post("/signup", {**NEW, "name": "Ada", "invitation": invitation.code})
        assert answer.status_code == 302
        assert User.objects.get().invitation == invitation

    def test_a_link_that_is_too_old_says_so_before_anything_is_typed(self, client: Client) -> None:
        invitation = Invitation.objects.create(used_count=1)
        page = client.get("/signup", {"invitation": invitation.code}).content.decode()
        assert "This invitation does not work" in page

    def test_the_page_names_what_is_missing(self, client: Client) -> None:
        answer = client.post("/signup", NEW)
        assert answer.status_code == 400
        assert "You need an invitation" in answer.content.decode()

    def test_the_command_prints_a_link_that_works(
        self, client: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("make_invitation", uses=2, days=7, note="the choir")
        printed = capsys.readouterr()
        link = urlsplit(printed.out.strip())
        assert (link.path, printed.err) == ("/signup", "")
        [code] = parse_qs(link.query)["invitation"]
        invitation = Invitation.objects.get(code=code, note="the choir", max_uses=2)
        assert invitation.expires_at is not None
        assert invitation.expires_at > timezone.now() + timedelta(days=6)
        client.post("/signup", {**NEW, "invitation": code})
        assert User.objects.get().invitation == invitation


def test_the_command_refuses_nonsense_and_says_when_none_is_needed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for wrong in ({"uses": 0}, {"days": 0}, {"days": 4000}, {"note": "x" * 101}):
        with pytest.raises(CommandError):
            call_command("make_invitation", **wrong)
    assert not Invitation.objects.exists()
    call_command("make_invitation")
    assert "not asked for" in capsys.readouterr().err


def test_the_database_refuses_a_use_too_many() -> None:
    with pytest.raises(IntegrityError, match="invitation_not_overused"):
        Invitation.objects.create(max_uses=1, used_count=2)


@pytest.mark.usefixtures("by_invitation")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("uses", [1, 3])
def test_of_ten_sign_ups_at_the_same_moment_as_many_get_in_as_it_is_good_for(uses: int) -> None:
    invitation = services.invite(max_uses=uses)

    def enter(number: int) -> str:
        body = entering(number, invitation=invitation.code)
        answer = ApiClient().raw.post("/user/signup", body, format="json")
        return str(answer.json().get("code", answer.status_code))

    answers = at_once(*[lambda number=number: enter(number) for number in range(10)])
    assert sorted(answers) == ["201"] * uses + ["invitation_invalid"] * (10 - uses)
    invitation.refresh_from_db()
    assert invitation.used_count == uses
    assert invitation.people.count() == User.objects.count() == uses


@pytest.mark.django_db(transaction=True)
def test_an_administrator_who_was_invited_outlives_a_reset_of_the_demo() -> None:
    UserFactory(handle="boss", is_superuser=True, invitation=services.invite())
    call_command("reset_demo", empty=True, stdout=StringIO())
    assert User.objects.get().handle == "boss"
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("value", ["OPEN", "yes", ""])
def test_a_mode_that_is_none_stops_the_start_and_names_the_modes(value: str) -> None:
    environment = {
        **os.environ,
        "SIGN_UP": value,
        "DJANGO_SETTINGS_MODULE": "tiktok_clone.settings.base",
        "SECRET_KEY": "x" * 50,
        "DATABASE_URL": "postgres://x@127.0.0.1:9/x",
    }
    code = "import django; django.setup()"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "use one of open, invite, closed" in ended.stderr
