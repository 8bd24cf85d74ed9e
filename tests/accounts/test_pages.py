"""The account pages, without JavaScript."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Block, Follow, Session, User
from tests.accounts.test_profile import picture
from tests.api_client import ApiClient
from tests.factories import PASSWORD, UserFactory, block

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(user: User) -> Client:
    """A browser of `user`, with CSRF checks as in production left to their own test."""
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    """The page's source."""
    return str(response.content.decode())


def test_signing_up_signs_in_and_goes_to_the_feed(client: Client) -> None:
    assert client.get("/signup").status_code == 200
    body = {"email": "ada@example.org", "handle": "ada", "name": "Ada", "password": PASSWORD}
    response = client.post("/signup", body)
    assert (response.status_code, response["Location"]) == (302, reverse("feed"))
    assert client.get("/settings").status_code == 200
    assert Session.objects.live().filter(user__handle="ada", kind="browser").count() == 1
    assert client.get("/signup").status_code == 302


def test_each_wrong_field_says_what_is_wrong(client: Client, user: User) -> None:
    body = {"email": user.email, "handle": "ok.handle", "password": PASSWORD}
    response = client.post("/signup", body)
    assert response.status_code == 400
    assert "There is an account with this address" in text(response)
    response = client.post("/signup", {"email": "x", "handle": "-", "password": "1"})
    for words in ("complete e-mail", "Use 2 to 24", "too short"):
        assert words in text(response)
    assert PASSWORD not in text(response)


def test_signing_in_goes_where_one_wanted_to(client: Client, user: User) -> None:
    response = client.get("/settings/privacy")
    assert response["Location"] == "/signin?next=/settings/privacy"
    assert 'value="/settings/privacy"' in text(client.get(response["Location"]))
    body = {"email": user.email, "password": PASSWORD, "next": "/settings/privacy"}
    assert client.post("/signin", body)["Location"] == "/settings/privacy"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "x",
        "\thttps://evil.example",
    ],
)
def test_nobody_is_sent_to_another_site(client: Client, user: User, target: str) -> None:
    body = {"email": user.email, "password": PASSWORD, "next": target}
    assert client.post("/signin", body)["Location"] == reverse("feed")
    assert client.get("/signin", {"next": target})["Location"] == reverse("feed")
    other = UserFactory()
    response = client.post(f"/@{other.handle}/follow", {"action": "follow", "next": target})
    assert response["Location"] == f"/@{other.handle}"


def test_a_wrong_password_says_one_sentence(client: Client, user: User) -> None:
    response = client.post("/signin", {"email": user.email, "password": "wrong"})
    assert response.status_code == 401
    assert "The e-mail address or the password is wrong." in text(response)


