"""Work that nobody waits for, in a few threads of this process.

It is not a job, which would cost a query; and whoever does not wait for it loses nothing when it
does not happen, so that it is left out while too much waits.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from django.db import close_old_connections

THREADS = 2
WAITING = 8
logger = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(THREADS, "behind")
_room = BoundedSemaphore(WAITING)


def run(work: Callable[[], object]) -> bool:
    """Do it soon; returns False where too much waits already."""
    if not _room.acquire(blocking=False):
        return False
    _threads.submit(_run, work)
    return True


def _run(work: Callable[[], object]) -> None:
    close_old_connections()
    try:
        work()
    except Exception as error:
        logger.warning("Work behind an answer failed: %s", type(error).__name__)
    finally:
        close_old_connections()
        _room.release()
