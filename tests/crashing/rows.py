"""The table of decision 7: what a crash leaves. Each of its rows has a kill that always runs."""

from enum import StrEnum
from typing import Any

import pytest

in_full = pytest.mark.in_full
covered: set["Row"] = set()


class Row(StrEnum):
    """What is found when a process was killed, or a call lost."""

    ROW_ONLY = "row made, nothing uploaded"
    CHUNKS = "in the middle of chunks"
    ANSWER_LOST = "stored, answer lost"
    WEBHOOK_LOST = "stored, webhook lost"
    WEBHOOK_TWICE = "webhook twice, late, out of order, after the delete"
    TRANSCODE = "killed in the middle of a transcode"
    RENAMED = "renamed, not committed"
    CALL_LOST = "delete committed, call lost"
    RACE = "delete races a late upload"
    RESTORED = "database restored from a backup"


def at(row: Row, *values: Any) -> Any:
    """A kill for a row of the table: the point, and what else the test wants to know."""
    covered.add(row)
    return pytest.param(*values, id=f"{row}: {_told(values)}")


def beside(*values: Any) -> Any:
    """One more point, at which somebody is killed when all of them are asked for."""
    return pytest.param(*values, id=_told(values), marks=in_full)


def _told(values: tuple[Any, ...]) -> str:
    """Without the packages, which say nothing to whoever reads it."""
    return " ".join(str(value).rpartition("common.")[2] for value in values)
