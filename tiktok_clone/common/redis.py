"""The one way to Redis: short timeouts, and a circuit breaker in front of every call.

Redis is optional at run time. One that is down answers at once, but one that is frozen costs a
timeout for each call; so after a few failures in a row nobody of this process asks any more,
until one call in a while has found it back. Django's cache and our own client share this.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from django.conf import settings
from redis import (
    Connection,
    ConnectionError,
    ConnectionPool,
    Redis,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

# What callers need besides `client`: a connection of any other make would pass the breaker by.
__all__ = ["NoScriptError", "Redis", "RedisError", "client", "left_alone"]

LOST = (ConnectionError, TimeoutError, OSError)


class CircuitOpenError(ConnectionError):
    """Redis was not there a moment ago, so it was not asked."""


class Breaker:
    """Counts failures in a row; from `most` on it lets one call through each `pause` seconds.

    After M. Nygard, Release It!, "Circuit Breaker". Who is let through holds nothing: whether
    that call ever tells how it ended or not, the next one follows after the pause.

    Args:
        most: failures in a row from which it is open.
        pause: seconds between two probes while it is open.
        clock: seconds that only go forward.
    """

    def __init__(
        self, most: int = 3, pause: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._probe_at = 0.0
        self.unlock()

    @property
    def is_open(self) -> bool:
        """Whether Redis is taken to be away."""
        return self._failures >= self._most

    def enter(self) -> None:
        """Let a call go on; to be asked once for each.

        Raises:
            CircuitOpenError: it is open, and another call probes or has just probed.
        """
        if not self.is_open:
            return
        with self._lock:
            if not self.is_open:
                return
            now = self._clock()
            if now < self._probe_at:
                raise CircuitOpenError("Redis was away a moment ago.")
            self._probe_at = now + self._pause

    def succeeded(self) -> None:
        """Redis has answered."""
        if self._failures:
            with self._lock:
                self._failures = 0

    def failed(self) -> None:
        """Redis has not answered."""
        with self._lock:
            self._failures += 1
            if self.is_open:
                self._probe_at = self._clock() + self._pause

    def unlock(self) -> None:
        """Take a lock that nobody holds: the thread that did is not in a process just forked."""
        self._lock = threading.Lock()


breaker = Breaker()
os.register_at_fork(after_in_child=lambda: breaker.unlock())


class _Counted:
    """Tells the breaker how each use of a socket ended, for every kind of connection."""

    def _connect(self) -> Any:
        with _counted():
            return super()._connect()  # type: ignore[misc]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        with _counted():
            super().send_packed_command(command, check_health)  # type: ignore[misc]

    def read_response(self, *args: Any, **options: Any) -> Any:
        with _counted():
            try:
                answer = super().read_response(*args, **options)  # type: ignore[misc]
            except ResponseError:
                breaker.succeeded()  # a refusal is an answer
                raise
        breaker.succeeded()
        return answer


@contextmanager
def _counted() -> Iterator[None]:
    try:
        yield
    except LOST:
        breaker.failed()
        raise


@cache
def _counting(kind: type[Any]) -> type[Any]:
    return type(f"Counted{kind.__name__}", (_Counted, kind), {})


class GuardedPool(ConnectionPool):
    """Gives connections out only where the breaker lets a call through.

    It is what settings.CACHES names.
    """

    def __init__(self, connection_class: type[Any] = Connection, **options: Any) -> None:
        # A failure is told at once, and no server may stretch our timeouts.
        options.setdefault("retry", Retry(NoBackoff(), 0))
        options.setdefault("maint_notifications_config", MaintNotificationsConfig(enabled=False))
        super().__init__(connection_class=_counting(connection_class), **options)  # type: ignore[arg-type]

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """Return a connection, connected.

        Raises:
            CircuitOpenError: Redis was away a moment ago.
            ConnectionError: it is.
        """
        breaker.enter()
        return super().get_connection(*args, **options)


_left_alone: ContextVar[bool] = ContextVar("redis_left_alone", default=False)


@contextmanager
def left_alone() -> Iterator[None]:
    """Have this thread work as without Redis for a while: nothing there is read or changed."""
    token = _left_alone.set(True)
    try:
        yield
    finally:
        _left_alone.reset(token)


def client() -> Redis | None:
    """Return the client of this process, for bytes; None where no Redis is set.

    Its calls raise `redis.RedisError` where Redis is away; callers go on without it.
    """
    return None if _left_alone.get() else _client()


@cache
def _client() -> Redis | None:
    if not settings.REDIS_URL:
        return None
    pool = GuardedPool.from_url(
        settings.REDIS_URL,
        socket_timeout=settings.REDIS_TIMEOUT,
        socket_connect_timeout=settings.REDIS_TIMEOUT,
    )
    return Redis(connection_pool=pool)
