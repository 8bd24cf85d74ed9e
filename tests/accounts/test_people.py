"""GET /users/:email, the lists, and the suggestions."""

from typing import Any

import pytest

from accounts.models import Follow, User
from tests.api_client import ApiClient
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PUBLIC = {
    "id", "handle", "name", "bio", "avatar", "url", "is_private",
    "followers_count", "following_count", "videos_count", "likes_count",
}  # fmt: skip
RELATION = {"following", "requested", "followed_by", "muted", "blocked"}


def test_anybody_reads_basic_data_and_no_address(api: ApiClient, user: User) -> None:
    for reference in (f"@{user.handle}", f"@{user.handle.upper()}", user.email, user.email.upper()):
        body = api.get(f"/users/{reference}")
        assert set(body) == PUBLIC
        assert body["id"] == user.pk
        assert body["avatar"]
        assert user.email not in api.response.content.decode()


def test_somebody_signed_in_reads_how_they_relate(
    as_user: ApiClient, as_other: ApiClient, user: User, other: User
) -> None:
    as_other.post(f"/users/@{user.handle}/follow")
    body = as_user.get(f"/users/@{other.handle}")
    assert set(body) == PUBLIC | RELATION
    assert (body["following"], body["followed_by"], body["blocked"]) == (False, True, False)


def test_unknown_hidden_and_gone_people_get_the_same_answer(as_user: ApiClient, user: User) -> None:
    hidden = UserFactory(findable_by_email=False)
    gone = UserFactory(is_active=False)
    blocker = UserFactory()
    ApiClient(blocker).post(f"/users/@{user.handle}/block")
    answers = [
        as_user.get(f"/users/{reference}", expect=404)
        for reference in (
            "nobody@example.org",
            "@nobody",
            "nonsense",
            "a%00b",
            hidden.email,
            gone.email,
            f"@{gone.handle}",
            blocker.email,
            f"@{blocker.handle}",
        )
    ]
    assert all(answer == answers[0] for answer in answers)
    assert as_user.get(f"/users/@{hidden.handle}")["id"] == hidden.pk


def test_unknown_options_are_named(api: ApiClient, user: User) -> None:
    body = api.get(f"/users/@{user.handle}?colour=red", expect=400)
    assert "colour" in body["errors"]


def test_lists_are_paged_by_cursor_without_a_gap_or_a_repeat(api: ApiClient, user: User) -> None:
    fans = [UserFactory() for _ in range(7)]
    for fan in fans:
        ApiClient(fan).post(f"/users/@{user.handle}/follow")
    seen, path = [], f"/users/@{user.handle}/followers?limit=3"
    while path:
        page = api.get(path)
        seen += [person["handle"] for person in page["results"]]
        path = page["next"]
    assert seen == [fan.handle for fan in reversed(fans)]
    following = api.get(f"/users/@{fans[0].handle}/following")["results"]
    assert [person["handle"] for person in following] == [user.handle]


@pytest.mark.parametrize("limit", ["0", "51", "x", "-1"])
def test_a_limit_out_of_range_is_refused(api: ApiClient, user: User, limit: str) -> None:
    api.get(f"/users/@{user.handle}/followers?limit={limit}", expect=400)


def test_the_lists_of_a_private_account_are_for_its_followers(
    as_user: ApiClient, api: ApiClient, user: User
) -> None:
    shy = UserFactory(is_private=True)
    path = f"/users/@{shy.handle}/followers"
    api.get(path, expect=403)
    as_user.get(path, expect=403)
    ApiClient(shy).get(path)
    Follow.objects.create(follower=user, followee=shy)
    assert len(as_user.get(path)["results"]) == 1


@pytest.mark.parametrize("kind", ["followers", "following"])
def test_a_list_takes_the_same_queries_however_long(
    as_user: ApiClient, user: User, kind: str, django_assert_num_queries: Any
) -> None:
    star = UserFactory()
    for number in range(1, 9):
        fan = UserFactory()
        one, two = (fan, star) if kind == "followers" else (star, fan)
        ApiClient(one).post(f"/users/@{two.handle}/follow")
        if number in (2, 8):
            # the person, a block between us, the page, and how we relate
            with django_assert_num_queries(4):
                assert len(as_user.get(f"/users/@{star.handle}/{kind}")["results"]) == number


def test_suggestions_are_people_one_does_not_follow_yet(
    as_user: ApiClient, user: User, other: User, django_assert_num_queries: Any
) -> None:
    popular, friend_of_friend, private = (
        UserFactory(followers_count=50),
        UserFactory(followers_count=1),
        UserFactory(is_private=True, followers_count=99),
    )
    as_user.post(f"/users/@{other.handle}/follow")
    ApiClient(other).post(f"/users/@{friend_of_friend.handle}/follow")
    with django_assert_num_queries(5):
        found = as_user.get("/user/suggestions")["results"]
    assert [person["handle"] for person in found] == [friend_of_friend.handle, popular.handle]
    assert [person["mutual_count"] for person in found] == [1, 0]
    assert private.handle not in str(found)
