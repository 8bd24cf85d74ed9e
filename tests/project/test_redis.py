"""Redis may go away: it is asked once in a while, and never answers for another call."""

import os
import signal
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

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
    return at("unix:///nowhere/redis.sock")


class Line:
    """A way over TCP to the socket of a Redis, which a test may tear."""

    def __init__(self, path: str) -> None:
        self.torn = False
        self.path = path
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._answer, daemon=True).start()

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _answer(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.path)
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.torn and source.family == socket.AF_UNIX:
                    target.sendall(data[:-3])
                    # With no time to linger, close resets.
                    target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RD)  # wakes the other thread
            end.close()


@pytest.fixture
def line() -> Iterator[Line]:
    """A line to a Redis that only this test uses: other tests run at the same time."""
    binary = servers.redis_binary()
    assert binary is not None
    with tempfile.TemporaryDirectory(prefix="loopy-") as folder:
        place = servers.Place(Path(folder), Path(folder), os.geteuid(), ephemeral=True)
        server = servers.start_redis(binary, place)
        line = Line(urlsplit(servers.redis_url(Path(folder))).path)
        yield line
        line.close()
        server.end()


def at(url: str) -> library.Redis:
    """A client of the Redis at an address."""
    pool = GuardedPool.from_url(url, socket_timeout=0.1, socket_connect_timeout=0.1)
    return library.Redis(connection_pool=pool)


@pytest.fixture(params=["unix", "tcp"])
def own_redis(request: pytest.FixtureRequest, line: Line) -> library.Redis:
    """A client of that Redis, by its socket and over TCP."""
    return at(line.url if request.param == "tcp" else f"unix://{line.path}")


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


def test_one_call_probes_whether_it_tells_how_it_ended_or_not(
    breaker: Breaker, clock: Clock
) -> None:
    lose(3)
    for _ in range(2):
        clock.now += 2
        breaker.enter()  # and never tells
        for _ in range(3):
            with pytest.raises(CircuitOpenError):
                breaker.enter()
    clock.now += 2
    working = client()
    assert working is not None
    assert working.ping()
    assert not breaker.is_open


def test_a_call_on_a_new_connection_is_one_probe(
    breaker: Breaker, clock: Clock, own_redis: library.Redis
) -> None:
    lose(3)
    clock.now += 2
    assert own_redis.ping()


def test_a_process_forked_while_the_lock_is_held_goes_on(breaker: Breaker) -> None:
    lose(3)
    with breaker._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            try:
                breaker.enter()
            except CircuitOpenError:
                os._exit(7)
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def test_refused_over_tcp(breaker: Breaker, sockets: list[str]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and nobody listens
        redis = at(f"redis://127.0.0.1:{nobody.getsockname()[1]}")
        for _ in range(3):
            with pytest.raises(ConnectionError, match="refused"):
                redis.ping()
        with pytest.raises(CircuitOpenError):
            redis.ping()
    assert len(sockets) == 3


def test_accepted_over_tcp_but_never_answered(breaker: Breaker, sockets: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        redis = at(f"redis://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(3):
            with pytest.raises(library.TimeoutError):
                redis.ping()
        with pytest.raises(CircuitOpenError):
            redis.ping()
    assert len(sockets) == 3


def test_a_connection_reset_within_an_answer(breaker: Breaker, clock: Clock, line: Line) -> None:
    redis = at(line.url)
    assert redis.set("word", "whole")
    line.torn = True
    for _ in range(3):
        with pytest.raises(ConnectionError, match="reset"):
            redis.get("word")
    with pytest.raises(CircuitOpenError):
        redis.get("word")
    line.torn = False
    clock.now += 2
    assert redis.get("word") == b"whole"
    assert not breaker.is_open


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
