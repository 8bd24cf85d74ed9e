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
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import Follow, User
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.scroll import FEED, ORDERS, Page, check, follow_up, ids, scroll
from tests.feeds.worlds import publish
from videos import publication
from videos.models import Video

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
            for n, work in enumerate((self._publish_and_take_back, self._relate, self._publish))
        ]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

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
def test_invariants_with_concurrent_writers(mode: str, order: str, live_server: Any) -> None:
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
    with Writers(reader, steady, fickle) as writers:
        rounds = 0
        while time.monotonic() < deadline or not rounds:
            seen: list[int] = []
            limit = chance.randint(2, 9)
            for page in scroll_while_it_changes(
                browser, writers, mode=mode, order=order, limit=limit
            ):
                seen += ids(page)
                last = page
            assert len(seen) == len(set(seen)), "2: twice"
            assert stable <= set(seen), "3: live all the time, and not served"
            again = browser.get(FEED, follow_up(last))
            assert (again["end"], again["results"]) == (True, []), "6: the end is absorbing"
            rounds += 1
    assert not writers.errors, writers.errors
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
