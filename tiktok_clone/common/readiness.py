"""Whether requests can be served: looked at once a second by each process, however many ask."""

from threading import Lock

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from tiktok_clone.common.recent import Recent
from tiktok_clone.common.storage import stores

# So many seconds one waits for another one's look, which may hang with the database.
PATIENCE = 2.0
NEEDED = ("database", "media")
_looking = Lock()


def look() -> dict[str, str]:
    """Return the state of database, media store and Redis, at most a second old.

    `ok`, or what is wrong in a few words. Redis is optional: see `NEEDED`.
    """
    if not _looking.acquire(timeout=PATIENCE):
        return dict.fromkeys(NEEDED, "no answer yet")
    try:
        return _state.get()
    finally:
        _looking.release()


def forget() -> None:
    """Drop what was found; the next call looks."""
    _state.forget()


def _look() -> dict[str, str]:
    return {"database": _database(), "media": _media(), "redis": _redis()}


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unreachable"
    return "migrations pending" if pending else "ok"


def _media() -> str:
    closed = [kind for kind, each in stores().items() if not each.is_writable()]
    return f"not writable: {', '.join(closed)}" if closed else "ok"


def _redis() -> str:
    cache.set("readyz", 1, 5)
    return "ok" if cache.get("readyz") == 1 else "away (optional)"


_state = Recent(_look)
