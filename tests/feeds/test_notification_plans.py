"""What the database reads for notifications, among very many that are not asked for."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from feeds import inbox, news, notifications
from feeds.models import Kind, Notification
from tests.factories import CommentFactory, UserFactory, VideoFactory
from videos.models import Video

pytestmark = pytest.mark.django_db
MANY = 1500
OTHERS = 5


@pytest.fixture
def anna() -> User:
    return UserFactory(handle="anna")


def tell_crowds(*clips: Video) -> None:
    """Have very many people been told of some clips."""
    crowd = User.objects.bulk_create(
        User(email=f"p{n}@example.org", handle=f"p{n}", name="P", password="!") for n in range(MANY)
    )
    Notification.objects.bulk_create(
        Notification(
            recipient=person, actor=clip.author, kind=Kind.NEW_VIDEO, video=clip, topic="new-1-1"
        )
        for person in crowd
        for clip in clips
    )
    analyze()


def analyze() -> None:
    """Have all that the plans depend on counted, not only what this test filled."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE feeds_notification, accounts_user, videos_video, videos_comment")


def plans(act: Callable[[], Any], how: str = "EXPLAIN") -> list[str]:
    """How each statement is done that an act reads notifications with."""
    with CaptureQueriesContext(connection) as captured:
        act()
    asked = [query["sql"] for query in captured if "feeds_notification" in query["sql"]]
    found = []
    with connection.cursor() as cursor:
        for statement in asked:
            cursor.execute(f"{how} {statement}")
            found.append("\n".join(row[0] for row in cursor.fetchall()))
    assert found
    return found


def test_those_for_whom_something_changes_are_found_by_indexes(anna: User) -> None:
    clip, comment = VideoFactory(author=anna), CommentFactory()
    tell_crowds(*[VideoFactory() for _ in range(OTHERS)])
    acts: list[Callable[[], Any]] = [
        lambda: news.note_deleted_person(user=anna),
        lambda: news.note_audience(video=clip),
        lambda: news.note_hidden_comment(comment=comment),
        lambda: news.forget_deleted_video(video=clip),
        lambda: news.forget_deleted_comments(ids=[comment.pk]),
        lambda: news.forget_clips_of_purged(user=anna),
    ]
    for act in acts:
        for plan in plans(act):
            assert "Seq Scan on feeds_notification" not in plan, plan


def test_whom_a_caption_mentions_is_not_looked_for_among_all_who_were_told_of_the_clip(
    anna: User,
) -> None:
    clip = VideoFactory(author=anna)
    tell_crowds(clip)
    for plan in plans(lambda: news.tell_whom_caption_mentions(video=clip)):
        assert "notification_by_caption" in plan, plan


def test_of_a_clip_with_very_many_only_some_are_looked_at(
    anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = VideoFactory(author=anna)
    tell_crowds(clip)
    monkeypatch.setattr(notifications, "LOOKED_AT_MAX", 20)
    (plan,) = plans(lambda: news.note_audience(video=clip), "EXPLAIN ANALYZE")
    assert max(rows_read(plan)) <= 21, plan


def test_the_count_reads_nothing_of_a_kind_that_is_switched_off(anna: User) -> None:
    tell_crowds(*[VideoFactory() for _ in range(OTHERS)])
    clip = VideoFactory(author=anna)
    Notification.objects.bulk_create(
        Notification(recipient=anna, actor=fan, kind=kind, video=video, topic="x")
        for n, fan in enumerate(User.objects.exclude(pk=anna.pk))
        for kind, video in [(Kind.LIKE, clip), *[(Kind.FOLLOW, None)] * (n < 3)]
    )
    notifications.set_switches(anna, {"like": False})
    analyze()
    (plan,) = plans(lambda: inbox.unread(anna), "EXPLAIN ANALYZE")
    lines = plan.splitlines()
    (scan,) = [n for n, line in enumerate(lines) if "Scan on feeds_notification " in line
               or "Scan using notification_unread_kind" in line]  # fmt: skip
    assert rows_read(lines[scan]) == [3], plan
    assert not [line for line in lines[scan : scan + 4] if "Rows Removed" in line], plan
    assert inbox.unread(anna) == 3


def rows_read(plan: str) -> list[float]:
    """How many rows each step of a plan that was carried out had, or threw away."""
    found = re.findall(r"actual[^)]* rows=([\d.]+)|Rows Removed by \w+: (\d+)", plan)
    return [float(kept or removed) for kept, removed in found]
