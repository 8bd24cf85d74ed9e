"""The invariants over HTTP, on a real server, while others write as fast as they can.

What a writer has done and been told is done, before a request is sent, must hold in its
answer. Each change is noted with the times around it; each page with those around the
request.
"""

import json
import random
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import Follow, User
from feeds import fanout, prefetch, prepared, timeline
from feeds.behind import Pool
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.scroll import FEED, ORDERS, Page, check, follow_up, ids, scroll
from tests.feeds.worlds import publish
from tiktok_clone.common import redis
from videos import publication, signals
from videos.models import Video
from videos.services import moderation, publishing

STABLE = 30  # videos that nobody touches
SECONDS = 1.5
pytestmark = pytest.mark.django_db(transaction=True)


class Browser:
    """A signed-in client over real HTTP."""

    def __init__(self, address: str, user: User) -> None:
        client = Client()
        client.force_login(user)
        self._address = address
        self._cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies['sessionid'].value}"

    def get(self, path: str, options: dict[str, Any]) -> Page:
        url = f"{self._address}{path}?{urlencode(options)}"
        request = urllib.request.Request(url, headers={"Cookie": self._cookie})  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)


class Writers:
    """Threads that publish, hide, show, delete, follow, unfollow and block without a pause."""

    def __init__(self, reader: User, steady: User, fickle: list[User]) -> None:
        self.reader, self.steady, self.fickle = reader, steady, fickle
        self.gone: dict[int, float] = {}  # video → since when it is certainly not to be seen
        self.errors: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(work, n))
            for n, work in enumerate(self._works())
        ]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def rest(self, number: int) -> None:
        """Let the reader wait after a page of a round."""

    def _works(self) -> tuple[Callable[[random.Random], None], ...]:
        return self._publish_and_take_back, self._relate, self._publish

    def _run(self, work: Any, number: int) -> None:
        chance = random.Random(number)
        try:
            while not self._stop.is_set():
                work(chance)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.close()

    def _publish(self, chance: random.Random) -> None:
        """A transaction that stays open for a while after its stamp: it commits late."""
        with transaction.atomic():
            publish(self.steady)
            time.sleep(chance.random() / 50)

    def _publish_and_take_back(self, chance: random.Random) -> None:
        with transaction.atomic():
            video = publish(chance.choice([self.steady, *self.fickle]))
        rows = Video.objects.filter(pk=video)
        for _ in range(3):
            rows.update(hidden_at=timezone.now())
            self.gone[video] = time.monotonic()
            time.sleep(0.003)
            del self.gone[video]
            rows.update(hidden_at=None)
        rows.delete()
        self.gone[video] = time.monotonic()

    def _relate(self, chance: random.Random) -> None:
        author = chance.choice(self.fickle)
        services.block(self.reader, author)
        services.unblock(self.reader, author)
        services.follow(self.reader, author)
        services.follow(author, self.reader)
        services.unfollow(self.reader, author)


class WritersOfServices(Writers):
    """The same through the services, with what they tell the caches, and one who brings it round.

    Relations change less often, since each change drops what is prepared for the reader.
    """

    def rest(self, number: int) -> None:
        """Every other round is so slow that its pages have been prepared."""
        if number % 2 == 0:
            time.sleep(0.02)  # the server goes on after its answer has been read
            become_idle(prefetch._pool(2))

    def _works(self) -> tuple[Callable[[random.Random], None], ...]:
        return *super()._works(), self._hide_and_show, self._fan_out

    def _publish(self, chance: random.Random) -> None:
        with transaction.atomic():
            publish_and_tell(self.steady)
            time.sleep(chance.random() / 50)

    def _publish_and_take_back(self, chance: random.Random) -> None:
        author = chance.choice([self.steady, *self.fickle])
        video = publish_and_tell(author)
        for _ in range(3):
            moderation.hide_video(video)
            self.gone[video] = time.monotonic()
            time.sleep(0.003)
            del self.gone[video]
            moderation.show_video(video)
        publishing.delete_video(author, video)
        self.gone[video] = time.monotonic()

    def _relate(self, chance: random.Random) -> None:
        super()._relate(chance)
        time.sleep(1)

    def _hide_and_show(self, _: random.Random) -> None:
        """One that has been there for so long that it is on prepared pages."""
        video = Video.objects.filter(author__in=self.fickle).earliest("pk").pk
        moderation.hide_video(video)
        self.gone[video] = time.monotonic()
        time.sleep(0.3)
        del self.gone[video]
        moderation.show_video(video)
        time.sleep(0.3)

    def _fan_out(self, chance: random.Random) -> None:
        for video in fanout.undelivered():
            fanout.deliver(video, 0)
        time.sleep(0.01)


