"""Prepared next pages: they are used, cost nothing, and equal the page that they stand for."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services as people
from accounts.models import User
from accounts.services import sessions, suspension
from feeds import prefetch, prepared, scripts, services
from feeds.behind import WAITING, Pool
from feeds.models import RefusedTag
from feeds.options import Asked, seed_of
from feeds.paging import Page, look_ahead, make_page
from feeds.prefetch import prepare_after
from feeds.prepared import prepare, take
from feeds.seeds import new_seed
from feeds.shelf import Shelf
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.caching import (
    Later,
    connected,
    end_cards,
    nobody_there,
    round_trips,
    signed_in,
    use_client,
    without_postgresql,
    without_serializers,
)
from tests.feeds.scroll import FEED, ORDERS, check, follow_up, ids, pages, scroll
from tiktok_clone.common.generation import generation
from videos.forgetting import forget_some
from videos.models import Hashtag, Video
from videos.services import engagement, moderation, publishing

pytestmark = pytest.mark.django_db(transaction=True)
every_order = pytest.mark.parametrize(("mode", "order"), ORDERS)


class FrozenTime:
    """Stands for the module `time` of one other module."""

    def __init__(self, now: float) -> None:
        self.time = lambda: now


@pytest.fixture
def friend(user: User) -> User:
    person = UserFactory()
    befriend(user, person)
    User.objects.update(followers_count=1, following_count=1)
    return person


@pytest.fixture
def clips(friend: User) -> list[int]:
    """Nine videos that are in every mode."""
    return [VideoFactory(author=friend).pk for _ in range(9)]


@pytest.fixture
def reader(user: User) -> ApiClient:
    return signed_in(user)


@contextmanager
def counting(result: str = "hit") -> Iterator[Callable[[], int]]:
    """How many prepared pages were looked for with this result."""
    counter = prepared.COUNTED.labels(result)._value
    before = counter.get()
    yield lambda: int(counter.get() - before)


def begin(user: User, mode: str = "following", order: str = "latest", limit: int = 3) -> Page:
    """The first page of an order."""
    return make_page(user, new_seed(mode, order, user.pk), 0, limit)


def after(page: Page) -> Asked:
    """What a client asks for next."""
    return Asked(page.mode, page.order, page.seed, page.next_skip, page.limit)


def videos(page: Page | None) -> list[int]:
    assert page is not None
    return [card.video for card in page.shown]


class TestHotPages:
    """What a prepared page costs."""

    @every_order
    def test_ten_pages_ahead_are_prepared_and_ask_postgresql_nothing(
        self,
        mode: str,
        order: str,
        friend: User,
        reader: ApiClient,
        later: Later,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        published = [VideoFactory(author=friend).pk for _ in range(33)]
        page = reader.get(FEED, {"mode": mode, "order": order, "limit": 3})
        seen = ids(page)
        connected().script_load(scripts.TAKE.text)  # once in the life of a Redis
        with counting() as hits:
            for _ in range(10):
                later.run()
                with (
                    without_postgresql(),
                    without_serializers(monkeypatch),
                    round_trips(monkeypatch) as sent,
                ):
                    page = reader.get(FEED, follow_up(page))
                assert len(sent) <= 2
                check(page)
                seen += ids(page)
            assert hits() == 10
        assert page["end"] is True
        assert sorted(seen) == published

    def test_many_pages_are_prepared_together_and_more_before_they_run_out(
        self, friend: User, reader: ApiClient, later: Later, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published = [VideoFactory(author=friend).pk for _ in range(40)]
        kept = []
        monkeypatch.setattr(prefetch, "prepare", lambda *given: kept.append(prepare(*given)))
        page = reader.get(FEED, {"mode": "following", "limit": 1})
        seen = ids(page)
        later.run()
        with counting() as hits:
            while not page["end"]:
                page = reader.get(FEED, follow_up(page))
                seen += ids(page)
                later.run()
            assert hits() == 39
        assert seen == published[::-1]
        assert 2 <= len(kept) <= 8

    def test_who_overtakes_the_preparation_waits_for_no_second_one(
        self,
        user: User,
        friend: User,
        reader: ApiClient,
        later: Later,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for _ in range(30):
            VideoFactory(author=friend)
        page = reader.get(FEED, {"mode": "following", "limit": 2})
        reader.get(FEED, follow_up(page))
        first, second = later.waiting
        begun: list[Page] = []

        def prepare_meanwhile(*given: Any) -> bool:
            begun.append(given[1])
            if len(begun) == 1:
                second()
            return prepare(*given)

        monkeypatch.setattr(prefetch, "prepare", prepare_meanwhile)
        first()
        assert len(begun) == 1

    def test_who_asked_for_a_second_page_gets_many_prepared(
        self, user: User, friend: User, reader: ApiClient, later: Later
    ) -> None:
        for _ in range(30):
            VideoFactory(author=friend)
        page = reader.get(FEED, {"mode": "following", "limit": 2})
        reader.get(FEED, follow_up(page))
        first, second = later.waiting
        for work, expected in ((first, prepared.FIRST_PAGES), (second, 13)):
            work()
            slot = prepared.look(user.pk)
            assert slot is not None
            assert len(slot.pages) == expected

    def test_at_the_end_of_an_order_nothing_more_is_prepared(
        self, reader: ApiClient, later: Later, clips: list[int]
    ) -> None:
        page = reader.get(FEED, {"mode": "following", "limit": 3})
        later.run()
        Shelf().warm(clips)
        while not page["end"]:
            page = reader.get(FEED, follow_up(page))
            assert later.waiting == []

    def test_cards_that_went_are_put_back_before_the_page_is_asked_for(
        self, user: User, friend: User, reader: ApiClient, later: Later
    ) -> None:
        for _ in range(30):
            VideoFactory(author=friend)
        page = reader.get(FEED, {"mode": "following", "limit": 3})
        later.run()
        end_cards()
        page = reader.get(FEED, follow_up(page))
        assert len(later.waiting) == 1
        with CaptureQueriesContext(connection) as queries:
            later.run()
        assert not any("notinterested" in query["sql"] for query in queries), "prepared anew"
        with counting() as hits, without_postgresql():
            reader.get(FEED, follow_up(page))
            assert hits() == 1

    def test_next_is_enough_to_go_on(self, reader: ApiClient, later: Later, clips: Any) -> None:
        page = reader.get(FEED, {"mode": "friends", "limit": 3})
        later.run()
        with counting() as hits:
            page = reader.get(page["next"])
            assert page["next"].startswith("http://testserver/videos/feed?")
            later.run()
            rest = reader.get(
                FEED, {"mode": "friends", "seed": page["seed"], "skip": 6, "limit": 3}
            )
            assert hits() == 2
        assert ids(page) + ids(rest) == clips[5::-1]

    @every_order
    def test_it_is_the_same_answer(
        self, mode: str, order: str, user: User, reader: ApiClient, later: Later, clips: list[int]
    ) -> None:
        engagement.like_video(user, clips[0])
        engagement.save_video(user, clips[3])
        page = reader.get(FEED, {"mode": mode, "order": order, "limit": 4})
        cold = reader.get(FEED, follow_up(page))
        headers = dict(reader.response.headers)
        reader.get(FEED, {"mode": mode, "order": order, "limit": 4})
        page = reader.get(FEED, follow_up(page, skip=0))
        later.run()
        with counting() as hits:
            assert reader.get(FEED, follow_up(page)) == cold
            assert hits() == 1
        answered = dict(reader.response.headers)
        headers.pop("X-Request-ID")
        answered.pop("X-Request-ID")
        assert answered == headers

    def test_cards_that_are_no_longer_kept_come_from_postgresql(
        self, reader: ApiClient, later: Later, clips: list[int]
    ) -> None:
        page = reader.get(FEED, {"mode": "following", "limit": 3})
        later.run()
        end_cards()
        with counting() as hits, CaptureQueriesContext(connection) as queries:
            page = reader.get(FEED, follow_up(page))
            assert hits() == 1
        assert ids(page) == clips[5:2:-1]
        assert len(queries) == 4

    @pytest.mark.parametrize("path", ["/", "/following", "/friends", "/explore"])
    def test_pages_for_people_are_prepared_too(
        self, path: str, user: User, friend: User, later: Later
    ) -> None:
        published = [VideoFactory(author=friend).pk for _ in range(60)]
        client = Client()
        client.force_login(user)
        shown: list[int] = []
        with counting() as hits:
            following: str | None = path
            asked = 0
            while following:
                html = client.get(following).content.decode()
                asked += 1
                later.run()
                shown += [int(pk) for pk in re.findall(r'data-clip="(\d+)"', html)]
                found = re.search(r'(?:data-next|href)="(/[^"]*\?seed=[^"]+)"', html)
                following = found[1].replace("&amp;", "&") if found else None
            assert hits() == asked - 1 >= 2
        assert path == "/explore" or sorted(shown) == published

    def test_a_forced_refresh_is_never_from_before(
        self, reader: ApiClient, later: Later, friend: User, clips: list[int]
    ) -> None:
        options = {"mode": "following", "limit": 3}
        reader.get(FEED, options)
        later.run()
        new = VideoFactory(author=friend).pk
        assert ids(reader.get(FEED, options))[0] == new

    def test_visitors_and_the_end_prepare_nothing(
        self, user: User, reader: ApiClient, later: Later, clips: list[int]
    ) -> None:
        Client().get("/")
        assert later.waiting == []
        for mode, order in ORDERS:
            options = {"mode": mode, "order": order, "limit": 50}
            assert reader.get(FEED, options)["end"] is True
            later.run()
            assert prepared.look(user.pk) is None

    def test_switched_off_nothing_is_prepared(
        self, settings: Any, later: Later, reader: ApiClient, clips: list[int]
    ) -> None:
        settings.FEED_PREFETCH_THREADS = 0
        scroll(reader, mode="following", limit=2)
        assert later.waiting == []


class TestForWhom:
    """A prepared page is the answer to one request of one reader."""

    @pytest.fixture
    def page(self, reader: ApiClient, later: Later, clips: list[int]) -> Any:
        page = reader.get(FEED, {"mode": "following", "limit": 3})
        later.run()
        return page

    def test_another_reader_is_refused(self, page: Any, other: User) -> None:
        answer = signed_in(other).get(FEED, follow_up(page), expect=400)
        assert answer["code"] == "seed_of_another_reader"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"mode": "friends"}, "seed_of_another_mode"),
            ({"order": "shuffle"}, "_of_another_order"),
        ],
    )
    def test_another_mode_or_order_is_refused(
        self, changes: dict[str, str], code: str, page: Any, reader: ApiClient
    ) -> None:
        assert reader.get(FEED, follow_up(page, **changes), expect=400)["code"].endswith(code)

    @pytest.mark.parametrize("changes", [{"limit": 2}, {"limit": 4}, {"skip": 0}, {"skip": 4}])
    def test_another_slice_is_made_anew(
        self, changes: dict[str, int], page: Any, reader: ApiClient, clips: list[int]
    ) -> None:
        asked = follow_up(page, **changes)
        begin, limit = asked["skip"], asked["limit"]
        assert ids(reader.get(FEED, asked)) == clips[::-1][begin : begin + limit]

    def test_a_seed_that_is_too_old_is_refused(
        self, page: Any, reader: ApiClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tomorrow = time.time() + 25 * 3600
        monkeypatch.setattr("feeds.prepared.time", FrozenTime(tomorrow))
        monkeypatch.setattr("feeds.seeds.time", FrozenTime(tomorrow))
        with counting("expired") as misses:
            assert reader.get(FEED, follow_up(page), expect=400)["code"] == "seed_expired"
            assert misses() == 1

    def test_who_signs_out_gets_nothing_more(self, page: Any, reader: ApiClient) -> None:
        reader.post("/user/signout", expect=204)
        assert reader.get(FEED, follow_up(page), expect=401)["code"] == "session_ended"

    def test_who_is_suspended_gets_nothing_more(
        self, page: Any, reader: ApiClient, user: User
    ) -> None:
        suspension.suspend_person(user.pk, UserFactory(is_superuser=True))
        assert reader.get(FEED, follow_up(page), expect=401)["code"] == "account_gone"

    def test_who_deletes_the_account_gets_nothing_more(
        self, page: Any, reader: ApiClient, user: User
    ) -> None:
        people.delete_account(user)
        assert reader.get(FEED, follow_up(page), expect=401)["code"] == "account_gone"

    @pytest.mark.parametrize(
        "end",
        [
            people.delete_account,
            lambda user: suspension.suspend_person(user.pk, UserFactory(is_superuser=True)),
        ],
        ids=["deleted", "suspended"],
    )
    def test_an_account_takes_its_page_along_without_a_session_that_ends(
        self, end: Callable[[User], object], user: User, later: Later, clips: list[int]
    ) -> None:
        page = begin(user)
        assert prepare(user.pk, page)
        end(user)
        assert take(user.pk, after(page)) is None

    def test_without_a_page_prepared_a_token_is_not_believed(
        self, reader: ApiClient, user: User, clips: list[int]
    ) -> None:
        sessions.end_all_sessions(user, "test")
        assert reader.get(FEED, expect=401)["code"] == "session_ended"

    def test_nothing_is_prepared_for_an_account_that_has_ended(
        self, user: User, later: Later, clips: list[int]
    ) -> None:
        page = begin(user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert prepare(user.pk, page) is False
        assert take(user.pk, after(page)) is None


# What happens between the preparation and the read: the act, and whether the page is made anew.
ACTS: dict[str, tuple[Callable[[User, User, int], object], bool]] = {
    "unfollow": (lambda reader, author, _: people.unfollow(reader, author), True),
    "block": (lambda reader, author, _: people.block(reader, author), True),
    "blocked": (lambda reader, author, _: people.block(author, reader), True),
    "unfriend": (lambda reader, author, _: people.unfollow(author, reader), True),
    "mute": (lambda reader, author, _: people.mute(reader, author), True),
    "mute word": (lambda reader, _a, _v: people.mute_word(reader, "clip"), True),
    "mute hashtag": (lambda reader, _a, _v: people.mute_word(reader, "#clip"), True),
    "refuse": (lambda reader, _, video: services.refuse_video(reader, video), True),
    "like": (lambda reader, _, video: engagement.like_video(reader, video), True),
    "save": (lambda reader, _, video: engagement.save_video(reader, video), True),
    "edit": (
        lambda _, author, video: publishing.edit_video(author, video, caption="other"),
        True,
    ),
    "delete": (lambda _, author, video: publishing.delete_video(author, video), True),
    "hide": (lambda _r, _a, video: moderation.hide_video(video), True),
    "private": (
        lambda _, author, video: publishing.edit_video(author, video, visibility="private"),
        True,
    ),
    "private account": (
        lambda _, author, _v: people.update_profile(author, {"is_private": True}),
        True,
    ),
    "nothing": (lambda *_: None, False),
    "acts of others": (
        lambda _, author, video: engagement.like_video(author, video),
        False,
    ),
}


class TestChanges:
    """What changes between the preparation and the read takes effect at once."""

    @pytest.mark.parametrize("act", ACTS)
    @pytest.mark.parametrize("mode", ["following", "friends", "all"])
    def test_after_the_preparation(
        self,
        act: str,
        mode: str,
        user: User,
        friend: User,
        later: Later,
        clips: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        order = "shuffle" if mode == "all" else "latest"
        page = begin(user, mode, order)
        assert prepare(user.pk, page)
        target = videos(self.direct(user, page))[1]
        do, anew = ACTS[act]
        do(user, friend, target)
        taken = take(user.pk, after(page))
        assert (taken is None) == anew
        assert taken is None or taken == self.direct(user, page)

    @pytest.mark.parametrize("act", [name for name, (_, anew) in ACTS.items() if anew])
    def test_during_the_preparation(
        self,
        act: str,
        user: User,
        friend: User,
        later: Later,
        clips: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """PostgreSQL has been read; the page is not kept yet."""
        page = begin(user)

        def make_and_act(*args: Any) -> Any:
            made = look_ahead(*args)
            ACTS[act][0](user, friend, made[0].shown[1].video)
            return made

        with monkeypatch.context() as patch:
            patch.setattr(prepared, "look_ahead", make_and_act)
            prepare(user.pk, page)
        assert take(user.pk, after(page)) is None

    @pytest.mark.parametrize("act", ["delete", "hide", "private", "private account"])
    def test_after_the_marks_are_over(
        self, act: str, user: User, friend: User, later: Later, clips: list[int]
    ) -> None:
        page = begin(user)
        prepare(user.pk, page)
        target = videos(self.direct(user, page))[1]
        ACTS[act][0](user, friend, target)
        self.marks_are_over()
        assert take(user.pk, after(page)) is None

    @pytest.mark.parametrize("mode", ["for-you", "following", "all"])
    @pytest.mark.parametrize("unwanted", ["muted word", "muted hashtag", "refused hashtag"])
    def test_edited_into_what_the_reader_does_not_want_after_the_marks_are_over(
        self, unwanted: str, mode: str, user: User, friend: User, later: Later, clips: list[int]
    ) -> None:
        if unwanted == "refused hashtag":
            RefusedTag.objects.create(user=user, hashtag=Hashtag.objects.create(name="rain"))
        else:
            people.mute_word(user, "rain" if unwanted == "muted word" else "#rain")
        page = begin(user, mode, {"for-you": "ranked", "all": "shuffle"}.get(mode, "latest"))
        prepare(user.pk, page)
        target = videos(self.direct(user, page))[1]
        publishing.edit_video(friend, target, caption="Then came #rain")
        self.marks_are_over()
        assert take(user.pk, after(page)) is None
        wanted = unwanted == "refused hashtag" and mode != "for-you"
        assert (target in videos(self.direct(user, page))) == wanted

    def test_the_one_that_makes_it_not_the_end_is_looked_at_too(
        self, user: User, later: Later, friend: User, clips: list[int]
    ) -> None:
        page = begin(user, limit=4)
        prepare(user.pk, page)
        publishing.delete_video(friend, clips[0])
        assert take(user.pk, after(page)) is None
        assert self.direct(user, page).end is True

    def test_acts_on_other_videos_leave_the_page(
        self, user: User, later: Later, clips: list[int]
    ) -> None:
        page = begin(user)
        prepare(user.pk, page)
        for pk in videos(page):
            engagement.like_video(user, pk)
        assert take(user.pk, after(page)) is not None

    def test_an_act_before_the_preparation_is_in_it(
        self, user: User, later: Later, clips: list[int]
    ) -> None:
        page = begin(user)
        prepare(user.pk, page)
        [_, target, _] = videos(self.direct(user, page))
        engagement.like_video(user, target)
        prepare(user.pk, page)
        taken = take(user.pk, after(page))
        assert taken is not None
        assert [card["liked"] for card in taken.results] == [False, True, False]

    def test_what_was_removed_with_all_that_somebody_did_is_seen(
        self, user: User, later: Later, clips: list[int]
    ) -> None:
        engagement.like_video(user, clips[4])
        page = begin(user)
        prepare(user.pk, page)
        forget_some(user.pk)
        assert take(user.pk, after(page)) is None

    def test_many_acts_take_no_room(
        self, user: User, later: Later, clips: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(prepared, "MOST_ACTS", 2)
        page = begin(user)
        prepare(user.pk, page)
        for pk in videos(page):
            engagement.like_video(user, pk)
        assert connected().exists(f"feeds:{generation()}:next:{user.pk}") == 0
        assert take(user.pk, after(page)) is None

    def test_an_act_without_anything_prepared_leaves_nothing(
        self, user: User, later: Later, clips: list[int]
    ) -> None:
        engagement.like_video(user, clips[0])
        assert connected().exists(f"feeds:{generation()}:next:{user.pk}") == 0

    def test_a_message_that_is_lost_begins_a_new_generation(
        self, user: User, friend: User, later: Later, clips: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = begin(user)
        prepare(user.pk, page)
        with monkeypatch.context() as patch:
            use_client(patch, nobody_there())
            people.unfollow(user, friend)
        assert take(user.pk, after(page)) is None

    def marks_are_over(self) -> None:
        """Somebody else has the cards made anew, for the people they are for now."""
        end_cards()
        Shelf().warm(list(Video.objects.values_list("pk", flat=True)))

    def direct(self, user: User, page: Page) -> Page:
        """The page as PostgreSQL gives it."""
        asked = after(page)
        reader = User.objects.get(pk=user.pk)
        return make_page(reader, seed_of(asked, user.pk), asked.skip, asked.limit)


class TestRedisAway:
    """The same sequence, whatever is the matter with Redis."""

    @every_order
    @pytest.mark.parametrize("away", [None, nobody_there])
    def test_away(
        self,
        mode: str,
        order: str,
        away: Any,
        reader: ApiClient,
        later: Later,
        clips: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        whole = scroll(reader, mode=mode, order=order, seed=5, limit=50)
        seen: list[int] = []
        for number, page in enumerate(pages(reader, mode=mode, order=order, seed=5, limit=2)):
            seen += ids(page)
            later.run()
            if number == 1:
                use_client(monkeypatch, away and away())
        assert seen == whole
        assert sorted(seen) == clips

    @every_order
    def test_emptied(
        self, mode: str, order: str, reader: ApiClient, later: Later, clips: list[int]
    ) -> None:
        whole = scroll(reader, mode=mode, order=order, seed=5, limit=50)
        seen: list[int] = []
        for page in pages(reader, mode=mode, order=order, seed=5, limit=2):
            seen += ids(page)
            cache.clear()
            later.run()
        assert seen == whole


class TestThreads:
    """The pool: a few threads, a short queue."""

    def test_work_is_done_by_threads_and_dropped_when_too_much_waits(self) -> None:
        pool, go, done = Pool("prefetch", 1), threading.Event(), []
        finished = threading.Semaphore(0)

        def work() -> None:
            go.wait(10)
            done.append(threading.current_thread().name)
            finished.release()

        assert [pool.submit(work) for _ in range(WAITING + 2)] == [True] * WAITING + [False] * 2
        go.set()
        for _ in range(WAITING):
            assert finished.acquire(timeout=10)
        assert len(done) == WAITING
        assert all(name.startswith("prefetch") for name in done)

    def test_what_fails_takes_no_thread_along(self) -> None:
        pool, done = Pool("prefetch", 1), threading.Event()
        pool.submit(lambda: 1 / 0)
        pool.submit(done.set)
        assert done.wait(10)

    def test_threads_close_their_connections(self, user: User) -> None:
        pool, done = Pool("prefetch", 1), threading.Event()
        inside: list[Any] = []

        def work() -> None:
            User.objects.get(pk=user.pk)
            inside.append(connection)
            inside.append(connection.connection)

        def look() -> None:
            inside.append(connection.connection)
            done.set()

        pool.submit(work)
        pool.submit(look)
        assert done.wait(10)
        assert inside[1] is not None
        assert inside[2] is None

    def test_it_waits_until_the_response_has_been_sent(
        self, user: User, later: Later, clips: list[int]
    ) -> None:
        response = HttpResponse()
        prepare_after(response, user.pk, begin(user))
        assert later.waiting == []
        response.close()
        assert len(later.waiting) == 1

    def test_threads_prepare_for_real(
        self, user: User, friend: User, settings: Any, reader: ApiClient, lasting_names: None
    ) -> None:
        settings.FEED_PREFETCH_THREADS = 1
        for _ in range(8):
            VideoFactory(author=friend)
        page = reader.get(FEED, {"mode": "following", "limit": 2})
        key = f"feeds:{generation()}:next:{user.pk}"
        deadline = time.monotonic() + 10
        while not connected().hexists(key, "page0") and time.monotonic() < deadline:
            time.sleep(0.01)
        with counting() as hits:
            reader.get(FEED, follow_up(page))
            assert hits() == 1
        done = threading.Event()
        prefetch._pool(1).submit(done.set)
        assert done.wait(10), "what it prepares after that is not over"
