"""What several tests measure."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tiktok_clone.common import generation, recent, signing


def queries_of(act: Callable[[], Any]) -> int:
    """How many queries a call takes, but for what is only asked once in a while."""
    with (
        patch.object(recent, "SECONDS", math.inf),
        CaptureQueriesContext(connection) as captured,
    ):
        generation.generation()
        signing.current_epoch()
        before = len(captured)
        act()
    return len(captured) - before


def run_together(work: Callable[[int], None], threads: int) -> None:
    """Run `work(number)` in threads that start at the same moment; the first error is raised."""
    start = threading.Barrier(threads)

    def one(number: int) -> None:
        try:
            start.wait(timeout=20)
            work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(threads)))
