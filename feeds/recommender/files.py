"""Interactions from CSV files `user,item[,type,ts]`, and lists of recommendations into them."""

import csv
import math
import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import NoReturn, TextIO

import numpy as np

from feeds.affinity import WEIGHTS
from feeds.recommender.interactions import Interactions
from tiktok_clone.common.errors import DomainError

COLUMNS = ("user", "item", "type", "ts")
# What columns are called elsewhere, in small letters, without "_", "-" and spaces.
SYNONYMS = {
    "userid": "user",
    "uid": "user",
    "itemid": "item",
    "iid": "item",
    "video": "item",
    "videoid": "item",
    "vid": "item",
    "action": "type",
    "event": "type",
    "eventtype": "type",
    "timestamp": "ts",
    "time": "ts",
    "datetime": "ts",
    "createdat": "ts",
}
# The acts of the site by the words for them; what else a file may say counts like a like.
STRENGTHS: dict[str, float] = asdict(WEIGHTS) | {
    "like": WEIGHTS.liked,
    "save": WEIGHTS.saved,
    "share": WEIGHTS.shared,
    "comment": WEIGHTS.commented,
    "follow": WEIGHTS.followed,
    "watch": WEIGHTS.watched,
    "skip": WEIGHTS.skipped,
}
UNKNOWN_TYPE = 1.0
# Epochs above this are milliseconds: in seconds they would be later than the year 5000.
MILLISECONDS = 1e11


def read(*paths: Path) -> list[Interactions]:
    """Read files that speak of the same users and items; ids stay the strings they are.

    Args:
        paths: CSV in UTF-8. A first line may name the columns, which may then be in any order and
            among others; otherwise they are those of COLUMNS, as many as there are.

    Returns:
        One for each file, all with the same lists of users and items, in the order of their ids.

    Raises:
        DomainError: `interactions_file` when a file cannot be read or has no rows;
            `interactions_row`, naming the line, for a row with too few columns, without user or
            item, or with a time that is none.
    """
    files = [_File(path) for path in paths]
    users, user_places = _ordered(chain.from_iterable(file.user for file in files))
    items, item_places = _ordered(chain.from_iterable(file.item for file in files))
    return [
        Interactions(
            users=users,
            items=items,
            user=np.fromiter((user_places[name] for name in file.user), np.int32),
            item=np.fromiter((item_places[name] for name in file.item), np.int32),
            strength=np.array(file.strength, np.float32),
            at=np.array(file.at) if np.isfinite(file.at).any() else None,
        )
        for file in files
    ]


def write_lists(path: Path, lists: Iterable[tuple[str, Sequence[str]]]) -> int:
    """Write rows `user,item,rank`, the best item of each user first with rank 1.

    Returns:
        The number of rows.
    """
    count = 0
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("user", "item", "rank"))
        for user, items in lists:
            writer.writerows((user, item, rank) for rank, item in enumerate(items, 1))
            count += len(items)
    return count


class _File:
    """The columns of one file as they stand there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.user: list[str] = []
        self.item: list[str] = []
        self.strength = array("f")
        self.at = array("d")
        self.places = {name: place for place, name in enumerate(COLUMNS)}
        try:
            with path.open(newline="", encoding="utf-8-sig") as stream:
                self._take(stream)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DomainError("interactions_file", f"{path} cannot be read: {error}") from error
        if not self.user:
            raise DomainError("interactions_file", f"{path} has no rows.")

    def _take(self, stream: TextIO) -> None:
        lines = csv.reader(stream)
        for number, row in enumerate(lines):
            cells = [cell.strip() for cell in row]
            if number == 0 and (named := _header(cells)):
                self.places = named
            elif any(cells):
                self._add(lines.line_num, cells)

    def _add(self, line: int, cells: list[str]) -> None:
        values = {name: cells[place] for name, place in self.places.items() if place < len(cells)}
        user, item = values.get("user", ""), values.get("item", "")
        if not user or not item:
            missing = "item" if user else "user"
            self._refuse(line, f"there is no {missing}; a row is `user,item[,type,ts]`")
        self.user.append(user)
        self.item.append(item)
        self.strength.append(_strength(values.get("type", "")))
        try:
            self.at.append(_seconds(values.get("ts", "")))
        except ValueError:
            self._refuse(line, f"“{values['ts']}” is no time: give seconds since 1970 or ISO 8601")

    def _refuse(self, line: int, problem: str) -> NoReturn:
        raise DomainError("interactions_row", f"{self.path}, line {line}: {problem}.")


def _header(cells: list[str]) -> dict[str, int] | None:
    """Return the places of the columns when the first line names them."""
    plain = [re.sub(r"[_\-\s]", "", cell).lower() for cell in cells]
    names = [SYNONYMS.get(name, name) for name in plain]
    if not {"user", "item"} <= set(names):
        return None
    return {name: names.index(name) for name in COLUMNS if name in names}


def _strength(kind: str) -> float:
    return STRENGTHS.get(kind.lower(), UNKNOWN_TYPE)


def _seconds(time: str) -> float:
    """Return seconds since 1970, NaN for no time."""
    if not time:
        return math.nan
    try:
        number = float(time)
    except ValueError:
        moment = datetime.fromisoformat(time)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(number):
        raise ValueError(time)
    return number / 1000 if abs(number) > MILLISECONDS else number


def _ordered(names: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    """Return the distinct ids in order, and the place of each."""
    ids = sorted(set(names))
    return ids, {name: place for place, name in enumerate(ids)}
