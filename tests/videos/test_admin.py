"""The administration of videos, comments, reports and tags."""

from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Decision
from tests.factories import CommentFactory, UserFactory, VideoFactory
from tests.videos.measuring import queries_of
from videos import signals
from videos.admin.clips import VideoAdmin
from videos.captions import link_caption
from videos.counters import reconcile
from videos.models import Comment, Hashtag, Report, Status, Video
from videos.services import comments, engagement, moderation

pytestmark = pytest.mark.django_db

WHY = {"reason": "spam", "words": "Ads."}


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
    staff.post(listing("video"), {"action": "hide", "_selected_action": [video.pk], **WHY})
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


def test_a_form_that_is_sent_by_hand_writes_nothing(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = VideoFactory()
    read = VideoAdmin.get_object

    def meanwhile_liked(*args: Any) -> Video | None:
        found = read(*args)
        Video.objects.filter(pk=video.pk).update(likes_count=7)
        return found

    monkeypatch.setattr(VideoAdmin, "get_object", meanwhile_liked)
    nothing = {
        f"{formset}-{name}": 0
        for formset in ("renditions", "subtitles")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    path = reverse("admin:videos_video_change", args=[video.pk])
    assert staff.post(path, nothing).status_code == 302
    video.refresh_from_db()
    assert video.likes_count == 7


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
    html = staff.post(listing("comment"), body, follow=True).content.decode()
    assert "Nothing was deleted" in html
    assert Comment.objects.count() == 2
    staff.post(listing("comment"), body | WHY)
    assert not Comment.objects.exists()
    assert {decision.subject for decision in Decision.objects.all()} == {"root", "reply"}
    assert reconcile() == []


def test_a_video_is_deleted_like_its_author_would(staff: Client) -> None:
    video = VideoFactory(author__videos_count=1)
    engagement.like_video(UserFactory(), video.pk)
    path = reverse("admin:videos_video_delete", args=[video.pk])
    assert staff.post(path, {"post": "yes", "reason": "other"}).status_code == 302
    assert Video.objects.exists()  # something else is no reason without words
    assert staff.post(path, {"post": "yes", **WHY}).status_code == 302
    assert not Video.objects.exists()
    assert reconcile() == []


def test_nothing_is_added_by_hand(staff: Client) -> None:
    for name in ("video", "comment", "report", "hashtag"):
        assert staff.get(reverse(f"admin:videos_{name}_add")).status_code == 403


def test_the_queue_shows_each_reported_clip_once_the_most_reported_first(staff: Client) -> None:
    video, other = VideoFactory(), VideoFactory()
    engagement.report_video(UserFactory(), other.pk, "hate", "look at this")
    for reason in ("spam", "spam", "nudity"):
        engagement.report_video(UserFactory(), video.pk, reason)
    response = staff.get(reverse("admin:videos_report_queue"))
    entries = response.context["entries"]
    assert [(entry["video"], entry["total"]) for entry in entries] == [(video, 3), (other, 1)]
    assert entries[0]["reasons"] == [("Spam or misleading", 2), ("Nudity or sexual content", 1)]
    assert [report.text for report in entries[1]["texts"]] == ["look at this"]
    assert f"{video.folder}/1/360.mp4" in response.content.decode()


def test_the_queue_shows_a_few_texts_of_each_clip(staff: Client) -> None:
    video = VideoFactory()
    for number in range(8):
        engagement.report_video(UserFactory(), video.pk, "spam", f"text {number}")
    (entry,) = staff.get(reverse("admin:videos_report_queue")).context["entries"]
    assert [report.text for report in entry["texts"]] == [f"text {n}" for n in (7, 6, 5, 4, 3)]


def test_the_queue_takes_the_same_number_of_queries_for_1_and_12(staff: Client) -> None:
    counts = []
    for wanted in (1, 12):
        for _ in range(wanted - Video.objects.count()):
            engagement.report_video(UserFactory(), VideoFactory().pk, "spam", "why")
        counts.append(queries_of(lambda: staff.get(reverse("admin:videos_report_queue"))))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("outcome", Report.Outcome.values)
def test_an_answer_in_the_queue_does_it_closes_the_reports_and_is_logged(
    outcome: str, staff: Client
) -> None:
    video = VideoFactory(author__videos_count=1)
    engagement.report_video(UserFactory(), video.pk, "spam")
    path = reverse("admin:videos_report_answer", args=[video.pk])
    response = staff.post(path, {"outcome": outcome, "page": "1", **WHY})
    assert response.status_code == 302
    assert not Report.objects.filter(resolved_at=None).exists()
    shown = Video.objects.published().filter(pk=video.pk).exists()
    assert shown is (outcome in ("dismissed", "shown", "warned"))
    told = Decision.objects.filter(person=video.author_id, reason="spam", words="Ads.")
    assert told.exists() is (outcome not in ("dismissed", "shown"))
    assert Video.objects.filter(pk=video.pk).exists() is (outcome != "removed")
    entry = LogEntry.objects.get()
    assert "1 reports closed" in entry.change_message
    assert entry.object_id == str(video.pk)
    assert reconcile() == []


def test_an_answer_that_does_not_exist_is_refused(staff: Client) -> None:
    path = reverse("admin:videos_report_answer", args=[VideoFactory().pk])
    assert staff.post(path, {"outcome": "explode"}).status_code == 404
    assert staff.get(path).status_code == 405


def test_an_answer_to_a_clip_that_is_gone_says_so(staff: Client) -> None:
    path = reverse("admin:videos_report_answer", args=[7])
    html = staff.post(path, {"outcome": "hidden", **WHY}, follow=True).content.decode()
    assert "There is no such video" in html


def moderator(*permissions: str) -> Client:
    """A browser of somebody of the staff with these permissions alone."""
    person = UserFactory(is_staff=True)
    for permission in permissions:
        person.user_permissions.add(Permission.objects.get(codename=permission))
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize(
    ("outcome", "needed"),
    [
        ("dismissed", None),
        ("shown", "change_video"),
        ("warned", "change_user"),
        ("hidden", "change_video"),
        ("removed", "delete_video"),
        ("suspended", "change_user"),
    ],
)
def test_each_answer_takes_the_permission_to_do_it_elsewhere(
    outcome: str, needed: str | None
) -> None:
    video = VideoFactory()
    engagement.report_video(UserFactory(), video.pk, "spam")
    path = reverse("admin:videos_report_answer", args=[video.pk])
    queue = reverse("admin:videos_report_queue")
    assert moderator().get(queue).status_code == 403
    looks = moderator("view_report")
    html = looks.get(queue).content.decode()
    assert 'name="outcome"' not in html
    assert looks.post(path, {"outcome": outcome}).status_code == 403
    if needed is not None:
        answers = moderator("view_report", "change_report")
        assert answers.post(path, {"outcome": outcome}).status_code == 403
    allowed = ["view_report", "change_report", *([needed] if needed else [])]
    assert moderator(*allowed).post(path, {"outcome": outcome}).status_code == 302


def test_buttons_on_the_page_of_a_video(staff: Client) -> None:
    video = VideoFactory()
    path = reverse("admin:videos_video_change", args=[video.pk])
    act = partial(reverse, "admin:videos_video_act")
    assert act(args=[video.pk, "hide"]) in staff.get(path).content.decode()
    staff.post(act(args=[video.pk, "hide"]))
    video.refresh_from_db()
    assert video.hidden_at is None  # nobody said why
    staff.post(act(args=[video.pk, "hide"]), WHY)
    assert act(args=[video.pk, "show"]) in staff.get(path).content.decode()
    staff.post(act(args=[video.pk, "show"]))
    video.refresh_from_db()
    assert video.hidden_at is None
    assert staff.post(act(args=[video.pk, "retry"])).status_code == 404  # it is ready
    messages = LogEntry.objects.order_by("id").values_list("change_message", flat=True)
    assert list(messages) == ["Hidden.", "Shown again."]
    staff.post(act(args=[video.pk, "warn"]), WHY)
    assert Decision.objects.get(kind="warned").target_id == video.pk
    assert moderator("view_video").post(act(args=[video.pk, "hide"])).status_code == 403


def test_a_failed_video_is_processed_again(staff: Client) -> None:
    video = VideoFactory(status=Status.FAILED, reason="disk full")
    path = reverse("admin:videos_video_change", args=[video.pk])
    assert "disk full" in staff.get(path).content.decode()
    staff.post(reverse("admin:videos_video_act", args=[video.pk, "retry"]))
    video.refresh_from_db()
    assert video.status == Status.STORED
    job = ProcrastinateJob.objects.get(lock=f"video-{video.pk}")
    assert f"/{job.pk}/change/" in staff.get(path).content.decode()


def test_videos_are_found_by_words_handle_and_id(staff: Client) -> None:
    video = VideoFactory(caption="Café by the sea")
    other = VideoFactory(caption="a mountain")

    def found(query: str) -> list[int]:
        rows = staff.get(listing("video"), {"q": query}).context["cl"].result_list
        return [row.pk for row in rows]

    assert found("cafe") == [video.pk]
    assert found("sea caf") == [video.pk]
    assert found(f"@{other.author.handle}") == [other.pk]
    assert found(str(other.pk)) == [other.pk]
    assert found("nothing like it") == []
    assert found("🌊") == []
    assert found("") == [other.pk, video.pk]


def test_the_question_before_deleting_does_not_read_what_hangs_on_a_video(staff: Client) -> None:
    video = VideoFactory()
    path = reverse("admin:videos_video_delete", args=[video.pk])
    before = queries_of(lambda: staff.get(path))
    for _ in range(5):
        engagement.like_video(UserFactory(), video.pk)
    assert queries_of(lambda: staff.get(path)) == before
    assert f"video {video.pk}" in staff.get(path).content.decode()
