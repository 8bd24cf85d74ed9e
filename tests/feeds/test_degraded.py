"""Every order over HTTP, the same to the last clip, whatever Redis does between two pages.

All that is cached is switched on, and Redis is a real one that only these tests use: it is
stopped in the middle (SIGSTOP), ended, emptied and started again.
"""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, RedisError
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from accounts import services as people
from accounts.models import User
from feeds import fanout, prepared, timeline
from feeds.models import PendingFanout
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.caching import Later, signed_in
from tests.feeds.scroll import FEED, ORDERS, follow_up, ids, pages, scroll
from tiktok_clone import servers
from tiktok_clone.common import redis
from videos.models import Video
from videos.services import moderation

every_order = pytest.mark.parametrize(("mode", "order"), ORDERS)
CLIPS = 9
# What Redis does from each page on; the last state stays.
STORIES = {
    "up": ["up"],
    "down": ["down"],
    "frozen": ["frozen"],
    "frozen for a while": ["up", "frozen", "up"],
    "down for a while": ["up", "down", "up"],
    "emptied": ["up", "emptied", "emptied", "up"],
    "all of it": ["up", "up", "frozen", "emptied", "down"],
}


class OwnRedis:
    """A Redis of these tests, and the clock that its breaker goes by."""

    def __init__(self, folder: Path) -> None:
        binary = servers.redis_binary()
        assert binary is not None
        self.now = 0.0
        self.url = servers.redis_url(folder)
        self.server = servers.start_redis(
            binary, servers.Place(folder, folder, os.geteuid(), ephemeral=True)
        )

    def client(self) -> Redis:
        """Of the test alone: it waits until Redis is there."""
        return Redis.from_url(self.url, retry=Retry(ConstantBackoff(0.02), 500))

    def become(self, state: str) -> None:
        """Bring it into a state, from whichever; the breaker is due to look whether it is back."""
        getattr(self, state)()
        self.now += 60

    def up(self) -> None:
        self.server.process.send_signal(signal.SIGCONT)
        if not self.server.running():
            self.server.start()
        with self.client() as redis:
            redis.ping()

    def emptied(self) -> None:
        self.up()
        with self.client() as redis:
            redis.flushall()

    def frozen(self) -> None:
        self.up()
        self.server.process.send_signal(signal.SIGSTOP)

    def down(self) -> None:
        self.server.process.kill()
        self.server.process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="loopy-") as folder:
        ours = OwnRedis(Path(folder))
        yield ours
        ours.down()


@pytest.fixture
def own(server: OwnRedis, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnRedis]:
    """The Redis of this process is ours, and starts empty."""
    settings.REDIS_URL = server.url
    own = {**settings.CACHES["default"], "LOCATION": server.url}
    settings.CACHES = {**settings.CACHES, "default": own}
    monkeypatch.setattr(redis, "breaker", redis.Breaker(clock=lambda: server.now))
    redis._client.cache_clear()
    server.become("emptied")
    yield server
    server.become("up")
    redis._client.cache_clear()


@pytest.fixture
def behind(own: OwnRedis, later: Later, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Later:
    """All is cached; what is done behind the answers is done when the test says so."""
    settings.FEED_CACHED_READERS = 3
    monkeypatch.setattr(timeline, "_builders", lambda: later)
    return later


@pytest.fixture
def friend(user: User) -> User:
    person: User = UserFactory()
    befriend(user, person)
    User.objects.update(followers_count=1, following_count=1)
    return person


@pytest.fixture
def clips(friend: User) -> list[int]:
    """In every mode."""
    return [VideoFactory(author=friend).pk for _ in range(CLIPS)]


@pytest.fixture
def reader(user: User) -> ApiClient:
    return signed_in(user)


def work(behind: Later) -> None:
    """Do what waits behind the answers, as the threads do it: what fails is nobody's business."""
    while behind.waiting:
        with suppress(RedisError):
            behind.waiting.pop(0)()


def hits() -> float:
    """How often a prepared page or a timeline was used."""
    counters = prepared.COUNTED.labels("hit"), timeline.COUNTED.labels("hit")
    return sum(counter._value.get() for counter in counters)


@pytest.mark.django_db
@every_order
@pytest.mark.parametrize("story", STORIES)
def test_the_sequence_is_the_same(
    story: str,
    mode: str,
    order: str,
    reader: ApiClient,
    own: OwnRedis,
    behind: Later,
    clips: list[int],
    settings: Any,
) -> None:
    settings.FEED_CACHED_READERS, cached = 0, settings.FEED_CACHED_READERS
    whole = scroll(reader, mode=mode, order=order, seed=5, limit=50)
    settings.FEED_CACHED_READERS = cached
    assert sorted(whole) == clips
    assert order != "latest" or whole == clips[::-1]
    states = chain(STORIES[story], repeat(STORIES[story][-1]))
    before = hits()
    own.become(next(states))
    if order == "latest":
        reader.get(FEED, {"mode": mode, "limit": 1})  # has the list built
        work(behind)
    seen: list[int] = []
    for page in pages(reader, mode=mode, order=order, seed=5, limit=2):
        seen += ids(page)
        assert page["end"] == (len(seen) == CLIPS)
        work(behind)
        own.become(next(states))
    assert seen == whole
    used = hits() - before
    assert (used == 0) if story in ("down", "frozen") else (used > 0)


# What is done while Redis is away, and which of the clips of an order it takes away.
Change = Callable[[User, User, int], object]
CHANGES: dict[str, Change] = {
    "hidden": lambda _r, _a, video: moderation.hide_video(video),
    "unfollowed": lambda reader, author, _: people.unfollow(reader, author),
    "blocked": lambda reader, author, _: people.block(author, reader),
}


def left(change: str, mode: str, clips: list[int], target: int) -> list[int]:
    """What of some clips of an order is to be seen after a change."""
    if change == "hidden":
        return [pk for pk in clips if pk != target]
    return clips if change == "unfollowed" and mode in ("all", "for-you") else []


@pytest.mark.django_db(transaction=True)
@every_order
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_while_it_is_away_holds_when_it_is_back(
    change: str,
    mode: str,
    order: str,
    user: User,
    friend: User,
    reader: ApiClient,
    own: OwnRedis,
    behind: Later,
    clips: list[int],
) -> None:
    whole = scroll(reader, mode=mode, order=order, seed=5, limit=50)
    page = reader.get(FEED, {"mode": mode, "order": order, "seed": 5, "limit": 3})
    work(behind)
    own.become("frozen")
    CHANGES[change](user, friend, whole[4])
    own.become("up")
    assert scroll(reader, **follow_up(page)) == left(change, mode, whole[3:], whole[4])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", ["following", "friends"])
def test_what_is_published_while_it_is_away_is_there_when_it_is_back(
    mode: str, friend: User, reader: ApiClient, own: OwnRedis, behind: Later, clips: list[int]
) -> None:
    for _ in range(2):
        assert scroll(reader, mode=mode, limit=4) == clips[::-1]
        work(behind)
    own.become("frozen")
    new = VideoFactory(author=friend).pk
    fanout.announce(Video.objects.get(pk=new))
    assert scroll(reader, mode=mode, limit=4) == [new, *clips[::-1]]
    fanout.deliver(new, 0)
    PendingFanout.objects.all().delete()
    own.become("up")
    for _ in range(2):
        assert scroll(reader, mode=mode, limit=4) == [new, *clips[::-1]]
        work(behind)
