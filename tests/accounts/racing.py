"""Runs functions at the same moment, each with a database connection of its own."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

from django.db import connection, transaction


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Start all together; returns what each returned or raised, in order."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        barrier.wait(timeout=30)
        try:
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@contextmanager
def left_open(act: Callable[[], Any]) -> Iterator[None]:
    """Do something in a transaction of another connection, which commits after the block."""
    done, commit = Event(), Event()

    def run() -> None:
        try:
            with transaction.atomic():
                act()
                done.set()
                assert commit.wait(timeout=30)
        finally:
            done.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        assert done.wait(timeout=30)
        try:
            yield
        finally:
            commit.set()
            running.result()


def after_waiting_for(first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """Have one transaction wait for another one; returns what the second act returned."""
    with ThreadPoolExecutor(1) as pool:
        with left_open(first):
            later = pool.submit(at_once, second)
            wait_for_a_lock()
        (found,) = later.result()
    return found


def wait_for_a_lock() -> None:
    """Return as soon as some connection waits for another one."""
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")
