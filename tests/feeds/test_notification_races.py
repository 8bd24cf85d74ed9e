"""Fifty people's fingers at once, on a real PostgreSQL: one row, there exactly when the act is."""

from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

import pytest

from accounts import services as people
from accounts.models import Follow, User
from feeds import bells
from feeds.models import Bell, Kind, Notification
from tests.accounts.racing import at_once
from tests.factories import CommentFactory, UserFactory, VideoFactory
from tiktok_clone.common.errors import DomainError
from videos.models import CommentLike, Like
from videos.services import comments, engagement, publishing

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 50


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    wide = {scope: (100_000, seconds) for scope, (_, seconds) in settings.THROTTLE_RATES.items()}
    settings.THROTTLE_RATES = wide


def toggle(*acts: Callable[[], Any]) -> None:
    """Do the acts in turn, fifty of them at the same moment; none may fail but by a rule."""
    for answer in at_once(*islice(cycle(acts), AT_ONCE)):
        assert not isinstance(answer, Exception) or isinstance(answer, DomainError), repr(answer)


def check(kind: str, done: bool) -> None:
    """At most one row; present exactly when the act is."""
    rows = Notification.objects.filter(kind=kind)
    assert rows.count() <= 1
    assert rows.filter(retracted_at=None).exists() == done


def test_likes() -> None:
    clip, fan = VideoFactory(), UserFactory()
    for _ in range(2):
        toggle(
            lambda: engagement.like_video(fan, clip.pk),
            lambda: engagement.unlike_video(fan, clip.pk),
        )
        check(Kind.LIKE, Like.objects.exists())


def test_likes_of_comments() -> None:
    comment, fan = CommentFactory(), UserFactory()
    toggle(
        lambda: comments.like_comment(fan, comment.pk),
        lambda: comments.unlike_comment(fan, comment.pk),
    )
    check(Kind.COMMENT_LIKE, CommentLike.objects.exists())


def test_follows_and_bells() -> None:
    creator, fan = UserFactory(), UserFactory()

    def fresh(act: Callable[[User, User], Any]) -> Callable[[], Any]:
        return lambda: act(User.objects.get(pk=fan.pk), User.objects.get(pk=creator.pk))

    toggle(fresh(people.follow), fresh(bells.switch_on), fresh(people.unfollow))
    follows = Follow.objects.exists()
    check(Kind.FOLLOW, follows)
    assert follows or not Bell.objects.exists(), "a bell without its follow"


def test_a_clip_that_goes_while_its_bells_ring() -> None:
    creator = UserFactory()
    clip = VideoFactory(author=creator)
    listeners = [UserFactory() for _ in range(20)]
    Bell.objects.bulk_create(Bell(listener=one, creator=creator) for one in listeners)
    ringing = [lambda: bells.ring(clip.pk, 0)] * 8
    answers = at_once(*ringing, lambda: publishing.delete_video(creator, clip.pk), *ringing)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert not Notification.objects.filter(kind=Kind.NEW_VIDEO).exists()


def test_the_same_bells_rung_by_many_jobs_at_once() -> None:
    creator = UserFactory()
    clip = VideoFactory(author=creator)
    listeners = [UserFactory() for _ in range(20)]
    Bell.objects.bulk_create(Bell(listener=one, creator=creator) for one in listeners)
    answers = at_once(*[lambda: bells.ring(clip.pk, 0)] * 12)
    assert answers == [None] * 12
    told = Notification.objects.filter(kind=Kind.NEW_VIDEO)
    assert sorted(told.values_list("recipient", flat=True)) == [one.pk for one in listeners]
