"""A pytest plugin that starts PostgreSQL and Redis for the run, unless DATABASE_URL names one.

It is loaded with `-p` because settings read the addresses before any conftest is imported.
With xdist the controller starts the services and the workers inherit their addresses.
"""

import atexit
import os
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop and the ORM
os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 40)


def _start() -> None:
    from tiktok_clone.embedded import start_services

    folder = tempfile.TemporaryDirectory(prefix="loopy-tests-")
    services = start_services(Path(folder.name), ephemeral=True)
    atexit.register(folder.cleanup)
    atexit.register(services.stop)
    os.environ["DATABASE_URL"] = services.database_url
    if services.redis_url:
        os.environ["REDIS_URL"] = services.redis_url


def _own_redis_database() -> None:
    """Give each xdist worker a Redis database of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    url = os.environ.get("REDIS_URL", "")
    if worker and url:
        number = int(worker.removeprefix("gw")) + 1
        base = url.split("?")[0]
        os.environ["REDIS_URL"] = (
            f"{base}?db={number}" if base.startswith("unix:") else f"{base.rstrip('/0')}/{number}"
        )


def _own_media_folder() -> None:
    """Keep what tests store in a temporary folder of this process."""
    folder = tempfile.TemporaryDirectory(prefix="loopy-media-")
    atexit.register(folder.cleanup)
    (Path(folder.name) / "incoming").mkdir()
    os.environ["MEDIA_ROOT"] = folder.name


_own_media_folder()
if "DATABASE_URL" not in os.environ:
    _start()
_own_redis_database()


def pytest_report_header(config: pytest.Config) -> str:
    """Say what the tests run against."""
    return f"database: {os.environ['DATABASE_URL']}  redis: {os.environ.get('REDIS_URL', 'none')}"
