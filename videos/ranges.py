"""Byte ranges of HTTP (RFC 9110, section 14). Pure."""

import re
from dataclasses import dataclass

# One answer never carries more, so that a slow reader holds no thread: players ask again.
LARGEST_PART = 1024 * 1024
_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)
_DIGITS_MAX = 18


@dataclass(frozen=True)
class Part:
    """The bytes from `start` to `end`, both included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start + 1


class UnsatisfiableError(Exception):
    """The range lies outside of the file: 416."""


def parse_range(header: str, size: int) -> Part | None:
    """Return the part of a file of `size` bytes that a Range header asks for, at most 1 MB of it.

    None means that the header is to be ignored: another unit, several ranges, or not a range.

    Raises:
        UnsatisfiableError: it begins behind the end, or asks for the last 0 bytes.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or max(len(group) for group in match.groups()) > _DIGITS_MAX:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        return _suffix(int(last), size)
    start, end = int(first), int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise UnsatisfiableError
    return Part(start, min(end, size - 1, start + LARGEST_PART - 1))


def _suffix(length: int, size: int) -> Part:
    if length == 0 or size == 0:
        raise UnsatisfiableError
    start = max(0, size - length)
    return Part(start, min(size - 1, start + LARGEST_PART - 1))
