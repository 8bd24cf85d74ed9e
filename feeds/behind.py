"""Work that nobody waits for, in a few threads of this process.

It is not a job, which would cost a query; and whoever does not wait for it loses nothing when it
does not happen, so that it is left out while too much waits.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from django.db import close_old_connections

WAITING = 4  # for each thread, itself included
logger = logging.getLogger(__name__)


class Pool:
    """Threads with a short queue."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = ThreadPoolExecutor(threads, name)
        self._room = BoundedSemaphore(threads * WAITING)

    def submit(self, work: Callable[[], object]) -> bool:
        """Do it soon; returns False where too much waits already."""
        if not self._room.acquire(blocking=False):
            return False
        self._threads.submit(self._run, work)
        return True

    def _run(self, work: Callable[[], object]) -> None:
        close_old_connections()
        try:
            work()
        except Exception as error:
            logger.warning("Work behind an answer (%s): %s", self._name, type(error).__name__)
        finally:
            close_old_connections()
            self._room.release()
