"""What is read at most once a second by each process, however many ask."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.core.signals import setting_changed

T = TypeVar("T")
SECONDS = 1.0


class Recent(Generic[T]):
    """The value that `read` returned less than SECONDS ago, or returns now."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._known: tuple[float, T] | None = None
        setting_changed.connect(self.forget)

    def get(self) -> T:
        """Return the value; raises what `read` raises."""
        known = self._known
        # From before it is read: what was found may be old when it comes back.
        now = time.monotonic()
        if known is None or now - known[0] > SECONDS:
            known = self._known = (now, self._read())
        return known[1]

    def last(self, default: T) -> T:
        """Return the value that was read last, however old it is."""
        return default if self._known is None else self._known[1]

    def forget(self, **_: object) -> None:
        """Have the next `get` read."""
        self._known = None