def test_forms_are_protected_against_other_sites(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    body = {"email": user.email, "password": PASSWORD}
    assert client.post("/signin", body).status_code == 403


def test_signing_out_needs_a_post(reader: Client) -> None:
    assert reader.get("/signout").status_code == 405
    assert reader.post("/signout").status_code == 302
    assert reader.get("/settings").status_code == 302


def test_a_profile_shows_counts_and_loads_its_grid(client: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(followers_count=1234, bio="<b>hello</b>")
    source = text(client.get(f"/@{user.handle}"))
    assert "1.2K" in source
    assert "&lt;b&gt;hello" in source
    grid = reverse("profile-videos", args=[user.handle])
    assert f'data-hx-get="{grid}?tab=videos"' in source
    assert f'href="{grid}?tab=videos"' in source
    assert user.email not in source


def test_liked_and_saved_are_tabs_of_ones_own(reader: Client, user: User, other: User) -> None:
    for person, shown in ((user, "saved"), (other, "videos")):
        grid = reverse("profile-videos", args=[person.handle])
        source = text(reader.get(f"/@{person.handle}?tab=saved"))
        assert f'data-hx-get="{grid}?tab={shown}"' in source


def test_a_private_profile_hides_its_grid_from_strangers(reader: Client, other: User) -> None:
    User.objects.filter(pk=other.pk).update(is_private=True)
    source = text(reader.get(f"/@{other.handle}"))
    assert "This account is private" in source
    assert "/videos?tab" not in source
    assert "private" in text(reader.get(f"/@{other.handle}/followers"))


@pytest.mark.parametrize("path", ["", "/followers", "/following"])
def test_who_is_blocked_sees_that_nobody_is_there(
    reader: Client, user: User, other: User, path: str
) -> None:
    block(other, user)
    assert reader.get(f"/@{other.handle}{path}").status_code == 404
    assert reader.get(f"/@nobody{path}").status_code == 404
    assert reader.get(f"/@no%00body{path}").status_code == 404


def test_the_follow_button_is_a_form(reader: Client, user: User, other: User) -> None:
    path = f"/@{other.handle}"
    assert f'action="{path}/follow"' in text(reader.get(path))
    response = reader.post(f"{path}/follow", {"action": "follow", "next": "/people"})
    assert response["Location"] == "/people"
    assert Follow.objects.filter(follower=user, followee=other).exists()
    assert 'value="unfollow"' in text(reader.get(path))
    reader.post(f"{path}/follow", {"action": "unfollow"})
    assert not Follow.objects.exists()


def test_a_visitor_who_follows_is_asked_to_sign_in(client: Client, other: User) -> None:
    response = client.post(f"/@{other.handle}/follow", {"action": "follow"})
    assert response["Location"].startswith("/signin?next=")
    assert client.get(f"/@{other.handle}/follow").status_code == 405


def test_a_private_account_is_asked(reader: Client) -> None:
    shy = UserFactory(is_private=True)
    response = reader.post(f"/@{shy.handle}/follow", {"action": "follow"}, follow=True)
    assert "You have asked to follow it." in text(response)


def test_blocking_and_unblocking(reader: Client, user: User, other: User) -> None:
    path = f"/@{other.handle}"
    assert "Block @" in text(reader.get(path))
    assert "You blocked this person" in text(
        reader.post(f"{path}/block", {"action": "block"}, follow=True)
    )
    assert other.handle in text(reader.get("/settings/people"))
    reader.post(f"{path}/block", {"action": "unblock"})
    assert not Block.objects.exists()


@pytest.mark.parametrize("kind", ["followers", "following"])
def test_lists_of_people_are_paged_and_take_the_same_queries(
    reader: Client, user: User, kind: str, django_assert_max_num_queries: Any
) -> None:
    star = UserFactory()
    for _ in range(31):
        one, two = (UserFactory(), star) if kind == "followers" else (star, UserFactory())
        Follow.objects.create(follower=one, followee=two)
    reader.get(f"/@{star.handle}/{kind}")
    # session, reader, person, block, count, page, how we relate, and what is unread; the epoch of
    # signatures once a second
    with django_assert_max_num_queries(9):
        response = reader.get(f"/@{star.handle}/{kind}")
    assert text(response).count('class="person"') == 30
    assert 'href="?page=2"' in text(response)
    assert text(reader.get(f"/@{star.handle}/{kind}?page=2")).count('class="person"') == 1
    assert reader.get(f"/@{star.handle}/{kind}?page=x").status_code == 200


def test_people_to_follow(reader: Client, other: User) -> None:
    assert f"@{other.handle}" in text(reader.get("/people"))


def test_the_profile_is_edited_with_a_picture(reader: Client, user: User) -> None:
    body = {"name": "New Name", "handle": user.handle, "bio": "Line\r\nbreak"}
    response = reader.post("/settings", {**body, "avatar": picture()})
    assert response.status_code == 302
    user.refresh_from_db()
    assert (user.name, user.bio) == ("New Name", "Line\nbreak")
    assert user.avatar
    assert user.avatar_url in text(reader.get("/settings"))
    reader.post("/settings", {**body, "remove_avatar": "on"})
    user.refresh_from_db()
    assert user.avatar == ""


def test_a_taken_handle_is_said_at_its_field(reader: Client, user: User, other: User) -> None:
    response = reader.post("/settings", {"name": "x", "handle": other.handle, "bio": ""})
    assert response.status_code == 400
    assert "This handle is taken" in text(response)


def test_privacy_is_switched_on_and_off(reader: Client, user: User) -> None:
    reader.post("/settings/privacy", {"is_private": "on"})
    user.refresh_from_db()
    assert (user.is_private, user.findable_by_email) == (True, False)
    reader.post("/settings/privacy", {})
    user.refresh_from_db()
    assert (user.is_private, user.findable_by_email) == (False, False)


def test_sessions_are_seen_and_ended(reader: Client, user: User) -> None:
    ApiClient().post("/user/signin", {"email": user.email, "password": PASSWORD})
    row = Session.objects.get(kind="api")
    source = text(reader.get("/settings/security"))
    assert f"/settings/sessions/{row.pk}/end" in source
    assert "Here" in source
    reader.post(f"/settings/sessions/{row.pk}/end")
    assert Session.objects.live().get().kind == "browser"
    stranger = Session.objects.create(user=UserFactory(), kind="api")
    assert reader.post(f"/settings/sessions/{stranger.pk}/end").status_code == 404
    assert reader.post("/settings/sessions/all/end")["Location"] == "/signin"
    assert reader.get("/settings").status_code == 302


def test_deleting_the_account_asks_for_the_password(reader: Client, user: User) -> None:
    response = reader.post("/settings/delete", {"password": "wrong"})
    assert response.status_code == 400
    assert "This is not your password." in text(response)
    assert reader.post("/settings/delete", {"password": PASSWORD}).status_code == 302
    user.refresh_from_db()
    assert user.is_deleted
    assert reader.get("/settings").status_code == 302
    assert reader.get(f"/@{user.handle}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/settings",
        "/settings/privacy",
        "/settings/security",
        "/settings/playback",
        "/settings/delete",
        "/people",
    ],
)
def test_own_pages_are_for_people_who_are_signed_in(
    client: Client, reader: Client, path: str
) -> None:
    assert client.get(path)["Location"] == f"/signin?next={path}"
    response = reader.get(path)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_the_administration_lists_people_in_a_fixed_number_of_queries(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    for _ in range(12):
        UserFactory()
    with django_assert_max_num_queries(9):
        response = client.get("/admin/accounts/user/", {"q": "person"})
    assert response.status_code == 200
    assert client.get("/admin/accounts/session/").status_code == 200
    person = User.objects.order_by("pk").last()
    assert person
    assert client.get(f"/admin/accounts/user/{person.pk}/change/").status_code == 200
    assert client.get("/admin/accounts/user/add/").status_code == 200
