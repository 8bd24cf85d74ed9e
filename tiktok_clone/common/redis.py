"""The one way to Redis: short timeouts, and a circuit breaker in front of every socket.

Redis is optional at run time. One that is down answers at once, but one that is frozen costs a
timeout for each call; so after a few failures in a row nobody of this process asks any more,
until one call in a while has found it back. Django's cache and our own client share this.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from redis import Connection, ConnectionError, ConnectionPool, Redis, ResponseError, TimeoutError
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

LOST = (ConnectionError, TimeoutError, OSError)


class CircuitOpenError(ConnectionError):
    """Redis was not there a moment ago, so it was not asked."""


class Breaker:
    """Counts failures in a row; from `most` on it lets one call through each `pause` seconds.

    After M. Nygard, Release It!, "Circuit Breaker". A probe that never tells how it ended
    holds nothing up: after the pause another one follows.

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
        self._lock = threading.Lock()
        self._failures = 0
        self._probe_at = 0.0
        self._prober: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether Redis is taken to be away."""
        return self._failures >= self._most

    def enter(self) -> None:
        """Let a call go on.

        Raises:
            CircuitOpenError: it is open, and it is not this thread's turn to probe.
        """
        if not self.is_open:
            return
        me = threading.get_ident()
        with self._lock:
            if not self.is_open or self._prober == me:
                return
            now = self._clock()
            if now < self._probe_at:
                raise CircuitOpenError("Redis was away a moment ago.")
            self._prober = me
            self._probe_at = now + self._pause

    def succeeded(self) -> None:
        """Redis has answered."""
        if self._failures:
            with self._lock:
                self._failures = 0
                self._prober = None

    def failed(self) -> None:
        """Redis has not answered."""
        with self._lock:
            self._failures += 1
            self._prober = None
            if self.is_open:
                self._probe_at = self._clock() + self._pause


breaker = Breaker()


class _Guarded:
    """What every kind of connection gets in front of its socket."""

    _sock: Any

    def _connect(self) -> Any:
        breaker.enter()
        with _counted():
            return super()._connect()  # type: ignore[misc]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        breaker.enter()
        if self._sock is None:
            self.connect()  # type: ignore[attr-defined]
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
def _guarded(kind: type[Any]) -> type[Any]:
    return type(f"Guarded{kind.__name__}", (_Guarded, kind), {})


class GuardedPool(ConnectionPool):
    """Connections that ask the breaker first; it is what settings.CACHES names."""

    def __init__(self, connection_class: type[Any] = Connection, **options: Any) -> None:
        # A failure is told at once, and no server may stretch our timeouts.
        options.setdefault("retry", Retry(NoBackoff(), 0))
        options.setdefault("maint_notifications_config", MaintNotificationsConfig(enabled=False))
        super().__init__(connection_class=_guarded(connection_class), **options)  # type: ignore[arg-type]


@cache
def client() -> Redis | None:
    """Return the client of this process, for bytes; None where no Redis is set.

    Its calls raise `redis.RedisError` where Redis is away; callers go on without it.
    """
    if not settings.REDIS_URL:
        return None
    pool = GuardedPool.from_url(
        settings.REDIS_URL,
        socket_timeout=settings.REDIS_TIMEOUT,
        socket_connect_timeout=settings.REDIS_TIMEOUT,
    )
    return Redis(connection_pool=pool)
