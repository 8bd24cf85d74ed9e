"""Redis may go away: it is asked once in a while, and never answers for another call."""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis as library
from django.core.cache import cache
from redis.exceptions import ConnectionError, ResponseError

from tiktok_clone import servers
from tiktok_clone.common import redis
from tiktok_clone.common.redis import Breaker, CircuitOpenError, GuardedPool, client


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Breaker:
    """The breaker of this process, with a clock of its own."""
    ours = Breaker(most=3, pause=2.0, clock=clock)
    monkeypatch.setattr(redis, "breaker", ours)
    return ours


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of sockets opened."""
    opened: list[str] = []
    for kind in (library.Connection, library.UnixDomainSocketConnection):
        connect: Callable[..., object] = kind._connect

        def counted(self: object, connect: Callable[..., object] = connect) -> object:
            opened.append(type(self).__name__)
            return connect(self)

        monkeypatch.setattr(kind, "_connect", counted)
    return opened


def nowhere() -> library.Redis:
    """A client of a Redis that is not there."""
    return library.Redis(connection_pool=GuardedPool.from_url("unix:///nowhere/redis.sock"))


@pytest.fixture
def own_redis() -> Iterator[library.Redis]:
    """A client of a Redis that only this test uses: other tests run at the same time."""
    binary = servers.redis_binary()
    assert binary is not None
    with tempfile.TemporaryDirectory(prefix="loopy-") as folder:
        place = servers.Place(Path(folder), Path(folder), os.geteuid(), ephemeral=True)
        server = servers.start_redis(binary, place)
        pool = GuardedPool.from_url(servers.redis_url(Path(folder)), socket_timeout=0.1)
        yield library.Redis(connection_pool=pool)
        server.end()


@pytest.fixture
def frozen_redis(own_redis: library.Redis) -> Iterator[Callable[[], None]]:
    """That Redis does not answer until the given function is called."""
    process = own_redis.info("server")["process_id"]

    def thaw() -> None:
        os.kill(process, signal.SIGCONT)

    os.kill(process, signal.SIGSTOP)
    yield thaw
    thaw()


def lose(times: int) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError) as caught:
            nowhere().ping()
        assert not isinstance(caught.value, CircuitOpenError)


def test_after_three_failures_no_socket_is_touched(breaker: Breaker, sockets: list[str]) -> None:
    lose(3)
    assert breaker.is_open
    assert len(sockets) == 3
    with pytest.raises(CircuitOpenError):
        nowhere().ping()
    working = client()
    assert working is not None
    with pytest.raises(CircuitOpenError):
        working.ping()
    assert len(sockets) == 3


def test_the_cache_of_the_site_shares_it(breaker: Breaker, sockets: list[str]) -> None:
    cache.set("here", 1, 30)
    lose(3)
    asked = len(sockets)
    assert cache.get("here") is None
    assert len(sockets) == asked


def test_one_call_probes_and_an_answer_closes_it(breaker: Breaker, clock: Clock) -> None:
    lose(3)
    working = client()
    assert working is not None
    clock.now += 2
    assert working.ping()
    assert not breaker.is_open


def test_a_probe_that_fails_makes_all_wait_again(breaker: Breaker, clock: Clock) -> None:
    lose(3)
    clock.now += 2
    lose(1)
    with pytest.raises(CircuitOpenError):
        nowhere().ping()


def test_only_one_thread_probes(breaker: Breaker, clock: Clock) -> None:
    lose(3)
    clock.now += 2
    breaker.enter()
    refused: list[bool] = []

    def other() -> None:
        try:
            breaker.enter()
        except CircuitOpenError:
            refused.append(True)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert refused == [True]
    breaker.enter()  # the one that probes goes on
    clock.now += 2
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert refused == [True], "a probe that never ended holds others up"


def test_a_refusal_is_an_answer(breaker: Breaker) -> None:
    working = client()
    assert working is not None
    for _ in range(5):
        with pytest.raises(ResponseError):
            working.execute_command("NO-SUCH-COMMAND")
    assert not breaker.is_open


def test_failures_in_between_do_not_add_up(breaker: Breaker) -> None:
    working = client()
    assert working is not None
    for _ in range(4):
        lose(2)
        assert working.ping()
    assert not breaker.is_open


def test_a_frozen_redis_costs_three_timeouts(
    breaker: Breaker, clock: Clock, own_redis: library.Redis, frozen_redis: Callable[[], None]
) -> None:
    timeouts = 0
    for _ in range(20):
        try:
            own_redis.get("anything")
        except CircuitOpenError:
            pass
        except library.RedisError:
            timeouts += 1
    assert timeouts == 3
    frozen_redis()
    clock.now += 2
    assert own_redis.ping()


def test_a_late_answer_is_never_taken_for_another(
    breaker: Breaker, own_redis: library.Redis, frozen_redis: Callable[[], None]
) -> None:
    with pytest.raises(library.RedisError):
        own_redis.echo("late")
    frozen_redis()
    assert [own_redis.echo(word) for word in ("one", "two", "three")] == [b"one", b"two", b"three"]
