"""POST and DELETE /users/:email/follow, alone and in races."""

from typing import Any

import pytest

from accounts import signals
from accounts.models import Block, Follow, Friendship, User
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import UserFactory, block

pytestmark = pytest.mark.django_db


def assert_counts_are_exact() -> None:
    """Every counter equals its rows; friendships are exactly the mutual follows."""
    for person in User.objects.all():
        assert person.followers_count == Follow.objects.filter(followee=person).count()
        assert person.following_count == Follow.objects.filter(follower=person).count()
    pairs = set(Follow.objects.values_list("follower", "followee"))
    mutual = {(one, other) for one, other in pairs if one < other and (other, one) in pairs}
    assert set(Friendship.objects.values_list("low", "high")) == mutual


def test_following_twice_is_following_once(as_user: ApiClient, user: User, other: User) -> None:
    for _ in range(2):
        state = as_user.post(f"/users/@{other.handle}/follow")
        assert state == {"following": True, "requested": False, "followers_count": 1}
    for _ in range(2):
        state = as_user.delete(f"/users/@{other.handle}/follow")
        assert state == {"following": False, "requested": False, "followers_count": 0}
    assert_counts_are_exact()


def test_people_who_follow_each_other_are_friends_until_one_stops(
    as_user: ApiClient, as_other: ApiClient, user: User, other: User
) -> None:
    as_user.post(f"/users/{other.email}/follow")
    assert not Friendship.objects.exists()
    as_other.post(f"/users/@{user.handle}/follow")
    assert Friendship.objects.between(user.pk, other.pk).count() == 1
    as_user.delete(f"/users/@{other.handle}/follow")
    assert not Friendship.objects.exists()
    assert_counts_are_exact()


def test_nobody_follows_themselves(as_user: ApiClient, user: User) -> None:
    body = as_user.post(f"/users/@{user.handle}/follow", expect=400)
    assert body["code"] == "cannot_follow_yourself"


def test_a_block_in_either_direction_stands_in_the_way(
    as_user: ApiClient, as_other: ApiClient, user: User, other: User
) -> None:
    block(user, other)
    as_user.post(f"/users/@{other.handle}/follow", expect=404)
    as_other.post(f"/users/@{user.handle}/follow", expect=404)
    assert_counts_are_exact()


def test_people_who_are_not_there_cannot_be_followed(as_user: ApiClient) -> None:
    gone = UserFactory(is_active=False)
    as_user.post(f"/users/@{gone.handle}/follow", expect=404)
    as_user.post("/users/@nobody/follow", expect=404)
    ApiClient().post("/users/@nobody/follow", expect=401)


def test_news_is_sent_once_for_each_change(as_user: ApiClient, user: User, other: User) -> None:
    heard: list[str] = []

    def note(name: str) -> Any:
        def receive(**_: Any) -> None:
            heard.append(name)

        return receive

    receivers = [
        (signal, note(name))
        for name, signal in vars(signals).items()
        if name.startswith("user_") and "follow" in name
    ]
    for signal, receive in receivers:
        signal.connect(receive)
    try:
        for method in (as_user.post, as_user.post, as_user.delete, as_user.delete):
            method(f"/users/@{other.handle}/follow")
    finally:
        for signal, receive in receivers:
            signal.disconnect(receive)
    assert heard == ["user_followed", "user_unfollowed"]


@pytest.mark.django_db(transaction=True)
def test_two_people_who_follow_each_other_at_the_same_moment_end_as_friends() -> None:
    for _ in range(15):
        one, other = UserFactory(), UserFactory()
        results = at_once(
            lambda one=one, other=other: ApiClient(one).post(f"/users/@{other.handle}/follow"),
            lambda one=one, other=other: ApiClient(other).post(f"/users/@{one.handle}/follow"),
        )
        assert all(state["following"] for state in results), results
        assert Friendship.objects.between(one.pk, other.pk).count() == 1
    assert_counts_are_exact()


@pytest.mark.django_db(transaction=True)
def test_one_person_who_follows_from_many_clients_follows_once() -> None:
    user, other = UserFactory(), UserFactory()
    results = at_once(*[lambda: ApiClient(user).post(f"/users/@{other.handle}/follow")] * 8)
    assert all(state["following"] and state["followers_count"] == 1 for state in results), results
    assert Follow.objects.count() == 1
    assert_counts_are_exact()


@pytest.mark.django_db(transaction=True)
def test_follows_unfollows_and_blocks_at_random_keep_every_count_exact() -> None:
    persons = [UserFactory() for _ in range(4)]

    def act(number: int) -> None:
        one = persons[number % 4]
        other = persons[(number + 1 + number // 4 % 3) % 4]
        client = ApiClient(one)
        for step in range(6):
            method = (client.raw.post, client.raw.delete)[(number + step) % 2]
            kind = "block" if (number + step) % 7 == 0 else "follow"
            assert method(f"/users/@{other.handle}/{kind}").status_code in (200, 404)

    results = at_once(*[lambda number=number: act(number) for number in range(12)])
    assert results == [None] * 12
    assert_counts_are_exact()
    blocked = set(Block.objects.values_list("blocker", "blocked"))
    follows = set(Follow.objects.values_list("follower", "followee"))
    assert not follows & (blocked | {(other, one) for one, other in blocked})
