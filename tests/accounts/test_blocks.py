"""POST and DELETE /users/:email/block."""

import pytest

from accounts.models import Block, Follow, Friendship, User
from tests.api_client import ApiClient
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def friends(user: User, other: User) -> None:
    """`user` and `other` follow each other."""
    ApiClient(user).post(f"/users/@{other.handle}/follow")
    ApiClient(other).post(f"/users/@{user.handle}/follow")


@pytest.mark.usefixtures("friends")
def test_a_block_ends_follows_in_both_directions_and_the_friendship(
    as_user: ApiClient, user: User, other: User
) -> None:
    for _ in range(2):
        assert as_user.post(f"/users/@{other.handle}/block") == {"blocked": True}
    assert not Follow.objects.exists()
    assert not Friendship.objects.exists()
    assert Block.objects.count() == 1
    for person in (user, other):
        person.refresh_from_db()
        assert (person.followers_count, person.following_count) == (0, 0)


def test_who_is_blocked_finds_the_blocker_nowhere(
    as_user: ApiClient, as_other: ApiClient, user: User, other: User
) -> None:
    third = UserFactory()
    as_user.post(f"/users/@{third.handle}/follow")
    as_user.post(f"/users/@{other.handle}/block")
    unknown = as_other.get("/users/@nobody", expect=404)
    for path in (
        f"/users/@{user.handle}",
        f"/users/{user.email}",
        f"/users/@{user.handle}/followers",
        f"/users/@{user.handle}/following",
    ):
        assert as_other.get(path, expect=404) == unknown
    assert as_other.get(f"/users/@{third.handle}/followers")["results"] == []
    handles = [person["handle"] for person in as_other.get("/user/suggestions")["results"]]
    assert handles == [third.handle]


def test_the_blocker_sees_whom_to_unblock_but_not_in_lists(
    as_user: ApiClient, user: User, other: User
) -> None:
    third = UserFactory()
    ApiClient(other).post(f"/users/@{third.handle}/follow")
    as_user.post(f"/users/@{other.handle}/block")
    assert as_user.get(f"/users/@{other.handle}")["blocked"] is True
    as_user.get(f"/users/@{other.handle}/following", expect=404)
    assert as_user.get(f"/users/@{third.handle}/followers")["results"] == []
    for _ in range(2):
        assert as_user.delete(f"/users/@{other.handle}/block") == {"blocked": False}
    assert as_user.get(f"/users/@{other.handle}")["blocked"] is False


def test_nobody_blocks_themselves(as_user: ApiClient, user: User) -> None:
    body = as_user.post(f"/users/@{user.handle}/block", expect=400)
    assert body["code"] == "cannot_block_yourself"


def test_a_visitor_blocks_nobody(api: ApiClient, user: User) -> None:
    api.post(f"/users/@{user.handle}/block", expect=401)
