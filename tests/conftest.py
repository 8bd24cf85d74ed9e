"""Fixtures shared by all tests: real PostgreSQL, real Redis, jobs that really run."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import cloudinary
import pytest
from django.core.cache import cache, caches
from django.db import connection
from django.test import TransactionTestCase
from procrastinate.contrib.django import app
from procrastinate.periodic import PeriodicDeferrer

from accounts.models import User
from feeds import hits
from tests.api_client import ApiClient
from tests.cloudinary import Emulator
from tests.emptying import empty_tables
from tests.factories import UserFactory
from tiktok_clone.common import generation, readiness, signing

RunJobs = Callable[[], None]


@pytest.fixture(scope="session", autouse=True)
def _quick_emptying() -> Iterator[None]:
    """Empty the database in our way after tests that commit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    """No test sees what another one cached."""
    cache.clear()
    caches["at_hand"].clear()
    signing.forget_epoch()
    generation.forget()
    readiness.forget()
    hits._next = float("inf")  # what is written once a minute is no test's doing
    yield
    signing.forget_epoch()
    generation.forget()


@pytest.fixture(autouse=True)
def _no_job_failed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail on a job that failed.

    A test that means a job to fail says so with the `failed_jobs_expected` fixture.
    """
    names = set(request.fixturenames)
    marker = request.node.get_closest_marker("django_db")
    marked = marker is not None and marker.kwargs.get("transaction", False)
    if not marked and not names & {"transactional_db", "live_server"}:
        yield
        return
    # Set up before us, the database is still open when we look into it afterwards.
    request.getfixturevalue("transactional_db")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, args FROM procrastinate_jobs WHERE status = 'failed'")
        failed = cursor.fetchall()
    if failed and "failed_jobs_expected" not in names:
        pytest.fail(f"jobs failed: {failed}")


@pytest.fixture
def failed_jobs_expected() -> None:
    """This test makes jobs fail on purpose."""


@pytest.fixture
def run_jobs(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> RunJobs:
    """Run the worker until no job is left that may start now.

    Without what runs periodically: which of that is due depends on the minute. In a thread of
    its own: where a browser test ran before, Playwright's event loop still runs in this one.
    """

    async def nothing(_: PeriodicDeferrer) -> None:
        """In place of putting in what is due."""

    monkeypatch.setattr(PeriodicDeferrer, "worker", nothing)

    def work() -> None:
        connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
        try:
            with app.replace_connector(connector) as worker_app, worker_app.open():
                worker_app.run_worker(
                    wait=False, listen_notify=False, install_signal_handlers=False, concurrency=1
                )
        finally:
            connection.close()

    def run() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(work).result()

    return run


@pytest.fixture
def api() -> ApiClient:
    """A client of the API that nobody is signed in to."""
    return ApiClient()


@pytest.fixture
def user(db: None) -> User:
    """A person."""
    return UserFactory()


@pytest.fixture
def other(db: None) -> User:
    """Another person."""
    return UserFactory()


@pytest.fixture
def as_user(user: User) -> ApiClient:
    """The API, signed in as `user`."""
    return ApiClient(user)


@pytest.fixture
def as_other(other: User) -> ApiClient:
    """The API, signed in as `other`."""
    return ApiClient(other)


@pytest.fixture
def cloudinary_emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A Cloudinary of this test's own, which its SDK talks to."""
    with Emulator(chunk_min=1) as emulator:
        monkeypatch.setenv("CLOUDINARY_URL", emulator.url)
        cloudinary.reset_config()
        yield emulator
    monkeypatch.undo()
    cloudinary.reset_config()
