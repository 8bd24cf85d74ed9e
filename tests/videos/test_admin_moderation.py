"""What moderators do, by the services: hidden, removed, suspended, and every counter exact."""

import logging
from typing import Any

import pytest
from django.test import Client

from accounts.models import Follow, FollowRequest, Friendship, ModerationAct, Session, User
from accounts.services import follow, restore_person, suspend_person
from feeds import affinity
from feeds.models import Affinity
from tests.api_client import ApiClient
from tests.factories import PASSWORD, UserFactory, VideoFactory
from tiktok_clone.common.errors import DomainError
from videos import removal
from videos.captions import link_caption
from videos.counters import reconcile
from videos.models import (
    Comment,
    CommentLike,
    Hashtag,
    Like,
    Report,
    Save,
    Share,
    Tombstone,
    Video,
)
from videos.services import comments, engagement, moderation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss() -> User:
    return UserFactory(is_staff=True, is_superuser=True)


def tagged(**fields: Any) -> Video:
    video: Video = VideoFactory(caption="#sea", **fields)
    link_caption(video)
    User.objects.filter(pk=video.author_id).update(videos_count=1)
    return video


def uses(tag: str) -> int:
    return Hashtag.objects.get(name=tag).videos_count


def test_a_suspended_person_vanishes_at_once_and_can_be_restored(boss: User, run_jobs: Any) -> None:
    video = tagged()
    assert uses("sea") == 1
    assert suspend_person(video.author_id, boss)
    assert not Video.objects.visible_to(UserFactory()).exists()
    assert not User.objects.active().filter(pk=video.author_id).exists()
    run_jobs()
    assert uses("sea") == 0
    assert reconcile() == []
    assert not suspend_person(video.author_id, boss)

    assert restore_person(video.author_id, boss)
    run_jobs()
    assert Video.objects.visible_to(None).get() == video
    assert uses("sea") == 1
    assert reconcile() == []
    assert not restore_person(video.author_id, boss)


def test_a_suspension_ends_every_session(boss: User, user: User) -> None:
    browser = Client()
    browser.post("/signin", {"email": user.email, "password": PASSWORD})
    assert browser.get("/settings").status_code == 200
    signed_in = ApiClient().post(
        "/user/signin", {"email": user.email, "password": PASSWORD}, expect=200
    )
    suspend_person(user.pk, boss)
    assert browser.get("/settings").status_code == 302
    assert not Session.objects.live().filter(user=user).exists()
    ApiClient().post("/user/refresh", {"refresh": signed_in["refresh"]}, expect=401)
    ApiClient().post("/user/signin", {"email": user.email, "password": PASSWORD}, expect=403)


def test_who_may_not_be_suspended(boss: User) -> None:
    moderator = UserFactory(is_staff=True)
    with pytest.raises(DomainError, match="your own"):
        suspend_person(boss.pk, boss)
    with pytest.raises(DomainError, match="staff"):
        suspend_person(boss.pk, moderator)
    with pytest.raises(DomainError, match="staff"):
        moderation.remove_content(boss.pk, moderator, suspend=False)
    assert suspend_person(moderator.pk, boss)


def test_whom_an_administrator_suspended_no_moderator_restores(boss: User) -> None:
    colleague = UserFactory(is_staff=True)
    suspend_person(colleague.pk, boss)
    with pytest.raises(DomainError, match="staff"):
        restore_person(colleague.pk, UserFactory(is_staff=True))
    assert restore_person(colleague.pk, boss)


def test_a_deleted_account_is_not_restored(boss: User, user: User) -> None:
    user.mark_deleted()
    assert not restore_person(user.pk, boss)


@pytest.mark.parametrize("outcome", ["dismissed", "hidden", "suspended"])
def test_an_answer_closes_all_reports_of_the_video(outcome: str, boss: User) -> None:
    video, untouched = VideoFactory(), VideoFactory()
    for clip in (video, video, untouched):
        engagement.report_video(UserFactory(), clip.pk, "spam")
    assert moderation.answer_reports(video.pk, outcome, boss) == 2
    closed = Report.objects.filter(video=video)
    assert {(r.outcome, r.resolved_by) for r in closed} == {(outcome, boss)}
    assert Report.objects.get(resolved_at=None).video == untouched
    video.refresh_from_db()
    video.author.refresh_from_db()
    assert (video.hidden_at is not None) is (outcome == "hidden")
    assert video.author.is_active is (outcome != "suspended")


def test_suspending_closes_the_reports_of_the_authors_other_videos(boss: User) -> None:
    video = VideoFactory()
    second = VideoFactory(author=video.author)
    for clip in (video, second):
        engagement.report_video(UserFactory(), clip.pk, "spam")
    moderation.answer_reports(video.pk, "suspended", boss)
    assert not Report.objects.filter(resolved_at=None).exists()


def test_a_removed_video_takes_its_reports_and_leaves_tombstones(boss: User) -> None:
    video = tagged()
    engagement.report_video(UserFactory(), video.pk, "spam")
    assert moderation.answer_reports(video.pk, "removed", boss) == 1
    assert not Video.objects.exists()
    assert not Report.objects.exists()
    assert Tombstone.objects.filter(name=video.folder).exists()
    assert uses("sea") == 0
    assert reconcile() == []
    with pytest.raises(DomainError):
        moderation.answer_reports(video.pk, "removed", boss)


