"""A keyed permutation of [0, n): the seeded shuffle, computable at any rank.

A Feistel network over mixed radix a × b ≥ n with cycle walking, after Black and
Rogaway, "Ciphers with Arbitrary Finite Domains" (2002), and Morris, Rogaway and
Stegers, "How to Encipher Messages on a Small Domain" (2009). Round keys and the round
function are those of splitmix64 (Steele, Lea and Flood, 2014). It hides nothing; it
only has to look random.
"""

from math import ceil, isqrt, sqrt
from typing import Any, TypeVar

import numpy as np

MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
# Below this share of live slots, asking for more at once would read too much for one page.
LEAST_LIVE = 0.05
# One number, or many at once: an array of unsigned 64 bits, which takes a tenth of the time.
Numbers = TypeVar("Numbers", int, "np.ndarray[Any, Any]")


def mix64(x: Numbers) -> Numbers:
    """Return the splitmix64 finalizer of x modulo 2**64."""
    x &= MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def rounds_for(n: int) -> int:
    """Return how many rounds make the permutations of n look uniform; few need many."""
    if n < 256:
        return 24
    return 10 if n < 4096 else 6


def round_keys(seed: int, count: int) -> list[int]:
    """Return the first `count` numbers of splitmix64 started at `seed` (any integer)."""
    return [mix64(seed + i * _GOLDEN) for i in range(1, count + 1)]


class Permutation:
    """The order of one seed: `Permutation(n, seed)(rank)` is the slot at that rank.

    Args:
        n: how many slots there are, 0 or more.
        seed: any integer; taken modulo 2**64.
    """

    def __init__(self, n: int, seed: int) -> None:
        self.n = n
        self._a = isqrt(max(n - 1, 0)) + 1
        self._b = max(ceil_div(n, self._a), 1)
        self._keys = list(enumerate(round_keys(seed, rounds_for(n))))

    def __call__(self, rank: int) -> int:
        """Return the slot at a rank.

        Raises:
            IndexError: the rank is not in [0, n).
        """
        self._check(rank)
        x = self._forth(rank)
        while x >= self.n:
            x = self._forth(x)
        return x

    def inverse(self, slot: int) -> int:
        """Return the rank of a slot.

        Raises:
            IndexError: the slot is not in [0, n).
        """
        self._check(slot)
        x = self._back(slot)
        while x >= self.n:
            x = self._back(x)
        return x

    def slots(self, start: int, count: int) -> list[int]:
        """Return the slots at ranks start, start + 1, …; fewer or none at the end."""
        x = self._forth(np.arange(start, min(start + count, self.n), dtype=np.uint64))
        while (beyond := x >= self.n).any():
            x[beyond] = self._forth(x[beyond])
        slots: list[int] = x.tolist()
        return slots

    def _check(self, x: int) -> None:
        if not 0 <= x < self.n:
            raise IndexError(f"{x} is not in [0, {self.n})")

    def _forth(self, x: Numbers) -> Numbers:
        # Sums stay below 2**64, where arrays would wrap around; those inside mix64 are meant to.
        a, b = self._a, self._b
        r, l = divmod(x, a)  # noqa: E741 (left and right, as in the literature)
        for i, k in self._keys:
            if i & 1:
                r = (r + mix64(l + k) % b) % b
            else:
                l = (l + mix64(r + k) % a) % a  # noqa: E741
        return r * a + l

    def _back(self, x: int) -> int:
        a, b = self._a, self._b
        r, l = divmod(x, a)  # noqa: E741
        for i, k in reversed(self._keys):
            if i & 1:
                r = (r - mix64(l + k)) % b
            else:
                l = (l - mix64(r + k)) % a  # noqa: E741
        return r * a + l


def ceil_div(x: int, y: int) -> int:
    """Return x / y rounded up, in whole numbers."""
    return -(-x // y)


def overfetch(wanted: int, live: float) -> int:
    """Return how many places to look at so that `wanted` of them are most likely live.

    The mean plus two standard deviations of the number of trials.

    Args:
        wanted: how many are needed, 0 or more.
        live: the share of places that are live, taken as at least 0.05 and at most 1.
    """
    d = min(max(live, LEAST_LIVE), 1.0)
    trials = wanted / d
    return ceil(trials + 2 * sqrt(trials * (1 - d) / d))
