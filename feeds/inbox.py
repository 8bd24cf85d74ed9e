"""Reading notifications: in groups, the latest first, and how many are unread.

A group is what is told of one thing on one day (`topic`), so all of it is among the rows of that
day. A page therefore reads whole days, the latest first, until it has enough groups; a list of
any length costs what lies in the days that are shown.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.models import User
from feeds.models import Notification
from feeds.notifications import day_of
from feeds.seeds import micros, moment
from tiktok_clone.common.errors import DomainError, invalid
from videos.text import read_id

# Rows that a page looks at before it takes the rest of their last day.
WINDOW = 1000
# The unread are counted up to here; so many stand for so many and more.
UNREAD_MAX = 1000
# Rows of a group that are looked at for its latest people.
TOP_ROWS = 10
TOPIC = re.compile(r"[-\w]{1,80}", re.ASCII)
_LATEST = 10**16  # microseconds: the year 2286
ORDER = ("-created_at", "-id")
Place = tuple[datetime, str]  # the latest row of a group, and its topic


@dataclass(frozen=True)
class Group:
    """What somebody is told of one thing on one day."""

    topic: str
    kind: str
    latest_at: datetime
    count: int
    people_count: int
    unread: int
    rows: list[Notification] = field(default_factory=list)  # the latest, at least one

    @property
    def people(self) -> list[User]:
        """The latest people of it, each once."""
        return list({row.actor_id: row.actor for row in self.rows if row.actor}.values())

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return self.latest_at, self.topic


def groups(user: User, after: Place | None, limit: int) -> tuple[list[Group], Place | None]:
    """Return a page of groups, the latest first.

    Args:
        after: the place of the last group of the page before.

    Returns:
        The groups, and the place of the last one where more follow.
    """
    found: list[dict[str, Any]] = []
    ceiling = _midnight(after[0]) + timedelta(days=1) if after else None
    while len(found) <= limit:
        floor = _floor(user, ceiling)
        found += _between(user, floor, ceiling, after)[: limit + 1 - len(found)]
        if floor is None:
            break
        ceiling = floor
    page = [Group(**facts) for facts in found[:limit]]
    return _with_rows(user, page), page[-1].place if len(found) > limit else None


def group_rows(user: User, topic: str) -> "QuerySet[Notification]":
    """Return all of a group, the latest first, with what is shown of each."""
    day = day_of(topic)
    rows = Notification.objects.shown_to(user).order_by(*ORDER)
    if day is None:
        return rows.none()
    return _loaded(rows.filter(topic=topic, created_at__gte=day[0], created_at__lt=day[1]))


def group_page(
    user: User, topic: str, after: Place | None, limit: int
) -> tuple[list[Notification], Place | None]:
    """Return a page of a group, the latest first.

    Args:
        after: the place of the last row of the page before: its time, and its id as text.

    Returns:
        The rows, and the place of the last one where more follow.

    Raises:
        DomainError: `invalid`, for the place of something else.
    """
    rows = group_rows(user, topic)
    if after is not None:
        last = read_id(after[1])
        if last is None:
            raise _wrong_place("after")
        rows = rows.filter(Q(created_at__lt=after[0]) | Q(created_at=after[0], id__lt=last))
    found = list(rows[: limit + 1])
    page = found[:limit]
    return page, (page[-1].created_at, str(page[-1].pk)) if len(found) > limit else None


def unread(user: User) -> int:
    """Return how many notifications are unread, up to UNREAD_MAX."""
    return Notification.objects.shown_to(user).unread()[:UNREAD_MAX].count()


def write_place(place: Place) -> str:
    """Return the place of a group, or of a row in it, as text."""
    return f"{micros(place[0])}-{place[1]}"


def read_place(option: str, raw: str | None) -> Place | None:
    """Return the place that a text names; None for none.

    Raises:
        DomainError: `invalid`, for what no page returned.
    """
    if not raw:
        return None
    time, _, topic = raw.partition("-")
    latest = read_id(time)
    if latest is None or latest > _LATEST or not TOPIC.fullmatch(topic):
        raise _wrong_place(option)
    return moment(latest), topic


def fingerprint(user: User) -> str:
    """Return what changes with the count and the first page of the list, of the rows themselves."""
    first, _ = groups(user, None, 20)
    facts = [
        (group.place, group.count, group.unread, [row.pk for row in group.rows]) for group in first
    ]
    state = repr((unread(user), facts)).encode()
    return f"sql-{hashlib.sha256(state).hexdigest()[:16]}"


def _wrong_place(option: str) -> DomainError:
    return invalid(option, "invalid_cursor", "Pass what the previous page returned.")


def _floor(user: User, ceiling: datetime | None) -> datetime | None:
    """Return the begin of the day on which WINDOW rows before a time are reached; None: fewer."""
    rows = Notification.objects.filter(recipient=user.pk, retracted_at=None)
    if ceiling is not None:
        rows = rows.filter(created_at__lt=ceiling)
    times = rows.order_by("-created_at").values_list("created_at", flat=True)
    reached = times[WINDOW : WINDOW + 1].first()
    return _midnight(reached) if reached else None


def _between(
    user: User, floor: datetime | None, ceiling: datetime | None, after: Place | None
) -> "QuerySet[Any, Any]":
    """The groups of some whole days, without those before and at a place."""
    rows = Notification.objects.shown_to(user)
    if floor is not None:
        rows = rows.filter(created_at__gte=floor)
    if ceiling is not None:
        rows = rows.filter(created_at__lt=ceiling)
    grouped = rows.values("topic", "kind").annotate(
        latest_at=Max("created_at"),
        count=Count("pk"),
        people_count=Count("actor", distinct=True),
        unread=Count("pk", filter=Q(read_at=None)),
    )
    if after is not None:
        latest, topic = after
        grouped = grouped.filter(Q(latest_at__lt=latest) | Q(latest_at=latest, topic__lt=topic))
    return grouped.order_by("-latest_at", "-topic")


def _with_rows(user: User, page: list[Group]) -> list[Group]:
    """Add the latest rows of each group, in one query."""
    if not page:
        return []
    rows = Notification.objects.shown_to(user).filter(
        topic__in=[group.topic for group in page],
        created_at__gte=_midnight(page[-1].latest_at),
        created_at__lte=page[0].latest_at,
    )
    place = Window(
        RowNumber(), partition_by="topic", order_by=[F("created_at").desc(), F("id").desc()]
    )
    top = _loaded(rows.alias(place=place).filter(place__lte=TOP_ROWS)).order_by(*ORDER)
    by_topic = {group.topic: group.rows for group in page}
    for row in top:
        by_topic[row.topic].append(row)
    # What is shown may have changed since the first query.
    return [group for group in page if group.rows]


def _loaded(rows: "QuerySet[Notification]") -> "QuerySet[Notification]":
    return rows.select_related("actor", "video__author", "comment")


def _midnight(when: datetime) -> datetime:
    return datetime.combine(when.astimezone(UTC).date(), time.min, UTC)
