"""Muting, hidden lists, and the lists of whom one mutes and blocks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Mute, User
from tests.api_client import ApiClient
from tests.factories import CommentFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


def test_muting_is_idempotent_and_shows_in_the_relation(
    as_user: ApiClient, as_other: ApiClient, user: User, other: User
) -> None:
    for _ in range(2):
        assert as_user.post(f"/users/@{other.handle}/mute") == {"muted": True}
    assert Mute.objects.count() == 1
    assert as_user.get(f"/users/@{other.handle}")["muted"] is True
    assert as_other.get(f"/users/@{user.handle}")["muted"] is False
    for _ in range(2):
        assert as_user.delete(f"/users/@{other.handle}/mute") == {"muted": False}
    assert not Mute.objects.exists()


def test_nobody_mutes_themselves(as_user: ApiClient, user: User) -> None:
    body = as_user.post(f"/users/@{user.handle}/mute", expect=400)
    assert body["code"] == "cannot_mute_yourself"


def test_comments_of_muted_people_are_hidden_from_the_muter_alone(
    as_user: ApiClient, api: ApiClient, other: User
) -> None:
    video = VideoFactory()
    CommentFactory(video=video, author=other)
    as_user.post(f"/users/@{other.handle}/mute")
    path = f"/videos/{video.pk}/comments"
    assert as_user.get(path)["results"] == []
    assert len(api.get(path)["results"]) == 1


def test_what_muted_people_posted_stays_where_one_goes_to_look_for_it(
    as_user: ApiClient, other: User
) -> None:
    video = VideoFactory(author=other)
    as_user.post(f"/users/@{other.handle}/mute")
    assert as_user.get(f"/videos/{video.pk}")["id"] == video.pk
    assert len(as_user.get(f"/users/@{other.handle}/videos")["results"]) == 1


@pytest.mark.parametrize("kind", ["mute", "block"])
def test_own_lists_hold_the_latest_first_in_the_same_queries(
    as_user: ApiClient, kind: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    handles: list[str] = []
    for number in range(1, 6):
        person = UserFactory()
        as_user.post(f"/users/@{person.handle}/{kind}")
        handles.insert(0, person.handle)
        if number in (2, 5):
            with django_assert_num_queries(2):
                page = as_user.get(f"/user/{kind}d" if kind == "mute" else "/user/blocked")
            assert [one["handle"] for one in page["results"]] == handles


@pytest.mark.parametrize("kind", ["followers", "following"])
def test_hidden_lists_are_for_their_owner_alone(as_user: ApiClient, user: User, kind: str) -> None:
    star = UserFactory()
    as_user.post(f"/users/@{star.handle}/follow")
    ApiClient(star).patch(f"/users/@{star.handle}", {"follows_hidden": True})
    body = as_user.get(f"/users/@{star.handle}/{kind}", expect=403)
    assert body["code"] == "lists_hidden"
    assert as_user.get(f"/users/@{star.handle}")["followers_count"] == 1
    ApiClient(star).get(f"/users/@{star.handle}/{kind}")


def test_who_blocks_the_muter_is_not_listed(
    as_user: ApiClient, as_other: ApiClient, user: User, other: User
) -> None:
    as_user.post(f"/users/@{other.handle}/mute")
    as_other.post(f"/users/@{user.handle}/block")
    as_user.get(f"/users/@{other.handle}", expect=404)
    assert as_user.get("/user/muted")["results"] == []
    as_other.delete(f"/users/@{user.handle}/block")
    assert len(as_user.get("/user/muted")["results"]) == 1


def test_first_replies_of_muted_people_are_hidden_on_the_page(
    client: Client, user: User, other: User
) -> None:
    root = CommentFactory(replies_count=1)
    CommentFactory(video=root.video, parent=root, author=other)
    Mute.objects.create(muter=user, muted=other)
    page = f"{root.video.get_absolute_url()}/comments"
    (shown,) = client.get(page).context["comments"]
    assert len(shown["replies"]) == 1
    client.force_login(user)
    (shown,) = client.get(page).context["comments"]
    assert shown["replies"] == []
