"""What tests of caches need: PostgreSQL and Redis away, counted, and threads that wait."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import OperationalError, connection
from redis import Connection, ConnectionPool, Redis, ResponseError, TimeoutError
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.retry import Retry
from rest_framework.serializers import BaseSerializer

from accounts.api.tokens import token_pair
from accounts.models import Session, User
from tests.api_client import ApiClient
from tiktok_clone.common import redis
from tiktok_clone.common.generation import generation

MODULES = (
    "feeds.cards",
    "feeds.shelf",
    "feeds.prepared",
    "feeds.recommender.sessions",
    "feeds.timeline",
    "feeds.versions",
    "feeds.writeback",
    "tiktok_clone.common.generation",
)


class Later:
    """Stands for the pool of threads: does nothing until it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] = []

    def submit(self, work: Callable[[], object]) -> bool:
        self.waiting.append(work)
        return True

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


def nobody_there() -> Redis:
    """A client to whom nobody answers."""
    return Redis(unix_socket_path="/nowhere", retry=Retry(NoBackoff(), 0))


class Silence:
    """A Redis that answers no more: every call times out.

    What it is sent is lost ("down"), done at once ("deaf"), or done when it is over ("frozen").
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._waiting: list[bytes] = []
        told = self._told

        class Silent(Connection):
            def connect(self) -> None:
                pass

            def can_read(self, timeout: float = 0) -> bool:
                return False

            def send_packed_command(self, command: list[bytes], check_health: bool = True) -> None:
                told(b"".join(command))
                raise TimeoutError("no answer")

        retry = Retry(NoBackoff(), 0)
        self.client = Redis(connection_pool=ConnectionPool(Silent, retry=retry))

    def end(self) -> None:
        """It reads what waits in its sockets."""
        for sent in self._waiting:
            _send(sent)

    def _told(self, sent: bytes) -> None:
        if self._kind == "deaf":
            _send(sent)
        elif self._kind == "frozen":
            self._waiting.append(sent)


def _send(commands: bytes) -> None:
    """Have the real one do what was packed for it, whatever it answers."""
    pool = connected().connection_pool
    connection = pool.connection_class(**pool.connection_kwargs)
    connection.connect()
    connection.send_packed_command([commands])
    connection.send_command("ECHO", "done")
    answer = None
    while answer != b"done":
        with suppress(ResponseError):
            answer = connection.read_response()
    connection.disconnect()


def signed_in(user: User) -> ApiClient:
    """A client with an access token, as programs have it."""
    session = Session.objects.create(user=user, kind=Session.Kind.API, token_id=uuid.uuid4())
    return ApiClient(token=token_pair(session)["access"])


def use_client(monkeypatch: pytest.MonkeyPatch, given: object) -> None:
    """Give all modules of the caches another client of Redis, or None."""
    for module in MODULES:
        monkeypatch.setattr(f"{module}.client", lambda: given)


@contextmanager
def without_postgresql() -> Iterator[None]:
    """Every query raises."""

    def raise_error(*_: Any) -> None:
        raise OperationalError("PostgreSQL was asked")

    with connection.execute_wrapper(raise_error):
        yield


@contextmanager
def without_serializers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody can make one."""

    def raise_error(*_: Any, **__: Any) -> None:
        raise AssertionError("a serializer was made")

    with monkeypatch.context() as patch:
        patch.setattr(BaseSerializer, "__init__", raise_error)
        yield


@contextmanager
def round_trips(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Collect what is sent to Redis, one entry for each time that an answer is waited for."""
    sent: list[Any] = []
    send = AbstractConnection.send_packed_command

    def counted(self: Any, command: Any, *args: Any, **options: Any) -> Any:
        sent.append(command)
        return send(self, command, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(AbstractConnection, "send_packed_command", counted)
        yield sent


def end_cards() -> None:
    """Have the time of all cards be over, and of the marks in their places."""
    redis = connected()
    for key in redis.scan_iter(f"feeds:{generation()}:card:*", count=1000):
        redis.delete(key)


def connected() -> Any:
    """The client of this process; tests of Redis need it."""
    found = redis.client()
    assert found is not None
    return found
