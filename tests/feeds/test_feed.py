"""`GET /videos/feed`: the contract, option by option."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Follow, User
from feeds.models import SeedSnapshot
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend, block
from tests.feeds.scroll import FEED, ORDERS, check, follow_up, ids, pages, scroll
from tiktok_clone.common import signing
from videos.models import SlotEpoch, Status, Video, Visibility

pytestmark = pytest.mark.django_db

every_order = pytest.mark.parametrize(("mode", "order"), ORDERS)


@pytest.fixture
def friend(user: User) -> User:
    person = UserFactory()
    befriend(user, person)
    return person


@pytest.fixture
def clips(friend: User) -> list[int]:
    """Seven videos that are in every mode."""
    return [VideoFactory(author=friend).pk for _ in range(7)]


def test_it_needs_to_know_who_asks(api: ApiClient) -> None:
    assert api.get(FEED, expect=401)["status"] == 401


def test_an_answer_has_the_shape_of_the_contract(as_user: ApiClient, clips: list[int]) -> None:
    page = as_user.get(FEED, {"limit": 3})
    names = "mode order seed skip limit count next_skip next end seen_from results"
    assert set(page) == set(names.split())
    assert (page["mode"], page["order"], page["skip"], page["limit"]) == ("for-you", "ranked", 0, 3)
    assert page["count"] == 3
    assert page["next_skip"] == 3
    assert page["end"] is False
    card = page["results"][0]
    assert {"id", "caption", "sources", "likes_count", "liked", "saved", "url"} <= set(card)
    assert card["author"]["following"] is True


def test_without_options_it_is_ranked_for_the_reader(as_user: ApiClient, clips: list[int]) -> None:
    page = as_user.get(FEED)
    assert (page["mode"], page["order"], page["limit"]) == ("for-you", "ranked", 20)
    assert sorted(ids(page)) == sorted(clips)
    assert page["end"] is True
    assert page["next"] is None


@every_order
def test_next_is_the_ready_address(
    mode: str, order: str, as_user: ApiClient, clips: list[int]
) -> None:
    page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 3})
    seen = ids(page)
    while page["next"]:
        assert page["next"].startswith("http://testserver/videos/feed?")
        page = as_user.get(page["next"])
        check(page)
        seen += ids(page)
    assert sorted(seen) == sorted(clips)


def test_following_and_friends_are_latest_first_unless_a_seed_is_passed(
    as_user: ApiClient, clips: list[int]
) -> None:
    for mode in ("following", "friends"):
        assert ids(as_user.get(FEED, {"mode": mode})) == clips[::-1]
        seeded = as_user.get(FEED, {"mode": mode, "seed": 7})
        assert seeded["order"] == "shuffle"
        assert sorted(ids(seeded)) == sorted(clips)


def test_followed_is_another_name_for_following(as_user: ApiClient, clips: list[int]) -> None:
    assert as_user.get(FEED, {"mode": "followed"})["mode"] == "following"


@every_order
def test_an_echoed_seed_goes_on_in_its_order_without_naming_it(
    mode: str, order: str, as_user: ApiClient, clips: list[int]
) -> None:
    page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 4})
    rest = as_user.get(FEED, {"mode": mode, "seed": page["seed"], "skip": page["next_skip"]})
    assert rest["order"] == order
    assert sorted(ids(page) + ids(rest)) == sorted(clips)


@every_order
def test_a_forced_refresh_shows_what_is_new(
    mode: str, order: str, as_user: ApiClient, friend: User, clips: list[int]
) -> None:
    options = {"mode": mode, "order": order, "limit": 4}
    page = as_user.get(FEED, options)
    new = VideoFactory(author=friend).pk
    assert new not in scroll(as_user, **follow_up(page)) + ids(page)
    assert new in scroll(as_user, **options)


@every_order
def test_no_seed_means_another_order_each_time(
    mode: str, order: str, as_user: ApiClient, clips: list[int]
) -> None:
    orders = {tuple(ids(as_user.get(FEED, {"mode": mode, "order": order}))) for _ in range(20)}
    assert len(orders) == 1 if order == "latest" else len(orders) > 1


@every_order
def test_a_skip_past_the_end_is_an_empty_page(
    mode: str, order: str, as_user: ApiClient, clips: list[int]
) -> None:
    for options in ({"skip": 7}, {"skip": 10**15}, {"skip": 8, "seed": 5}):
        if "seed" in options:
            as_user.get(FEED, {"mode": mode, "order": order, "seed": 5})
        page = as_user.get(FEED, {"mode": mode, "order": order} | options)
        assert page["results"] == []
        assert page["end"] is True
        assert page["count"] == 0
        assert page["next_skip"] == options["skip"]


@every_order
def test_a_skip_of_ones_own_is_that_place_of_the_order(
    mode: str, order: str, as_user: ApiClient, clips: list[int]
) -> None:
    first, second, *_ = pages(as_user, mode=mode, order=order, limit=2)
    whole = ids(as_user.get(FEED, follow_up(first, skip=0, limit=50)))
    for seed in (first["seed"], second["seed"]):
        for skip in range(8):
            page = as_user.get(FEED, follow_up(first, seed=seed, skip=skip, limit=3))
            assert ids(page) == whole[skip : skip + 3]


@every_order
def test_the_end_stays_the_end(
    mode: str, order: str, as_user: ApiClient, friend: User, clips: list[int]
) -> None:
    Video.objects.filter(pk__in=clips[:3]).update(hidden_at=timezone.now())
    *_, last = pages(as_user, mode=mode, order=order, limit=2)
    Video.objects.update(hidden_at=None)
    for _ in range(2):
        last = as_user.get(FEED, follow_up(last))
        assert (last["end"], last["results"]) == (True, [])


@every_order
def test_nothing_at_all_is_an_empty_page(mode: str, order: str, as_user: ApiClient) -> None:
    page = as_user.get(FEED, {"mode": mode, "order": order})
    assert (page["end"], page["results"], page["next_skip"]) == (True, [], 0)
    page = as_user.get(FEED, follow_up(page))
    assert (page["end"], page["results"], page["next_skip"]) == (True, [], 0)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"mode": "foryou"}, "mode"),
        ({"mode": ""}, "mode"),
        ({"order": "latest"}, "order"),
        ({"order": "random", "mode": "friends"}, "order"),
        ({"skip": "-1"}, "skip"),
        ({"skip": "x"}, "skip"),
        ({"skip": "1" * 5000}, "skip"),
        ({"limit": "0"}, "limit"),
        ({"limit": "51"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"seed": ""}, "seed"),
        ({"seed": "1.5"}, "seed"),
        ({"seed": "\0"}, "seed"),
        ({"seed": "٣"}, "seed"),
        ({"seed": "9" * 65}, "seed"),
        ({"page": "2", "cursor": "x"}, "page"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, str], named: str, as_user: ApiClient) -> None:
    answer = as_user.get(FEED, options, expect=400)
    assert named in answer["errors"]
    assert answer["detail"]


class TestSeeds:
    """What a seed is good for, and for whom."""

    @pytest.fixture
    def page(self, as_user: ApiClient, clips: list[int]) -> dict[str, Any]:
        return as_user.get(FEED, {"mode": "following", "order": "latest", "limit": 2})

    def refused(self, client: ApiClient, options: dict[str, Any]) -> str:
        answer = client.get(FEED, options, expect=400)
        assert "efresh" in answer["detail"]
        assert answer["errors"]["seed"][0]["code"] == answer["code"]
        return answer["code"]

    def test_of_another_reader(self, as_other: ApiClient, page: dict[str, Any]) -> None:
        assert self.refused(as_other, follow_up(page)) == "seed_of_another_reader"

    def test_of_another_mode(self, as_user: ApiClient, page: dict[str, Any]) -> None:
        code = self.refused(as_user, follow_up(page, mode="friends"))
        assert code == "seed_of_another_mode"

    def test_of_another_order(self, as_user: ApiClient, page: dict[str, Any]) -> None:
        code = self.refused(as_user, follow_up(page, order="shuffle"))
        assert code == "seed_of_another_order"

    def test_changed_in_any_place(self, as_user: ApiClient, page: dict[str, Any]) -> None:
        seed = page["seed"]
        for place in range(0, len(seed), 7):
            letter = "A" if seed[place] != "A" else "B"
            changed = seed[:place] + letter + seed[place + 1 :]
            assert self.refused(as_user, follow_up(page, seed=changed)) == "seed_invalid"

    def test_cut_short(self, as_user: ApiClient, page: dict[str, Any]) -> None:
        for seed in (page["seed"][:-1], page["seed"].split(".")[0], "x", ".", "a.b"):
            assert self.refused(as_user, follow_up(page, seed=seed)) == "seed_invalid"

    def test_older_than_a_day(
        self, as_user: ApiClient, page: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = timezone.now().timestamp() + 25 * 3600
        monkeypatch.setattr("feeds.seeds.time.time", lambda: later)
        assert self.refused(as_user, follow_up(page)) == "seed_expired"

    def test_of_an_older_epoch_of_slots(self, as_user: ApiClient, page: dict[str, Any]) -> None:
        SlotEpoch.objects.update(epoch=3)
        assert self.refused(as_user, follow_up(page)) == "seed_expired"

    def test_from_before_the_database_was_emptied(
        self, as_user: ApiClient, page: dict[str, Any]
    ) -> None:
        signing.renew_epoch()
        assert self.refused(as_user, follow_up(page)) == "seed_invalid"


class TestIntegerSeeds:
    """A client's own integers."""

    @every_order
    def test_the_same_integer_is_the_same_order(
        self, mode: str, order: str, as_user: ApiClient, friend: User, clips: list[int]
    ) -> None:
        options = {"mode": mode, "order": order, "seed": 42}
        page = as_user.get(FEED, options)
        VideoFactory(author=friend)
        assert ids(as_user.get(FEED, options)) == ids(page)
        assert scroll(as_user, **options, limit=2) == ids(page)

    @every_order
    def test_an_integer_goes_on_with_a_skip(
        self, mode: str, order: str, as_user: ApiClient, friend: User, clips: list[int]
    ) -> None:
        options = {"mode": mode, "order": order, "seed": -3, "limit": 3}
        seen = ids(as_user.get(FEED, options))
        VideoFactory(author=friend)
        for skip in (3, 6):
            seen += ids(as_user.get(FEED, options | {"skip": skip}))
        assert sorted(seen) == sorted(clips)

    def test_other_integers_are_other_orders(self, as_user: ApiClient, clips: list[int]) -> None:
        orders = {tuple(scroll(as_user, mode="all", seed=seed)) for seed in range(-4, 4)}
        assert len(orders) > 5

    @pytest.mark.parametrize("seed", [2**63, -(2**63), 2**64 + 1, 10**60, "+5", "007"])
    def test_any_integer_is_good(self, seed: int | str, as_user: ApiClient) -> None:
        as_user.get(FEED, {"seed": seed})

    def test_it_is_remembered_for_an_hour(
        self, as_user: ApiClient, friend: User, clips: list[int]
    ) -> None:
        options = {"mode": "friends", "seed": 5, "limit": 3}
        page = as_user.get(FEED, options)
        VideoFactory(author=friend)
        SeedSnapshot.objects.update(created_at=timezone.now() - timedelta(minutes=61))
        answer = as_user.get(FEED, options | {"skip": 3}, expect=400)
        assert answer["code"] == "seed_expired"
        # The token goes on, and the integer may begin anew.
        assert sorted(ids(page) + scroll(as_user, **follow_up(page))) == sorted(clips)
        assert len(scroll(as_user, **options)) == 8

    def test_one_that_never_began_has_no_second_page(self, as_user: ApiClient) -> None:
        answer = as_user.get(FEED, {"seed": 6, "skip": 20}, expect=400)
        assert answer["code"] == "seed_expired"

    def test_readers_do_not_share_them(
        self, as_user: ApiClient, as_other: ApiClient, clips: list[int]
    ) -> None:
        as_user.get(FEED, {"seed": 9})
        new = VideoFactory().pk
        assert new in scroll(as_other, seed=9)
        assert new not in scroll(as_user, seed=9)


