"""The pages to look around in: Explore, hashtags, search and its suggestions."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.finding import suggest
from accounts.models import Follow, FollowRequest, User
from feeds.trending import recompute
from tests.factories import UserFactory, VideoFactory, block
from tests.feeds.test_pages import read, tiles
from videos.captions import link_caption
from videos.models import Hashtag, Video

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    return Client()


@pytest.fixture
def reader(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(caption: str, **fields: Any) -> Video:
    video: Video = VideoFactory(caption=caption, **fields)
    link_caption(video)
    return video


def next_page(html: str) -> str:
    found = re.search(r'rel="next"\s+href="([^"]+)"', html)
    assert found
    return found[1].replace("&amp;", "&")


class TestExplore:
    """`/explore`."""

    def test_it_shows_what_trends_and_whom_to_follow(self, reader: Client) -> None:
        video = post("#sea")
        famous = UserFactory(followers_count=9)
        recompute()
        html = read(reader, "/explore")
        assert html.index("/tag/sea") < html.index("Popular now") < html.index(famous.handle)
        assert tiles(html) == [video.get_absolute_url()] * 2  # popular, and in the grid

    def test_a_quiet_site_shows_the_most_used_hashtags(self, visitor: Client) -> None:
        Hashtag.objects.create(name="sea", videos_count=1)
        html = read(visitor, "/explore")
        assert "/tag/sea" in html
        assert "Popular now" not in html

    def test_the_next_page_is_the_grid_alone(self, visitor: Client) -> None:
        videos = [post("#sea") for _ in range(26)]
        recompute()
        html = read(visitor, "/explore")
        assert len(tiles(html)) == 12 + 24
        rest = read(visitor, next_page(html))
        assert len(tiles(rest)) == 2
        assert "Popular now" not in rest
        shown = set(tiles(html)[12:]) | set(tiles(rest))
        assert shown == {video.get_absolute_url() for video in videos}

    def test_blocked_muted_private_and_hidden_ones_are_nowhere(
        self, reader: Client, user: User
    ) -> None:
        blocked, blocking, muted = (post("#sea").author for _ in range(3))
        recompute()
        block(user, blocked)
        block(blocking, user)
        user.muting_rows.create(muted=muted)
        User.objects.filter(pk=post("#sea").author_id).update(is_private=True)
        Video.objects.filter(pk=post("#sea").pk).update(hidden_at=timezone.now())
        html = read(reader, "/explore")
        assert tiles(html) == []
        for person in (blocked, blocking, muted):
            assert f"@{person.handle}" not in html


class TestPeopleToFollow:
    """`finding.suggest`."""

    def test_friends_of_friends_come_first_then_the_best_known(self, user: User) -> None:
        friend, famous, near, nearer = (UserFactory(followers_count=n) for n in (1, 900, 2, 1))
        another = UserFactory(followers_count=1)
        for mine in (friend, another):
            Follow.objects.create(follower=user, followee=mine)
            Follow.objects.create(follower=mine, followee=nearer)
        Follow.objects.create(follower=friend, followee=near)
        Follow.objects.create(follower=friend, followee=user)
        found = suggest(user)
        assert found == [nearer, near, famous]
        assert [person.mutual_count for person in found] == [2, 1, 0]  # type: ignore[attr-defined]

    def test_some_are_never_suggested(self, user: User) -> None:
        followed, asked, muted, blocked, blocking, private, gone = UserFactory.create_batch(7)
        friend = UserFactory(is_private=True)
        Follow.objects.create(follower=user, followee=friend)
        Follow.objects.create(follower=user, followee=followed)
        for person in (asked, muted, blocked, blocking, private, gone):
            Follow.objects.create(follower=friend, followee=person)
        FollowRequest.objects.create(requester=user, target=asked)
        user.muting_rows.create(muted=muted)
        block(user, blocked)
        block(blocking, user)
        User.objects.filter(pk=private.pk).update(is_private=True)
        User.objects.filter(pk=gone.pk).update(is_active=False)
        assert suggest(user) == []

    def test_hidden_lists_tell_nothing(self, user: User) -> None:
        friend, near, famous = UserFactory(follows_hidden=True), UserFactory(), UserFactory()
        User.objects.filter(pk=famous.pk).update(followers_count=9)
        Follow.objects.create(follower=user, followee=friend)
        Follow.objects.create(follower=friend, followee=near)
        found = suggest(user)
        assert found == [famous, near]
        assert [person.mutual_count for person in found] == [0, 0]  # type: ignore[attr-defined]

    def test_visitors_get_the_best_known(self) -> None:
        people = [UserFactory(followers_count=n) for n in (1, 5, 3)]
        assert suggest(None, 2) == [people[1], people[2]]


class TestTag:
    """`/tag/<name>`."""

    def test_popular_first_or_latest_first(self, visitor: Client) -> None:
        popular, latest = post("#sea"), post("#sea")
        Video.objects.filter(pk=popular.pk).update(trend=9)
        paths = [popular.get_absolute_url(), latest.get_absolute_url()]
        assert tiles(read(visitor, "/tag/sea")) == paths
        assert tiles(read(visitor, "/tag/sea?tab=latest")) == paths[::-1]
        assert tiles(read(visitor, "/tag/sea?tab=nonsense")) == paths
        assert "2 clips" in read(visitor, "/tag/sea")

    @pytest.mark.parametrize("tab", ["popular", "latest"])
    def test_both_go_on_without_a_repeat(self, tab: str, visitor: Client) -> None:
        videos = [post("#sea", likes_count=n % 3) for n in range(53)]
        seen: list[str] = []
        path = f"/tag/sea?tab={tab}"
        for _ in range(2):
            html = read(visitor, path)
            seen += tiles(html)
            path = next_page(html)
        seen += tiles(read(visitor, path))
        assert len(seen) == 53
        assert set(seen) == {video.get_absolute_url() for video in videos}

    @pytest.mark.parametrize("after", ["x", "%00", "9" * 60, "1.5", "-"])
    def test_a_made_up_place_is_a_400(self, after: str, visitor: Client) -> None:
        assert visitor.get(f"/tag/sea?after={after}").status_code == 400

    def test_muted_people_are_not_in_it(self, reader: Client, user: User) -> None:
        video = post("#sea")
        user.muting_rows.create(muted=video.author)
        assert tiles(read(reader, "/tag/sea")) == []


class TestSearchPage:
    """`/search`."""

    @pytest.fixture(autouse=True)
    def _data(self) -> None:
        for n in range(7):
            UserFactory(handle=f"wave.{n}")
        for n in range(10):
            Hashtag.objects.create(name=f"wave{n}", videos_count=n + 1)
        for _ in range(27):
            VideoFactory(caption="wave")

    def test_top_shows_some_of_each_and_where_there_are_more(self, visitor: Client) -> None:
        html = read(visitor, "/search?q=wave")
        assert html.count("person__link") == 4
        assert html.count('class="chip"') == 8
        assert len(tiles(html)) == 24
        assert "tab=people" in html
        assert "tab=videos" in next_page(html)
        assert len(tiles(read(visitor, next_page(html)))) == 3

    def test_each_kind_has_a_tab(self, visitor: Client) -> None:
        people = read(visitor, "/search?q=wave&tab=people")
        assert people.count("person__link") == 7
        assert tiles(people) == []
        tags = read(visitor, "/search?q=wave&tab=hashtags")
        assert tags.count('class="tagrow"') == 10
        assert tags.count("person__link") == 0
        assert len(tiles(read(visitor, "/search?q=wave&tab=videos"))) == 24

    def test_lists_of_people_and_tags_go_on(
        self, visitor: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("feeds.views.searching.ROWS_PER_PAGE", 6)
        people = read(visitor, "/search?q=wave&tab=people")
        assert people.count("person__link") == 6
        assert read(visitor, next_page(people)).count("person__link") == 1
        tags = read(visitor, "/search?q=wave&tab=hashtags")
        assert read(visitor, next_page(tags)).count('class="tagrow"') == 4

    def test_nothing_found_offers_what_trends(self, visitor: Client) -> None:
        html = read(visitor, "/search?q=zzz")
        assert "Nothing found" in html
        assert "/tag/wave9" in html

    def test_what_was_typed_is_text(self, visitor: Client) -> None:
        html = read(visitor, "/search?q=%3Cb%3E%22%26")
        assert "<b>&quot;" not in html
        assert "&lt;b&gt;&quot;&amp;" in html

    def test_suggestions_are_a_fragment_of_people_and_tags(self, visitor: Client) -> None:
        html = read(visitor, "/search/suggest?q=wav")
        assert "<html" not in html
        assert html.count("/@wave.") == 4
        assert html.count("/tag/wave") == 4
        assert "/search?q=wav" in html
        assert read(visitor, "/search/suggest").strip() == ""
        assert visitor.get(f"/search/suggest?q={'x' * 101}").status_code == 400

    def test_suggestions_hide_whom_the_reader_may_not_see(self, reader: Client, user: User) -> None:
        block(User.objects.get(handle="wave.3"), user)
        html = read(reader, "/search/suggest?q=wave.3")
        assert "/@wave.3" not in html


PATHS = [
    "/explore", "/tag/sea", "/tag/sea?tab=latest", "/search?q=sea", "/search?q=sea&tab=videos",
    "/search?q=sea&tab=people", "/search?q=sea&tab=hashtags", "/search/suggest?q=sea", "/search",
    "/videos?q=sea", "/videos?q=sea&ordering=-published_at", "/users?q=sea", "/hashtags?q=sea",
    "/hashtags/trending",
]  # fmt: skip
BUDGET = 24


@pytest.mark.parametrize("path", PATHS)
def test_a_page_costs_the_same_for_few_and_for_many(path: str, reader: Client, user: User) -> None:
    def cost() -> int:
        cache.clear()  # or the cards of the first time would still be there
        with CaptureQueriesContext(connection) as captured:
            reader.get(path)
        ignored = ("common_signingepoch", "common_cachegeneration")
        return len([q for q in captured if not any(word in q["sql"] for word in ignored)])

    def more(count: int) -> None:
        for n in range(count):
            person = UserFactory(handle=f"sea.{count}.{n}")
            post(f"#sea #sea{count}x{n}", author=person)
        recompute()

    Follow.objects.create(follower=user, followee=(friend := UserFactory()))
    Follow.objects.create(follower=friend, followee=UserFactory())
    more(2)
    cost()
    few = cost()
    more(15)
    assert cost() == few <= BUDGET