def test_a_video_hidden_before_closes_later_reports_too(boss: User) -> None:
    video = VideoFactory()
    moderation.hide_video(video.pk, boss)
    Report.objects.create(user=UserFactory(), video=video, reason="spam")
    moderation.answer_reports(video.pk, "hidden", boss)
    assert not Report.objects.filter(resolved_at=None).exists()


def test_every_act_is_a_line_of_the_audit_log(boss: User, caplog: pytest.LogCaptureFixture) -> None:
    video, other = VideoFactory(), VideoFactory()
    comment = comments.add_comment(UserFactory(), video.pk, "hello")
    engagement.report_video(UserFactory(), video.pk, "spam")
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="audit"):
        moderation.warn_author(video.pk, boss)
        moderation.hide_video(video.pk, boss)
        moderation.show_video(video.pk, boss)
        engagement.report_video(UserFactory(), video.pk, "spam")
        moderation.remove_comment(comment.pk, boss)
        moderation.answer_reports(video.pk, "removed", boss)
        suspend_person(other.author_id, boss)
        restore_person(other.author_id, boss)
        moderation.remove_content(other.author_id, boss, suspend=False)
    lines = [record.getMessage() for record in caplog.records if record.name == "audit"]
    events = [line.split()[0] for line in lines]
    told = [event for event in events if event != "sessions_ended"]
    assert told == list(ModerationAct.objects.order_by("pk").values_list("act", flat=True))
    assert told == [
        "warned", "video_hidden", "video_shown", "comment_removed", "video_removed",
        "reports_answered", "suspended", "restored", "content_removing",
    ]  # fmt: skip
    assert all(f"by={boss.pk}" in line for line in lines if "sessions_ended" not in line)


def spam(spammer: User) -> None:
    """A person who did something of every kind, on their own videos and on those of others."""
    victims = [tagged() for _ in range(3)]
    friend = UserFactory()
    own = [tagged(author=spammer) for _ in range(3)]
    User.objects.filter(pk=spammer.pk).update(videos_count=3)
    for video in victims:
        root = comments.add_comment(spammer, video.pk, "buy now")
        comments.add_comment(friend, video.pk, "no", root.pk)
        mine = comments.add_comment(friend, video.pk, "nice")
        comments.add_comment(spammer, video.pk, "buy", mine.pk)
        comments.like_comment(spammer, mine.pk)
        engagement.like_video(spammer, video.pk)
        engagement.like_video(friend, video.pk)
        engagement.save_video(spammer, video.pk)
        engagement.share_video(spammer, video.pk)
        follow(spammer, User.objects.get(pk=video.author_id))
    engagement.like_video(spammer, own[0].pk)
    engagement.like_video(friend, own[1].pk)
    comments.add_comment(friend, own[2].pk, "why?")
    follow(friend, spammer)
    follow(spammer, friend)
    FollowRequest.objects.create(requester=spammer, target=UserFactory(is_private=True))


def test_all_that_a_spammer_posted_goes_and_counters_stay_exact(boss: User, run_jobs: Any) -> None:
    spammer = UserFactory()
    spam(spammer)
    assert reconcile() == []
    before = removal.count_content(spammer.pk)
    assert before == removal.Content(videos=3, comments=6, likes=7, saves=3, shares=3, follows=5)

    assert moderation.remove_content(spammer.pk, boss, suspend=True) is not None
    assert moderation.remove_content(spammer.pk, boss, suspend=True) is None  # one waits already
    run_jobs()

    assert removal.count_content(spammer.pk).total == 0
    assert reconcile() == []
    for model, person in ((Like, "user"), (Save, "user"), (Share, "user"), (Comment, "author")):
        assert not model.objects.filter(**{person: spammer}).exists()
    assert not CommentLike.objects.filter(user=spammer).exists()
    # What others did stays, but for their replies to the spam.
    assert Comment.objects.count() == 3
    assert Like.objects.count() == 3
    assert not Friendship.objects.exists()
    assert Follow.objects.get().followee == spammer
    spammer.refresh_from_db()
    assert (spammer.is_active, spammer.following_count, spammer.followers_count) == (False, 0, 1)
    for person in User.objects.all():
        assert person.followers_count == Follow.objects.filter(followee=person).count()
        assert person.following_count == Follow.objects.filter(follower=person).count()


def test_the_affinities_after_a_removal_are_those_of_the_rows(boss: User, run_jobs: Any) -> None:
    spammer = UserFactory()
    spam(spammer)
    moderation.remove_content(spammer.pk, boss, suspend=False)
    run_jobs()
    for person in User.objects.all():
        held = dict(Affinity.objects.filter(user=person).values_list("video", "strength"))
        affinity.rebuild(person.pk)
        again = dict(Affinity.objects.filter(user=person).values_list("video", "strength"))
        assert held == pytest.approx(again)


def test_a_removal_that_was_cut_off_goes_on_where_it_ended(boss: User) -> None:
    spammer = UserFactory()
    spam(spammer)
    left = [removal.count_content(spammer.pk).total]
    while removal.remove_some(spammer.pk):
        assert reconcile() == []
        left.append(removal.count_content(spammer.pk).total)
    assert left == sorted(left, reverse=True)
    assert left[-1] <= 1
    assert len(left) > 4
    assert not removal.remove_some(spammer.pk)


def test_the_media_of_removed_videos_have_tombstones(boss: User) -> None:
    video = tagged()
    while removal.remove_some(video.author_id):
        pass
    assert Tombstone.objects.filter(name=video.folder).exists()