class TestWhoSeesWhat:
    """Which videos are in which mode."""

    def seen(self, client: ApiClient) -> dict[str, set[int]]:
        found = {}
        for mode, order in ORDERS:
            videos = set(scroll(client, mode=mode, order=order))
            assert found.setdefault(mode, videos) == videos
        return found

    def test_strangers_are_in_all_and_for_you_only(self, as_user: ApiClient) -> None:
        video = VideoFactory().pk
        seen = self.seen(as_user)
        assert seen == {"for-you": {video}, "all": {video}, "following": set(), "friends": set()}

    def test_the_followed_are_in_following(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory()
        Follow.objects.create(follower=user, followee=video.author)
        seen = self.seen(as_user)
        one = {video.pk}
        assert seen == {"for-you": one, "all": one, "following": one, "friends": set()}

    def test_followers_are_not(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory()
        Follow.objects.create(follower=video.author, followee=user)
        assert self.seen(as_user)["following"] == set()

    def test_videos_for_friends_are_in_both_but_not_in_all(
        self, as_user: ApiClient, friend: User
    ) -> None:
        video = VideoFactory(author=friend, visibility=Visibility.FRIENDS).pk
        seen, one = self.seen(as_user), {video}
        assert seen == {"for-you": one, "all": set(), "following": one, "friends": one}

    def test_videos_for_friends_are_not_for_followers(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory(visibility=Visibility.FRIENDS)
        Follow.objects.create(follower=user, followee=video.author)
        assert self.seen(as_user)["following"] == set()

    def test_an_account_that_turns_private_leaves_all(
        self, as_user: ApiClient, user: User, clips: list[int], friend: User
    ) -> None:
        User.objects.filter(pk=friend.pk).update(is_private=True)
        seen = self.seen(as_user)
        every = set(clips)
        assert seen == {"for-you": every, "all": set(), "following": every, "friends": every}
        assert scroll(ApiClient(UserFactory())) == []

    def test_ones_own_public_videos_are_in_all_only(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory(author=user).pk
        own = VideoFactory(author=user, visibility=Visibility.PRIVATE)
        VideoFactory(author=user, draft=True)
        turned = VideoFactory(author=user)
        Video.objects.filter(pk=turned.pk).update(visibility=Visibility.FRIENDS)
        seen = self.seen(as_user)
        assert seen == {"for-you": set(), "all": {video}, "following": set(), "friends": set()}
        assert own.slot is None

    @pytest.mark.parametrize("blocked_by_reader", [True, False])
    def test_blocks_work_both_ways(
        self,
        blocked_by_reader: bool,
        as_user: ApiClient,
        user: User,
        friend: User,
        clips: list[int],
    ) -> None:
        block(*((user, friend) if blocked_by_reader else (friend, user)))
        assert not any(self.seen(as_user).values())

    @pytest.mark.parametrize(
        "change",
        [
            {"hidden_at": timezone.now()},
            {"visibility": Visibility.PRIVATE},
            {"status": Status.FAILED},
            {"published_at": None},
        ],
    )
    def test_what_is_not_live_is_nowhere(
        self, change: dict[str, Any], as_user: ApiClient, clips: list[int]
    ) -> None:
        Video.objects.update(**change)
        assert not any(self.seen(as_user).values())

    @pytest.mark.parametrize("change", [{"is_active": False}, {"deleted_at": timezone.now()}])
    def test_accounts_that_are_gone_are_nowhere(
        self, change: dict[str, Any], as_user: ApiClient, friend: User, clips: list[int]
    ) -> None:
        User.objects.filter(pk=friend.pk).update(**change)
        assert not any(self.seen(as_user).values())

    def test_a_video_that_loses_its_files_while_we_read_leaves_no_gap(
        self, as_user: ApiClient, clips: list[int]
    ) -> None:
        Video.objects.get(pk=clips[-1]).renditions.all().delete()
        for mode, order in ORDERS:
            page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 6})
            assert sorted(ids(page)) == sorted(clips[:-1])
            assert page["end"] is True


@pytest.mark.parametrize("hidden", range(0, 61, 6))
def test_pages_stay_full_however_many_holes_there_are(
    hidden: int, as_user: ApiClient, friend: User
) -> None:
    clips = [VideoFactory(author=friend).pk for _ in range(61)]
    Video.objects.filter(pk__in=clips[:hidden]).update(hidden_at=timezone.now())
    for mode, order in ORDERS:
        assert sorted(scroll(as_user, mode=mode, order=order, limit=5)) == clips[hidden:]


def test_many_followed_people_are_walked_not_merged(
    as_user: ApiClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    authors = UserFactory.create_batch(5)
    for author in authors:
        befriend(user, author)
    clips = [VideoFactory(author=authors[n % 5]).pk for n in range(12)]
    VideoFactory()
    merged = [scroll(as_user, mode=mode, limit=5) for mode in ("following", "friends")]
    monkeypatch.setattr("feeds.circles.MERGED_PEOPLE", 4)
    walked = [scroll(as_user, mode=mode, limit=5) for mode in ("following", "friends")]
    assert merged == walked == [clips[::-1], clips[::-1]]
