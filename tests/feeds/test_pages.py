"""The pages: what they show, how the script and the links go on, and who may see what."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Follow, User
from tests.factories import UserFactory, VideoFactory, befriend, block
from videos.models import Hashtag, Video, VideoHashtag, Visibility

pytestmark = pytest.mark.django_db
FRAGMENT = {"X-Fragment": "1"}


@pytest.fixture
def visitor() -> Client:
    return Client()


@pytest.fixture
def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(html: str) -> list[int]:
    """The clips of a page, in order."""
    return [int(pk) for pk in re.findall(r'data-clip="(\d+)"', html)]


def next_of(html: str) -> str:
    found = re.search(r'data-next="([^"]*)"\s+data-end="(true|false)"', html)
    assert found
    assert (found[1] == "") == (found[2] == "true")
    return found[1].replace("&amp;", "&")


def tiles(html: str) -> list[str]:
    return re.findall(r'class="tile__link" href="([^"]+)"', html)


def read(client: Client, path: str, **headers: Any) -> str:
    answer = client.get(path, **headers)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def test_a_visitor_scrolls_everything_without_a_repeat(visitor: Client) -> None:
    clips = [VideoFactory().pk for _ in range(23)]
    html = read(visitor, "/")
    assert "<html" in html
    seen = shown(html)
    assert len(seen) == 10
    while path := next_of(html):
        html = read(visitor, path, headers=FRAGMENT)
        assert "<html" not in html
        seen += shown(html)
    assert sorted(seen) == clips


def test_the_links_go_on_without_a_script(signed_in: Client) -> None:
    clips = [VideoFactory().pk for _ in range(12)]
    html = read(signed_in, "/")
    following = read(signed_in, next_of(html))
    assert "<html" in following
    assert sorted(shown(html) + shown(following)) == clips


@pytest.mark.parametrize("path", ["/following", "/friends"])
def test_tabs_show_the_newest_of_ones_people(path: str, signed_in: Client, user: User) -> None:
    friend = UserFactory()
    befriend(user, friend)
    VideoFactory()
    clips = [VideoFactory(author=friend).pk for _ in range(12)]
    html = read(signed_in, path)
    assert shown(html) == clips[:1:-1]
    assert shown(read(signed_in, next_of(html), headers=FRAGMENT)) == clips[1::-1]


@pytest.mark.parametrize("path", ["/following", "/friends"])
def test_a_visitor_is_asked_to_sign_in_for_them(path: str, visitor: Client) -> None:
    VideoFactory()
    html = read(visitor, path)
    assert shown(html) == []
    assert "/signin" in html
    assert next_of(html) == ""


def test_who_follows_nobody_sees_people_to_follow(signed_in: Client, user: User) -> None:
    popular = UserFactory(followers_count=5)
    blocking = UserFactory(followers_count=9)
    block(blocking, user)
    html = read(signed_in, "/following")
    assert f"@{popular.handle}" in html
    assert f"@{blocking.handle}" not in html


@pytest.mark.parametrize("path", ["/", "/following", "/explore"])
def test_a_seed_that_cannot_go_on_starts_anew(
    path: str, signed_in: Client, visitor: Client
) -> None:
    VideoFactory.create_batch(11)
    of_a_visitor = re.search(r"seed=([^&]+)", next_of(read(visitor, "/")))
    assert of_a_visitor
    for seed in ("x", "12.34", of_a_visitor[1]):
        answer = signed_in.get(path, {"seed": seed, "skip": 10})
        assert answer.status_code == 302
        assert answer.headers["Location"] == path


def test_a_script_is_told_instead(signed_in: Client) -> None:
    answer = signed_in.get("/", {"seed": "x", "skip": 10}, headers=FRAGMENT)
    assert answer.status_code == 400


def test_a_page_differs_by_the_header_and_the_reader(signed_in: Client) -> None:
    answer = signed_in.get("/")
    assert {"X-Fragment", "Cookie"} <= set(re.split(r",\s*", answer.headers["Vary"]))
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/following", "/friends", "/explore", "/search"])
def test_pages_with_nothing_to_show_say_so(path: str, signed_in: Client, visitor: Client) -> None:
    for client in (signed_in, visitor):
        assert "<h2" in read(client, path)


def test_explore_is_a_grid_that_goes_on(visitor: Client) -> None:
    clips = [VideoFactory() for _ in range(30)]
    html = read(visitor, "/explore")
    links = tiles(html)
    assert len(links) == 24
    following = re.search(r'rel="next" href="([^"]+)"', html)
    assert following
    links += tiles(read(visitor, following[1].replace("&amp;", "&")))
    assert sorted(links) == sorted(clip.get_absolute_url() for clip in clips)


class TestTag:
    """`/tag/<name>`."""

    @pytest.fixture
    def tagged(self) -> Video:
        video = VideoFactory()
        tag = Hashtag.objects.create(name="sunset", videos_count=1)
        VideoHashtag.objects.create(video=video, hashtag=tag)
        return video

    def test_it_shows_the_videos_with_it(self, visitor: Client, tagged: Video) -> None:
        VideoFactory()
        assert tiles(read(visitor, "/tag/sunset")) == [tagged.get_absolute_url()]

    def test_hidden_and_blocked_ones_are_not_there(
        self, signed_in: Client, user: User, tagged: Video
    ) -> None:
        block(tagged.author, user)
        assert tiles(read(signed_in, "/tag/sunset")) == []

    def test_another_case_leads_to_the_one_address(self, visitor: Client) -> None:
        assert visitor.get("/tag/SunSet").headers["Location"] == "/tag/sunset"

    def test_an_unknown_one_is_an_empty_page(self, visitor: Client) -> None:
        assert tiles(read(visitor, "/tag/nothing")) == []

    @pytest.mark.parametrize("name", ["%00", "a" * 200])
    def test_nonsense_is_a_400(self, name: str, visitor: Client) -> None:
        assert visitor.get(f"/tag/{name}").status_code == 400


class TestSearch:
    """`/search?q=`."""

    def test_it_finds_videos_people_and_tags(self, visitor: Client) -> None:
        video = VideoFactory(caption="Waves at dawn")
        person = UserFactory(handle="wavemaker")
        Hashtag.objects.create(name="wavesurf", videos_count=3)
        VideoFactory(caption="Waves for friends", visibility=Visibility.FRIENDS)
        html = read(visitor, "/search?q=wave")
        assert tiles(html) == [video.get_absolute_url()]
        assert f"/@{person.handle}" in html
        assert "/tag/wavesurf" in html

    def test_blocked_people_are_not_found(self, signed_in: Client, user: User) -> None:
        person = UserFactory(handle="wavemaker")
        assert "/@wavemaker" in read(signed_in, "/search?q=wave")
        block(user, person)
        assert "/@wavemaker" not in read(signed_in, "/search?q=wave")

    def test_it_goes_on(self, visitor: Client) -> None:
        for _ in range(26):
            VideoFactory(caption="wave")
        html = read(visitor, "/search?q=wave")
        following = re.search(r'rel="next" href="([^"]+)"', html)
        assert following
        assert len(tiles(read(visitor, following[1].replace("&amp;", "&")))) == 2

    @pytest.mark.parametrize("q", ["%00", "a" * 101, "a%0Ab"])
    def test_nonsense_is_a_400(self, q: str, visitor: Client) -> None:
        assert visitor.get(f"/search?q={q}").status_code == 400

    @pytest.mark.parametrize("q", ["%25", "_", "'", "\\", "#", "@", "<script>"])
    def test_signs_are_only_signs(self, q: str, visitor: Client) -> None:
        VideoFactory(caption="plain")
        assert visitor.get(f"/search?q={q}").status_code == 200


def test_following_somebody_shows_in_the_card(signed_in: Client, user: User) -> None:
    video = VideoFactory()
    assert 'value="follow"' in read(signed_in, "/")
    Follow.objects.create(follower=user, followee=video.author)
    assert 'value="unfollow"' in read(signed_in, "/")


@pytest.mark.parametrize("name", ["%EF%BC%8F", "a%EF%BC%8Fb", "%E2%84%80", "%20"])
def test_a_hashtag_that_cannot_be_one_is_not_there(name: str, visitor: Client) -> None:
    assert visitor.get(f"/tag/{name}").status_code == 404
