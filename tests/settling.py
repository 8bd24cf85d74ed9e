"""Let everything come to rest, as if the minutes passed that jobs wait for."""

from collections.abc import Callable

from django.db import connection

from tests.cloudinary import Emulator


def settle(run_jobs: Callable[[], None], emulator: Emulator | None = None, looks: int = 5) -> None:
    """Run jobs, let Cloudinary make what it was asked for, and run those that waited for that.

    Args:
        looks: how often at most; it ends as soon as no job waits.
    """
    for _ in range(looks):
        run_jobs()
        if emulator is not None:
            emulator.wait()
        if not wake_jobs():
            return


def commit() -> None:
    """Do what waits for the commit of the test's own transaction, as if it came now."""
    waiting, connection.run_on_commit = connection.run_on_commit, []
    for _, act, _ in waiting:
        act()


def wake_jobs() -> int:
    """Have what waits for a moment run now; returns how many jobs wait."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
        return cursor.rowcount
