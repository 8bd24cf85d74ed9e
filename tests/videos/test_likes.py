"""POST and DELETE /videos/:id/like and /save, /share, /report."""

import pytest

from accounts.models import User
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, block
from tests.videos.measuring import run_together
from videos import signals
from videos.models import Like, Report, Save, Video, Visibility
from videos.services import engagement

pytestmark = pytest.mark.django_db

COUNTED = [("like", "liked", "likes_count"), ("save", "saved", "saves_count")]


@pytest.mark.parametrize(("act", "state", "count"), COUNTED)
def test_an_act_is_counted_once_however_often_it_is_sent(
    act: str, state: str, count: str, as_user: ApiClient
) -> None:
    video = VideoFactory()
    for _ in range(2):
        assert as_user.post(f"/videos/{video.pk}/{act}") == {state: True, count: 1}
    video.refresh_from_db()
    assert getattr(video, count) == 1
    for _ in range(2):
        assert as_user.delete(f"/videos/{video.pk}/{act}") == {state: False, count: 0}
    video.refresh_from_db()
    assert getattr(video, count) == 0


def test_a_like_counts_for_the_author_too(as_user: ApiClient, as_other: ApiClient) -> None:
    video = VideoFactory()
    as_user.post(f"/videos/{video.pk}/like")
    as_other.post(f"/videos/{video.pk}/like")
    as_user.delete(f"/videos/{video.pk}/like")
    video.author.refresh_from_db()
    assert video.author.likes_count == 1


def test_a_save_is_nothing_to_the_author(as_user: ApiClient) -> None:
    video = VideoFactory()
    as_user.post(f"/videos/{video.pk}/save")
    video.author.refresh_from_db()
    assert video.author.likes_count == 0


def test_a_share_counts_once_a_person_and_answers_the_address(
    as_user: ApiClient, as_other: ApiClient
) -> None:
    video = VideoFactory()
    as_user.post(f"/videos/{video.pk}/share")
    answer = as_user.post(f"/videos/{video.pk}/share")
    assert answer["shared"] is True
    assert answer["shares_count"] == 1
    assert answer["share_url"].endswith(f"/@{video.author.handle}/video/{video.pk}")
    assert as_other.post(f"/videos/{video.pk}/share")["shares_count"] == 2


def test_the_first_report_of_a_person_stands(as_user: ApiClient, user: User) -> None:
    video = VideoFactory()
    for reason in ("spam", "hate"):
        answer = as_user.post(f"/videos/{video.pk}/report", {"reason": reason, "text": "look"})
        assert answer == {"reported": True}
    assert list(Report.objects.values_list("user", "reason", "text")) == [(user.pk, "spam", "look")]


def test_a_report_needs_a_known_reason(as_user: ApiClient) -> None:
    answer = as_user.post(f"/videos/{VideoFactory().pk}/report", {"reason": "ugly"}, expect=400)
    assert answer["errors"]["reason"][0]["code"] == "invalid_choice"


def test_a_report_with_control_characters_is_refused(as_user: ApiClient) -> None:
    body = {"reason": "spam", "text": "a\x07b"}
    answer = as_user.post(f"/videos/{VideoFactory().pk}/report", body, expect=400)
    assert answer["errors"]["text"][0]["code"] == "control_characters"


def test_nobody_reports_their_own_video(as_user: ApiClient, user: User) -> None:
    video = VideoFactory(author=user)
    answer = as_user.post(f"/videos/{video.pk}/report", {"reason": "spam"}, expect=400)
    assert answer["code"] == "own_video"


@pytest.mark.parametrize("act", ["like", "save", "share", "report"])
@pytest.mark.parametrize("blocker_is_author", [True, False])
def test_what_a_block_hides_cannot_be_acted_on(
    act: str, blocker_is_author: bool, as_user: ApiClient, user: User
) -> None:
    video = VideoFactory()
    block(*((video.author, user) if blocker_is_author else (user, video.author)))
    answer = as_user.post(f"/videos/{video.pk}/{act}", {"reason": "spam"}, expect=404)
    assert answer["code"] == "not_found"


@pytest.mark.parametrize("act", ["like", "save"])
def test_a_private_video_cannot_be_acted_on_by_others(act: str, as_user: ApiClient) -> None:
    video = VideoFactory(visibility=Visibility.PRIVATE)
    as_user.post(f"/videos/{video.pk}/{act}", expect=404)
    as_user.delete(f"/videos/{video.pk}/{act}", expect=404)


def test_ones_own_video_cannot_be_liked_before_it_is_published(
    as_user: ApiClient, user: User
) -> None:
    video = VideoFactory(author=user, draft=True)
    assert as_user.post(f"/videos/{video.pk}/like", expect=409)["code"] == "not_published"


@pytest.mark.parametrize("act", ["like", "save", "share", "report"])
def test_who_is_not_signed_in_is_told_so(act: str, api: ApiClient) -> None:
    api.post(f"/videos/{VideoFactory().pk}/{act}", {"reason": "spam"}, expect=401)


def test_an_id_beyond_all_rows_is_not_found(as_user: ApiClient) -> None:
    as_user.post(f"/videos/{10**30}/like", expect=404)


def test_news_is_sent_only_when_something_changed(user: User) -> None:
    video = VideoFactory()
    heard: list[str] = []

    def hear(signal: object, **_: object) -> None:
        heard.append("liked" if signal is signals.video_liked else "unliked")

    signals.video_liked.connect(hear)
    signals.video_unliked.connect(hear)
    try:
        for act in (engagement.like_video, engagement.unlike_video):
            act(user, video.pk)
            act(user, video.pk)
    finally:
        signals.video_liked.disconnect(hear)
        signals.video_unliked.disconnect(hear)
    assert heard == ["liked", "unliked"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Like, Save])
def test_counts_equal_rows_after_twenty_people_press_at_once(
    model: type[Like] | type[Save],
) -> None:
    on, off = {
        Like: (engagement.like_video, engagement.unlike_video),
        Save: (engagement.save_video, engagement.unsave_video),
    }[model]
    video = VideoFactory()
    people = UserFactory.create_batch(7)

    def press(number: int) -> None:
        person = people[number % len(people)]  # fewer people than threads, so that they collide
        for turn in range(4):
            (off if (number + turn) % 3 == 0 else on)(person, video.pk)

    run_together(press, 20)
    video.refresh_from_db()
    video.author.refresh_from_db()
    rows = model.objects.filter(video=video).count()
    assert getattr(video, f"{model._meta.model_name}s_count") == rows
    if model is Like:
        assert video.author.likes_count == rows


@pytest.mark.django_db(transaction=True)
def test_people_who_like_each_others_videos_at_once_never_deadlock() -> None:
    people = UserFactory.create_batch(4)
    videos = [VideoFactory(author=person) for person in people]

    def press(number: int) -> None:
        person = people[number % 4]
        for turn in range(6):
            video = videos[(number + turn) % 4]
            engagement.like_video(person, video.pk)
            if turn % 2:
                engagement.unlike_video(person, video.pk)

    run_together(press, 20)
    for person in people:
        person.refresh_from_db()
        assert person.likes_count == Like.objects.filter(video__author=person).count()
    for video in Video.objects.all():
        assert video.likes_count == video.likes.count()
