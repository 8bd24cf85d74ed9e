"""Whether there is news: asked without a query, and right whatever happens, with Redis or not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import services as people
from accounts.api.tokens import SessionPollToken, poll_token
from accounts.models import Session, User
from accounts.purging import purge
from accounts.services import muted_words
from feeds import bells, inbox, notifications, versions
from feeds.models import Kind, Notification
from tests.api_client import ApiClient
from tests.factories import PASSWORD, CommentFactory, UserFactory, VideoFactory, befriend
from tests.feeds.caching import (
    Silence,
    connected,
    nobody_there,
    round_trips,
    signed_in,
    use_client,
)
from tiktok_clone.common import generation
from videos.forgetting import forget_some
from videos.models import Video, Visibility
from videos.services import comments, curating, engagement, moderation, publishing

# Messages to Redis are sent when a transaction is really committed.
pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/notifications/unread-count"


class Page:
    """A page that is open in a browser and asks for news, as notifications.js does."""

    def __init__(self, user: User) -> None:
        self.cookies = Client()
        self.cookies.force_login(user)
        found = self.cookies.get("/notifications", headers={"Accept": "text/html"})
        self.token = found.content.decode().split('data-news="')[1].split('"')[0]
        self.client = Client()
        self.version = ""
        self.unread = -1

    def ask(self, expect: int | None = None) -> int:
        """Ask once; returns the status."""
        headers = {"Authorization": f"Bearer {self.token}", "If-None-Match": self.version}
        answer = self.client.get(PATH, headers=headers)
        if answer.status_code == 200:
            self.version, self.unread = answer["ETag"], answer.json()["unread"]
        elif answer.status_code == 304:
            assert answer.content == b""
        assert expect is None or answer.status_code == expect
        return answer.status_code


@pytest.fixture
def anna(db: None) -> User:
    return UserFactory(handle="anna")


@pytest.fixture
def leo(db: None) -> User:
    return UserFactory(handle="leo")


@pytest.fixture
def clip(anna: User) -> Video:
    return VideoFactory(author=anna)


@pytest.fixture
def page(anna: User, lasting_names: None) -> Page:
    """Anna's, who knows the present state."""
    opened = Page(anna)
    opened.ask(expect=200)
    assert opened.unread == 0
    return opened


