"""The administration of videos, comments, reports and tags."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import CommentFactory, UserFactory, VideoFactory
from tests.videos.measuring import queries_of
from videos import signals
from videos.captions import link_caption
from videos.counters import reconcile
from videos.models import Comment, Hashtag, Report, Video
from videos.services import comments, engagement, moderation

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def listing(name: str) -> str:
    return reverse(f"admin:videos_{name}_changelist")


@pytest.mark.parametrize("name", ["video", "comment", "report", "hashtag"])
def test_each_list_takes_the_same_number_of_queries_for_1_and_20(name: str, staff: Client) -> None:
    counts = []
    for wanted in (1, 20):
        for number in range(wanted - Video.objects.count()):
            video = VideoFactory(caption=f"#tag{number}")
            link_caption(video)
            CommentFactory(video=video)
            engagement.report_video(UserFactory(), video.pk, "spam")
        counts.append(queries_of(lambda: staff.get(listing(name))))
    assert counts[0] == counts[1]


def test_a_video_is_searched_opened_and_previewed(staff: Client) -> None:
    video = VideoFactory(caption="find me")
    VideoFactory()
    response = staff.get(listing("video"), {"q": "find me"})
    assert [row.pk for row in response.context["cl"].result_list] == [video.pk]
    html = staff.get(reverse("admin:videos_video_change", args=[video.pk])).content.decode()
    assert f"{video.folder}/1/360.mp4" in html
    assert "<video" in html


def test_a_video_is_hidden_and_shown_again_and_its_reports_are_closed(staff: Client) -> None:
    video = VideoFactory(caption="#sea", author__videos_count=1)
    link_caption(video)
    engagement.report_video(UserFactory(), video.pk, "spam")
    staff.post(listing("video"), {"action": "hide", "_selected_action": [video.pk]})
    video.refresh_from_db()
    assert video.hidden_at is not None
    assert not Video.objects.published().exists()
    assert Hashtag.objects.get().videos_count == 0
    assert Report.objects.get().resolved_at is not None
    assert reconcile() == []
    staff.post(listing("video"), {"action": "show", "_selected_action": [video.pk]})
    video.refresh_from_db()
    assert video.hidden_at is None
    assert Hashtag.objects.get().videos_count == 1
    assert reconcile() == []


def test_hiding_twice_is_told_once() -> None:
    video = VideoFactory()
    told: list[int] = []

    def hear(video: Video, **_: object) -> None:
        told.append(video.pk)

    signals.video_hidden.connect(hear)
    try:
        assert moderation.hide_video(video.pk)
        assert not moderation.hide_video(video.pk)
    finally:
        signals.video_hidden.disconnect(hear)
    assert told == [video.pk]
    assert moderation.show_video(video.pk)
    assert not moderation.show_video(video.pk)
    assert not moderation.hide_video(0)


def test_a_comment_is_deleted_with_its_thread_and_counted(staff: Client) -> None:
    video = VideoFactory(author__videos_count=1)
    person = UserFactory()
    root = comments.add_comment(person, video.pk, "root")
    reply = comments.add_comment(person, video.pk, "reply", root.pk)
    body = {
        "action": "delete_selected",
        "_selected_action": [root.pk, reply.pk],
        "post": "yes",
    }
    staff.post(listing("comment"), body)
    assert not Comment.objects.exists()
    assert reconcile() == []


def test_a_video_is_deleted_like_its_author_would(staff: Client) -> None:
    video = VideoFactory(author__videos_count=1)
    engagement.like_video(UserFactory(), video.pk)
    path = reverse("admin:videos_video_delete", args=[video.pk])
    assert staff.post(path, {"post": "yes"}).status_code == 302
    assert not Video.objects.exists()
    assert reconcile() == []


def test_nothing_is_added_by_hand(staff: Client) -> None:
    for name in ("video", "comment", "report", "hashtag"):
        assert staff.get(reverse(f"admin:videos_{name}_add")).status_code == 403


def test_a_report_is_closed(staff: Client) -> None:
    engagement.report_video(UserFactory(), VideoFactory().pk, "spam")
    report = Report.objects.get()
    staff.post(listing("report"), {"action": "resolve", "_selected_action": [report.pk]})
    report.refresh_from_db()
    assert report.resolved_at is not None
