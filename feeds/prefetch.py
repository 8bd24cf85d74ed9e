"""Prepares next pages after the answer has gone: a few threads of the web process.

It is not a job, which would cost a query; and whoever does not wait for it loses nothing when it
does not happen, so that it is left out while too many wait.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from threading import BoundedSemaphore

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpResponse

from feeds.paging import Page
from feeds.prepared import prepare

WAITING = 4  # for each thread, itself included
logger = logging.getLogger(__name__)


class Pool:
    """Threads with a short queue."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "prefetch")
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
            logger.warning("A page was not prepared: %s", type(error).__name__)
        finally:
            close_old_connections()
            self._room.release()


def prepare_after(response: HttpResponse, reader: int | None, page: Page) -> None:
    """Prepare the page after `page` when the response has been sent; not for visitors (None)."""
    if reader is None or page.end or not settings.FEED_PREFETCH_THREADS:
        return
    work = partial(prepare, reader, page)
    pool = _pool(settings.FEED_PREFETCH_THREADS)
    response._resource_closers.append(partial(pool.submit, work))  # type: ignore[attr-defined]


@cache
def _pool(threads: int) -> Pool:
    return Pool(threads)