def test_as_long_as_nothing_is_new_it_costs_one_look_into_redis_and_no_query(
    page: Page, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with round_trips(monkeypatch) as sent, django_assert_num_queries(0):
        for _ in range(3):
            page.ask(expect=304)
    assert len(sent) == 3


def test_programs_ask_with_their_access_token_at_the_same_price(
    anna: User, leo: User, clip: Video, lasting_names: None,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    api = signed_in(anna)
    assert api.get(PATH) == {"unread": 0, "token": None}
    version = {"If-None-Match": api.response["ETag"]}
    with django_assert_num_queries(0):
        api.get(PATH, headers=version, expect=304)
    engagement.like_video(leo, clip.pk)
    assert api.get(PATH, headers=version)["unread"] == 1
    api.get(PATH, {"since": 1}, expect=400)


def test_a_weakened_tag_is_understood(page: Page) -> None:
    page.version = f"W/{page.version}"
    page.ask(expect=304)


# Whatever changes the list or the count makes the next answer a new one.


def acts(anna: User, leo: User, clip: Video) -> dict[str, Callable[[], Any]]:
    """Each changes what Anna is told, in this order."""
    mine = CommentFactory(video=clip, author=anna)
    other = VideoFactory(author=leo)
    staff = UserFactory(is_superuser=True)
    said: dict[str, Any] = {}

    def comment() -> None:
        said["comment"] = comments.add_comment(leo, clip.pk, "hello")

    def reply() -> None:
        said["reply"] = comments.add_comment(leo, clip.pk, "hi", mine.pk)

    return {
        "like": lambda: engagement.like_video(leo, clip.pk),
        "unlike": lambda: engagement.unlike_video(leo, clip.pk),
        "like again": lambda: engagement.like_video(leo, clip.pk),
        "comment": comment,
        "delete": lambda: comments.delete_comment(leo, said["comment"].pk),
        "reply": reply,
        "like of a comment": lambda: comments.like_comment(leo, mine.pk),
        "its end": lambda: comments.unlike_comment(leo, mine.pk),
        "follow": lambda: people.follow(leo, anna),
        "mention": lambda: publishing.edit_video(leo, other.pk, caption="@anna"),
        "private": lambda: publishing.edit_video(leo, other.pk, visibility=Visibility.PRIVATE),
        "public": lambda: publishing.edit_video(leo, other.pk, visibility=Visibility.PUBLIC),
        "private account": lambda: people.update_profile(leo, {"is_private": True}),
        "public account": lambda: people.update_profile(leo, {"is_private": False}),
        "hidden": lambda: moderation.hide_video(other.pk),
        "shown": lambda: moderation.show_video(other.pk),
        "muted word": lambda: muted_words.mute_word(anna, "hi"),
        "unmuted word": lambda: muted_words.unmute_word(anna, "hi"),
        "mute": lambda: people.mute(anna, leo),
        "unmute": lambda: people.unmute(anna, leo),
        "switched off": lambda: notifications.set_switches(anna, {"like": False}),
        "switched on": lambda: notifications.set_switches(anna, {"like": True}),
        "suspended": lambda: people.suspend_person(leo.pk, staff),
        "restored": lambda: people.restore_person(leo.pk, staff),
        "read": lambda: notifications.mark_read(anna, everything=True),
        "deleted clip": lambda: publishing.delete_video(leo, other.pk),
        "forgotten": lambda: forget_some(leo.pk),
        "unfollow": lambda: people.unfollow(leo, anna),
        "follow again": lambda: people.follow(leo, anna),
        "block": lambda: people.block(leo, anna),
        "unblock": lambda: people.unblock(leo, anna),
        "message": lambda: notifications.tell(anna.pk, kind=Kind.MODERATION, text="Be kind."),
        "like once more": lambda: engagement.like_video(leo, clip.pk),
        "deleted account": lambda: people.delete_account(leo),
        "pruned": lambda: prune(),
    }


def prune() -> None:
    Notification.objects.update(created_at=timezone.now() - timedelta(days=200))
    notifications.prune()


def shown(user: User) -> Any:
    groups, _ = inbox.groups(user, None, 50)
    return [(group.place, group.count, group.unread) for group in groups]


def test_every_change_is_news(page: Page, anna: User, leo: User, clip: Video) -> None:
    Video.objects.filter(pk=clip.pk).update(comments_count=1)
    before = shown(anna)
    changed, all_acts = set(), acts(anna, leo, clip)
    for name, act in all_acts.items():
        act()
        status = page.ask()
        if shown(anna) != before:
            assert status == 200, name
            changed.add(name)
        assert page.unread == inbox.unread(anna), name
        before = shown(anna)
        page.ask(expect=304)
    assert set(all_acts) - changed == {"unblock"}, "acts that prove nothing"


def test_a_hidden_comment_is_news_to_whom_it_answers(anna: User, leo: User, page: Page) -> None:
    clip = VideoFactory(author=leo)
    mine = CommentFactory(video=clip, author=anna)
    comments.add_comment(leo, clip.pk, "hi", mine.pk)
    hers = comments.add_comment(UserFactory(), clip.pk, "ho", mine.pk)
    page.ask(expect=200)
    assert page.unread == 2
    for act, unread in ((curating.hide_comment, 1), (curating.show_comment, 2)):
        act(leo, hers.pk)
        page.ask(expect=200)
        assert page.unread == unread


def test_a_bell_is_news_to_its_listeners(leo: User, anna: User, page: Page) -> None:
    people.follow(anna, leo)
    bells.switch_on(anna, leo)
    clip = VideoFactory(author=leo)
    page.ask()
    page.ask(expect=304)
    bells.ring(clip.pk, 0)
    page.ask(expect=200)
    assert page.unread == 1


def test_where_too_many_would_have_to_be_named_everybody_asks_anew(
    page: Page, anna: User, leo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "NAMED_MAX", 1)
    clip = VideoFactory(author=leo)
    other = UserFactory(handle="mia")
    publishing.edit_video(leo, clip.pk, caption="@anna @mia")
    page.ask(expect=200)
    bystander = Page(other)
    bystander.ask(expect=200)
    publishing.delete_video(leo, clip.pk)
    page.ask(expect=200)
    assert page.unread == 0
    bystander.ask(expect=200)
    page.ask(expect=304)


def test_a_rollback_is_no_news(page: Page, anna: User, leo: User, clip: Video) -> None:
    with transaction.atomic():
        engagement.like_video(leo, clip.pk)
        transaction.set_rollback(True)
    page.ask(expect=304)


def test_what_happens_between_the_version_and_the_count_is_told_the_next_time(
    anna: User, leo: User, clip: Video, lasting_names: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(anna)
    unread = inbox.unread

    def late(user: User) -> int:
        found = unread(user)
        monkeypatch.setattr(inbox, "unread", unread)
        engagement.like_video(leo, clip.pk)
        return found

    monkeypatch.setattr(inbox, "unread", late)
    page.ask(expect=200)
    assert page.unread == 0
    page.ask(expect=200)
    assert page.unread == 1


# Who asks.


def test_a_session_that_ends_ends_its_page_and_no_other(anna: User, page: Page) -> None:
    other = Page(anna)
    other.ask(expect=200)
    mine = Session.objects.live().order_by("created_at").first()
    assert mine is not None
    people.end_own_session(anna, mine.pk)
    page.ask(expect=401)
    other.ask(expect=200)
    page.ask(expect=401)
    other.ask(expect=304)
    answer = page.cookies.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_suspended_account_gets_no_more_news(anna: User, page: Page) -> None:
    people.suspend_person(anna.pk, UserFactory(is_superuser=True))
    page.ask(expect=401)


def test_a_token_is_good_for_an_hour_and_the_cookie_gets_another(
    anna: User, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SessionPollToken, "lifetime", timedelta(seconds=-1))
    session = Session.objects.live().get(user=anna)
    page.token = poll_token(anna, str(session.pk))
    page.ask(expect=401)
    monkeypatch.undo()
    page.token = page.cookies.get(PATH).json()["token"]
    page.ask()
    page.ask(expect=304)


def test_the_token_of_a_page_is_good_for_nothing_else(page: Page) -> None:
    api = ApiClient(token=page.token)
    for path in ("/user/me", "/notifications", "/videos/feed", "/notifications/settings"):
        api.get(path, expect=401)
    api.post("/notifications/read", {"all": True}, expect=401)


def test_visitors_have_no_token_and_are_not_answered(db: None) -> None:
    assert b"data-news=" not in Client().get("/explore").content
    assert Client().get(PATH).status_code == 401


# Redis.


@pytest.mark.parametrize("given", [None, "nobody"])
def test_without_redis_postgresql_answers(
    anna: User, leo: User, clip: Video, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    use_client(monkeypatch, nobody_there() if given else None)
    page = Page(anna)
    page.ask(expect=200)
    page.ask(expect=304)
    engagement.like_video(leo, clip.pk)
    page.ask(expect=200)
    assert page.unread == 1
    page.ask(expect=304)
    engagement.unlike_video(leo, clip.pk)
    engagement.like_video(UserFactory(), clip.pk)
    page.ask(expect=200)


@pytest.mark.parametrize("kind", ["down", "deaf", "frozen"])
def test_what_redis_was_not_told_is_news_all_the_same(
    page: Page, anna: User, leo: User, clip: Video, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    silence = Silence(kind)
    use_client(monkeypatch, silence.client)
    engagement.like_video(leo, clip.pk)
    use_client(monkeypatch, connected())
    silence.end()
    page.ask(expect=200)
    assert page.unread == 1
    page.ask(expect=304)


def test_a_redis_that_lost_everything_serves_nothing_stale(
    page: Page, anna: User, leo: User, clip: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it began again after a commit whose message died with its process."""
    with monkeypatch.context() as killed:
        killed.setattr(versions, "change", lambda *_: None)
        engagement.like_video(leo, clip.pk)
    page.ask(expect=304)
    connected().flushdb()
    page.ask(expect=200)
    assert page.unread == 1
    page.ask(expect=304)


def test_versions_do_not_live_for_ever(page: Page, anna: User) -> None:
    """A person's for minutes; everybody's so long that not all who ask come at once for it."""
    name = generation.generation()
    for owner, most in ((anna.pk, 600), (versions.EVERYBODY, 86_400)):
        assert most - 300 < connected().ttl(f"feeds:{name}:news:{owner}") <= most


def test_a_badge_is_on_every_page(page: Page, anna: User, leo: User, clip: Video) -> None:
    engagement.like_video(leo, clip.pk)
    for path in ("/", "/explore", "/settings", "/@anna"):
        assert b">1<span" in page.cookies.get(path).content, path


def test_a_password_change_keeps_the_page_that_made_it(anna: User, page: Page) -> None:
    words = {"current_password": PASSWORD, "new_password": "another good one 7"}
    page.cookies.post("/settings/security", words)
    page.ask(expect=304)


def test_friends_who_part_are_news(page: Page, anna: User, leo: User) -> None:
    befriend(anna, leo)
    User.objects.update(followers_count=1, following_count=1)
    clip = VideoFactory(author=leo, visibility=Visibility.FRIENDS)
    publishing.edit_video(leo, clip.pk, caption="@anna")
    page.ask(expect=200)
    assert page.unread == 1
    people.unfollow(leo, anna)
    page.ask(expect=200)
    assert page.unread == 0


def test_a_purged_account_takes_its_page_along(anna: User, page: Page) -> None:
    people.delete_account(anna)
    purge(anna.pk)
    page.ask(expect=401)
