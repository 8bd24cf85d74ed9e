"""Follow requests to private accounts: asked, answered, taken back, and in races."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services, signals
from accounts.models import Block, Follow, FollowRequest, Friendship, User
from tests.accounts.racing import at_once
from tests.accounts.test_follow import assert_counts_are_exact
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import UserFactory, VideoFactory, block
from tiktok_clone.common.errors import DomainError

pytestmark = pytest.mark.django_db


@pytest.fixture
def shy(db: None) -> User:
    """A private account."""
    return UserFactory(is_private=True)


@pytest.fixture
def as_shy(shy: User) -> ApiClient:
    """The API, signed in as the private account."""
    return ApiClient(shy)


def ask(client: ApiClient, target: User) -> dict[str, Any]:
    state: dict[str, Any] = client.post(f"/users/@{target.handle}/follow")
    return state


def only_request(client: ApiClient) -> dict[str, Any]:
    (request,) = client.get("/user/requests")["results"]
    return request  # type: ignore[no-any-return]


def test_following_a_private_account_asks_it_once(
    as_user: ApiClient, as_shy: ApiClient, user: User, shy: User
) -> None:
    for _ in range(2):
        assert ask(as_user, shy) == {"following": False, "requested": True, "followers_count": 0}
    assert only_request(as_shy)["person"]["handle"] == user.handle
    assert as_user.get(f"/users/@{shy.handle}")["requested"] is True
    assert not Follow.objects.exists()


def test_nothing_is_seen_before_the_answer_and_all_is_after(
    as_user: ApiClient, as_shy: ApiClient, shy: User
) -> None:
    video = VideoFactory(author=shy)
    ask(as_user, shy)
    as_user.get(f"/videos/{video.pk}", expect=404)
    as_shy.post(f"/user/requests/{only_request(as_shy)['id']}/accept", expect=204)
    as_user.get(f"/videos/{video.pk}")
    state = as_user.get(f"/users/@{shy.handle}")
    assert (state["following"], state["requested"], state["followers_count"]) == (True, False, 1)
    assert as_shy.get("/user/requests")["results"] == []
    assert_counts_are_exact()


def test_an_answer_with_no_leaves_nothing_and_may_be_asked_again(
    as_user: ApiClient, as_shy: ApiClient, shy: User
) -> None:
    ask(as_user, shy)
    request = only_request(as_shy)["id"]
    as_shy.post(f"/user/requests/{request}/decline", expect=204)
    as_shy.post(f"/user/requests/{request}/decline", expect=404)
    as_shy.post(f"/user/requests/{request}/accept", expect=404)
    assert as_user.get(f"/users/@{shy.handle}")["requested"] is False
    assert ask(as_user, shy)["requested"] is True


def test_a_request_is_taken_back_by_unfollowing(
    as_user: ApiClient, as_shy: ApiClient, shy: User
) -> None:
    ask(as_user, shy)
    request = only_request(as_shy)["id"]
    assert as_user.delete(f"/users/@{shy.handle}/follow")["requested"] is False
    as_shy.post(f"/user/requests/{request}/accept", expect=404)
    assert not Follow.objects.exists()


def test_nobody_answers_the_requests_of_others(
    as_user: ApiClient, as_other: ApiClient, as_shy: ApiClient, shy: User
) -> None:
    ask(as_user, shy)
    request = only_request(as_shy)["id"]
    for client in (as_user, as_other):
        client.post(f"/user/requests/{request}/accept", expect=404)
        client.post(f"/user/requests/{request}/decline", expect=404)
    assert FollowRequest.objects.count() == 1


def test_accepting_somebody_whom_one_follows_makes_friends(
    as_user: ApiClient, as_shy: ApiClient, user: User, shy: User
) -> None:
    ask(as_shy, user)
    ask(as_user, shy)
    as_shy.post(f"/user/requests/{only_request(as_shy)['id']}/accept", expect=204)
    assert Friendship.objects.between(user.pk, shy.pk).count() == 1
    assert_counts_are_exact()


@pytest.mark.parametrize("by_the_asked", [True, False])
def test_a_block_ends_requests_in_both_directions(
    user: User, shy: User, *, by_the_asked: bool
) -> None:
    User.objects.filter(pk=user.pk).update(is_private=True)
    ask(ApiClient(user), shy)
    ask(ApiClient(shy), user)
    blocker, blocked = (shy, user) if by_the_asked else (user, shy)
    services.block(blocker, blocked)
    assert not FollowRequest.objects.exists()


def test_requests_of_people_who_are_gone_or_blocked_are_not_listed(
    as_shy: ApiClient, shy: User
) -> None:
    gone, blocked = UserFactory(), UserFactory()
    for person in (gone, blocked):
        ask(ApiClient(person), shy)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    block(blocked, shy)
    assert as_shy.get("/user/requests")["results"] == []


def test_who_asked_and_was_suspended_is_not_let_in(as_shy: ApiClient, shy: User) -> None:
    gone = UserFactory()
    ask(ApiClient(gone), shy)
    request = only_request(as_shy)["id"]
    User.objects.filter(pk=gone.pk).update(is_active=False)
    as_shy.post(f"/user/requests/{request}/accept", expect=404)
    assert not Follow.objects.exists()


@pytest.mark.parametrize("who", ["requester", "target"])
def test_a_deleted_account_asks_nobody_and_is_asked_by_nobody(
    as_user: ApiClient, user: User, shy: User, who: str
) -> None:
    ask(as_user, shy)
    services.delete_account({"requester": user, "target": shy}[who])
    assert not FollowRequest.objects.exists()
    with pytest.raises(DomainError):
        services.follow(user, shy)
    assert not FollowRequest.objects.exists()


def test_news_of_requests_is_sent_once_for_each_change(
    as_user: ApiClient, as_shy: ApiClient, user: User, shy: User
) -> None:
    heard: list[str] = []
    path = f"/users/@{shy.handle}/follow"
    with ExitStack() as listening:
        for name in ("follow_requested", "follow_request_gone", "follow_request_accepted"):
            listening.enter_context(hearing(name, heard))
        for act in (as_user.post, as_user.post, as_user.delete, as_user.delete, as_user.post):
            act(path)
        assert heard == ["follow_requested", "follow_request_gone", "follow_requested"]
        heard.clear()
        as_shy.post(f"/user/requests/{only_request(as_shy)['id']}/accept", expect=204)
        as_user.post(path)
    assert heard == ["follow_request_gone", "follow_request_accepted"]


@contextmanager
def hearing(name: str, heard: list[str]) -> Iterator[None]:
    """Note each time that a signal is sent, and that it is within a transaction."""

    def note(requester_id: int, target_id: int, **_: Any) -> None:
        assert connection.in_atomic_block
        assert FollowRequest.objects.filter(requester=requester_id, target=target_id).exists() == (
            name == "follow_requested"
        )
        heard.append(name)

    signal = getattr(signals, name)
    signal.connect(note)
    try:
        yield
    finally:
        signal.disconnect(note)


@pytest.mark.django_db(transaction=True)
def test_answering_and_taking_back_at_the_same_moment_end_as_one_of_the_two() -> None:
    for _ in range(10):
        shy, fan = UserFactory(is_private=True), UserFactory()
        services.follow(fan, shy)
        request = FollowRequest.objects.get(requester=fan)
        results = at_once(
            lambda shy=shy, request=request: services.accept_request(shy, request.pk),
            lambda fan=fan, shy=shy: services.unfollow(fan, shy),
            lambda shy=shy: services.update_profile(shy, {"is_private": False}),
        )
        errors = [result for result in results if isinstance(result, Exception)]
        assert [getattr(error, "code", error) for error in errors] in ([], ["not_found"])
        assert not FollowRequest.objects.filter(requester=fan).exists()
    assert_counts_are_exact()


@pytest.mark.django_db(transaction=True)
def test_one_request_that_is_accepted_from_many_clients_is_one_follow() -> None:
    shy, fan = UserFactory(is_private=True), UserFactory()
    services.follow(fan, shy)
    path = f"/user/requests/{FollowRequest.objects.get().pk}/accept"
    results = at_once(*[lambda: ApiClient(shy).raw.post(path).status_code] * 6)
    assert sorted(results) == [204] + [404] * 5
    assert_counts_are_exact()


@pytest.mark.parametrize("path", ["/people/requests", "/settings/people"])
def test_a_page_of_people_takes_the_same_queries_however_long(
    client: Client, shy: User, path: str
) -> None:
    client.force_login(shy)
    taken: list[int] = []
    for number in range(1, 6):
        services.follow(UserFactory(), shy)
        services.mute(shy, UserFactory())
        services.block(shy, UserFactory())
        if number in (2, 5):
            with CaptureQueriesContext(connection) as queries:
                page = client.get(path).content.decode()
            taken.append(sum("signingepoch" not in query["sql"] for query in queries))
            assert page.count("<li class=") >= number
    assert taken[0] == taken[1]


@pytest.mark.django_db(transaction=True)
def test_an_account_that_becomes_public_accepts_who_waits(
    run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.tasks.REQUESTS_A_JOB", 2)
    shy = UserFactory(is_private=True)
    for _ in range(5):
        ask(ApiClient(UserFactory()), shy)
    ApiClient(shy).patch(f"/users/@{shy.handle}", {"is_private": False})
    run_jobs()
    assert not FollowRequest.objects.exists()
    assert Follow.objects.filter(followee=shy).count() == 5
    assert_counts_are_exact()


@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_private_again_before_the_job_accepts_nobody(
    run_jobs: RunJobs,
) -> None:
    shy = UserFactory(is_private=True)
    ask(ApiClient(UserFactory()), shy)
    for is_private in (False, True):
        ApiClient(shy).patch(f"/users/@{shy.handle}", {"is_private": is_private})
    run_jobs()
    assert FollowRequest.objects.count() == 1
    assert not Follow.objects.exists()


def test_who_follows_stays_when_the_account_becomes_private(as_user: ApiClient, user: User) -> None:
    star = UserFactory()
    ask(as_user, star)
    ApiClient(star).patch(f"/users/@{star.handle}", {"is_private": True})
    assert ask(as_user, star)["following"] is True


def test_a_follower_is_removed_and_must_ask_anew(
    as_user: ApiClient, as_shy: ApiClient, user: User, shy: User
) -> None:
    ask(as_shy, user)
    ask(as_user, shy)
    as_shy.post(f"/user/requests/{only_request(as_shy)['id']}/accept", expect=204)
    for _ in range(2):
        as_shy.delete(f"/users/@{user.handle}/follower", expect=204)
    assert not Friendship.objects.exists()
    assert Follow.objects.get().follower == shy
    assert ask(as_user, shy)["requested"] is True
    assert_counts_are_exact()


def test_the_list_of_requests_is_paged_in_the_same_queries(
    as_shy: ApiClient, shy: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    for number in range(1, 6):
        ask(ApiClient(UserFactory()), shy)
        if number in (2, 5):
            with django_assert_num_queries(2):  # the page, and how we relate
                assert len(as_shy.get("/user/requests")["results"]) == number
    page = as_shy.get("/user/requests?limit=3")
    assert [len(page["results"]), len(as_shy.get(page["next"])["results"])] == [3, 2]


@pytest.mark.django_db(transaction=True)
def test_requests_answers_blocks_and_switches_at_random_keep_every_count_exact() -> None:
    persons = [UserFactory(is_private=number < 3) for number in range(4)]

    def act(number: int) -> None:
        choices = random.Random(number)
        for _ in range(8):
            one, other = (User.objects.get(pk=p.pk) for p in choices.sample(persons, 2))
            try:
                _act_once(choices, one, other)
            except DomainError as error:
                if error.code != "not_found":  # taken back, or blocked meanwhile
                    raise

    results = at_once(*[lambda number=number: act(number) for number in range(10)])
    assert results == [None] * 10
    assert_counts_are_exact()
    follows = set(Follow.objects.values_list("follower", "followee"))
    requests = set(FollowRequest.objects.values_list("requester", "target"))
    blocks = set(Block.objects.values_list("blocker", "blocked"))
    assert not follows & requests
    assert not (follows | requests) & (blocks | {(other, one) for one, other in blocks})


def _act_once(choices: random.Random, one: User, other: User) -> None:
    act = choices.choice(["follow", "follow", "answer", "answer", "unfollow", "block", "switch"])
    if act == "answer":
        request = FollowRequest.objects.filter(target=one).order_by("?").first()
        if request is not None:
            services.accept_request(one, request.pk)
    elif act == "switch":
        services.update_profile(one, {"is_private": not one.is_private})
    elif act == "block":
        services.block(one, other)
        services.unblock(one, other)
    else:
        getattr(services, act)(one, other)