@transaction.atomic
def publish_and_tell(author: User) -> int:
    """Publish a video, as the worker does when it is ready."""
    video = publish(author)
    signals.video_published.send(sender=Video, video=Video.objects.get(pk=video))
    return video


@pytest.fixture(params=[Writers, WritersOfServices], ids=["uncached", "cached"])
def writers_of(request: Any, settings: Any) -> Iterator[type[Writers]]:
    """Who writes; those who tell the caches come with caches, which real threads fill."""
    if request.param is Writers:
        yield Writers
        return
    settings.FEED_CACHED_READERS, settings.FEED_PREFETCH_THREADS = 10, 2
    settings.REDIS_TIMEOUT = 10  # a busy machine is not what this is about
    redis._client.cache_clear()
    yield WritersOfServices
    for pool in (prefetch._pool(2), timeline._builders()):
        become_idle(pool)
    redis._client.cache_clear()


def become_idle(pool: Pool) -> None:
    """Wait until all is done that a pool was given."""
    while pool._room._value < pool._room._initial_value:  # type: ignore[attr-defined]
        time.sleep(0.01)


def scroll_while_it_changes(browser: Browser, writers: Writers, **options: Any) -> Iterator[Page]:
    """Every page of an order, none of which shows what was gone before it was asked for."""
    asked: dict[str, Any] = options
    while True:
        gone_before = dict(writers.gone)
        page = browser.get(FEED, asked)
        # Still gone after the answer and since the same moment: gone all the time.
        gone = {video for video, since in gone_before.items() if writers.gone.get(video) == since}
        assert not gone & set(ids(page)), "4: gone before it was asked for"
        check(page)
        yield page
        if page["end"]:
            return
        asked = follow_up(page)


@pytest.mark.parametrize(("mode", "order"), ORDERS)
def test_invariants_with_concurrent_writers(
    mode: str, order: str, writers_of: type[Writers], live_server: Any
) -> None:
    reader, steady = UserFactory(), UserFactory()
    fickle = UserFactory.create_batch(2)
    befriend(reader, steady)
    for author in fickle:
        for _ in range(5):
            publish(author)
    stable = {publish(steady) for _ in range(STABLE)}
    browser = Browser(live_server.url, reader)
    deadline = time.monotonic() + SECONDS
    chance = random.Random(7)
    hits = prepared.COUNTED.labels("hit")._value
    hits_before, rounds = hits.get(), 0
    with writers_of(reader, steady, fickle) as writers:
        while time.monotonic() < deadline or not rounds:
            seen: list[int] = []
            limit = chance.randint(2, 9)
            for page in scroll_while_it_changes(
                browser, writers, mode=mode, order=order, limit=limit
            ):
                seen += ids(page)
                last = page
                writers.rest(rounds)
            assert len(seen) == len(set(seen)), "2: twice"
            assert stable <= set(seen), "3: live all the time, and not served"
            again = browser.get(FEED, follow_up(last))
            assert (again["end"], again["results"]) == (True, []), "6: the end is absorbing"
            rounds += 1
    assert not writers.errors, writers.errors
    assert writers_of is Writers or hits.get() > hits_before
    assert Follow.objects.filter(follower=reader, followee=steady).exists()


@pytest.mark.parametrize(("mode", "order"), ORDERS)
def test_a_publication_that_commits_late_is_in_no_order_begun_before(mode: str, order: str) -> None:
    """It has its time and its slot, but is not committed when the order begins.

    Another one that is published meanwhile waits for it, so that nothing in a snapshot
    can appear after it.
    """
    reader, author = UserFactory(), UserFactory()
    befriend(reader, author)
    old = [publish(author) for _ in range(3)]
    client = ApiClient(reader)
    stamped, begun = threading.Event(), threading.Event()
    published: list[int] = []

    def late() -> None:
        with transaction.atomic():
            published.append(publish(author))
            stamped.set()
            begun.wait(10)
        connection.close()

    def meanwhile() -> None:
        published.append(publish(author))
        connection.close()

    threads = [threading.Thread(target=late), threading.Thread(target=meanwhile)]
    threads[0].start()
    assert stamped.wait(10)
    threads[1].start()
    page = client.get(FEED, {"mode": mode, "order": order, "limit": 1})
    begun.set()
    for thread in threads:
        thread.join()
    seen = ids(page) + scroll(client, **follow_up(page))
    assert sorted(seen) == old
    assert sorted(scroll(client, mode=mode, order=order)) == sorted(old + published)


def test_what_is_published_while_its_account_becomes_public_has_its_place() -> None:
    """Its row was read before, and the job that places what there is may have come before too."""
    video = VideoFactory(draft=True, author__is_private=True)
    with transaction.atomic():
        locked = publication.lock(video.pk)
        assert locked is not None
        User.objects.filter(pk=video.author_id).update(is_private=False)
        publication.stamp(locked)
    video.refresh_from_db()
    assert video.slot is not None
