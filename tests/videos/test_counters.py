"""Counters that drifted are found and mended, and people go without leaving drift."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.factories import UserFactory, VideoFactory
from videos.captions import link_caption
from videos.counters import reconcile
from videos.forgetting import forget_person
from videos.models import Comment, Hashtag, Video
from videos.services import comments, engagement

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy_video() -> Video:
    """A video of one person that three others liked, saved, shared and talked about."""
    video = VideoFactory(caption="#sea", author__videos_count=1)
    link_caption(video)
    for person in UserFactory.create_batch(3):
        engagement.like_video(person, video.pk)
        engagement.save_video(person, video.pk)
        engagement.share_video(person, video.pk)
        root = comments.add_comment(person, video.pk, "root")
        comments.like_comment(person, root.pk)
        for talker in User.objects.exclude(pk=person.pk):
            reply = comments.add_comment(talker, video.pk, "reply", root.pk)
            comments.like_comment(person, reply.pk)
    return video


def test_services_leave_no_drift(busy_video: Video) -> None:
    assert reconcile() == []


def test_drift_is_reported_and_mended(busy_video: Video) -> None:
    Video.objects.update(likes_count=99, comments_count=0)
    User.objects.filter(pk=busy_video.author_id).update(likes_count=7, videos_count=0)
    Hashtag.objects.update(videos_count=5)
    found = {(drift.model, drift.field, drift.found, drift.counted) for drift in reconcile()}
    rows = Comment.objects.count()
    assert found == {
        ("video", "likes_count", 99, 3),
        ("video", "comments_count", 0, rows),
        ("user", "likes_count", 7, 3),
        ("user", "videos_count", 0, 1),
        ("hashtag", "videos_count", 5, 1),
    }
    assert reconcile() == []


def test_a_dry_run_changes_nothing(busy_video: Video, capsys: pytest.CaptureFixture[str]) -> None:
    Video.objects.update(saves_count=8)
    call_command("reconcile_counters", "--dry-run")
    busy_video.refresh_from_db()
    assert busy_video.saves_count == 8
    assert "saves_count is 8, rows are 3" in capsys.readouterr().out


def test_a_person_who_goes_takes_all_that_they_did_along(busy_video: Video) -> None:
    person = busy_video.likes.order_by("pk").first().user  # type: ignore[union-attr]
    forget_person(person.pk)
    assert reconcile() == []
    busy_video.refresh_from_db()
    assert busy_video.likes_count == 2
    assert not Comment.objects.filter(author=person).exists()
    forget_person(person.pk)
    assert reconcile() == []


def test_an_author_who_goes_is_not_counted_in_tags(busy_video: Video) -> None:
    forget_person(busy_video.author_id)
    assert Hashtag.objects.get().videos_count == 0
    assert reconcile() == []


def test_who_goes_takes_locks_in_the_order_of_everybody_else(busy_video: Video) -> None:
    """Hashtags, then people, then what people care for: each waits for those after it alone."""
    person = User.objects.exclude(pk=busy_video.author_id).order_by("pk")[0]
    own = VideoFactory(caption="#sea", author=person)
    link_caption(own)
    with CaptureQueriesContext(connection) as captured:
        forget_person(person.pk)
    statements = [query["sql"] for query in captured]

    def places(*beginnings: str) -> list[int]:
        return [n for n, sql in enumerate(statements) if sql.lstrip().startswith(beginnings)]

    tags = places("SELECT id FROM videos_hashtag")
    people = places('UPDATE "accounts_user"')
    cares = [n for n, sql in enumerate(statements) if "INSERT INTO feeds_affinity" in sql]
    assert [] not in (tags, people, cares)
    assert max(tags) < min(people) <= max(people) < min(cares)
