"""What a piece of work costs: processor time of its thread, and memory at most while it ran."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
T = TypeVar("T")


@dataclass(frozen=True)
class Cost(Generic[T]):
    """What was done, and what it took."""

    done: T
    cpu_seconds: float
    peak_mb: float


def measured(act: Callable[[], T]) -> Cost[T]:
    """Do it. The peak is its own on Linux; elsewhere it is that of the process so far."""
    if FORGET.exists():
        FORGET.write_text("5")  # the highest mark of resident memory begins anew
    start = time.thread_time()
    done = act()
    return Cost(done, time.thread_time() - start, _peak_mb())


def _peak_mb() -> float:
    if STATUS.exists():
        lines = STATUS.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
