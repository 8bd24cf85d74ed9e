"""What people are told of: each thing once, taken back with it, shown only while it may be."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import services as people
from accounts.models import FollowRequest, User
from accounts.purging import purge
from accounts.services import muted_words
from feeds import bells, inbox, notifications
from feeds.export_parts import PARTS
from feeds.models import Bell, Kind, Notification, NotificationSwitch
from feeds.notices import represent_group
from feeds.tasks import prune_notifications, ring_bells
from feeds.views import notifications as notification_views
from tests.api_client import ApiClient
from tests.factories import CommentFactory, UserFactory, VideoFactory, befriend
from tiktok_clone.common import jobs
from tiktok_clone.common.errors import DomainError
from videos import publication
from videos.media import processing
from videos.media.refusals import refused
from videos.models import Status, Video, Visibility
from videos.removal import remove_some
from videos.services import comments, curating, engagement, moderation, publishing

pytestmark = pytest.mark.django_db
Told = list[tuple[str, str | None]]
RunJobs = Callable[[], None]


@pytest.fixture
def anna() -> User:
    return UserFactory(handle="anna")


@pytest.fixture
def leo() -> User:
    return UserFactory(handle="leo")


@pytest.fixture
def clip(anna: User) -> Video:
    return VideoFactory(author=anna)


def told(user: User) -> Told:
    """What somebody is shown: kind and handle, the latest first."""
    rows = Notification.objects.shown_to(user).order_by(*inbox.ORDER)
    return [(row.kind, row.actor.handle if row.actor else None) for row in rows]


# Each act that tells somebody, what they are told, and what takes it back.


def test_a_like_tells_the_author_and_an_unlike_takes_it_back(
    anna: User, leo: User, clip: Video
) -> None:
    engagement.like_video(leo, clip.pk)
    engagement.like_video(leo, clip.pk)
    assert told(anna) == [("like", "leo")]
    notifications.mark_read(anna, everything=True)
    engagement.unlike_video(leo, clip.pk)
    assert told(anna) == []
    engagement.like_video(leo, clip.pk)
    assert told(anna) == [("like", "leo")]
    assert inbox.unread(anna) == 0, "it was read before"
    assert Notification.objects.count() == 1


def test_a_like_that_is_taken_back_unread_comes_back_unread(
    anna: User, leo: User, clip: Video
) -> None:
    """Though everything, its group and the row itself were marked as read meanwhile."""
    engagement.like_video(leo, clip.pk)
    row = Notification.objects.get()
    engagement.unlike_video(leo, clip.pk)
    notifications.mark_read(anna, everything=True)
    notifications.mark_read(anna, ids=[row.pk], topics=[row.topic])
    notifications.mark_read_of(anna.pk, kind=Kind.LIKE)
    engagement.like_video(leo, clip.pk)
    assert inbox.unread(anna) == 1


def test_a_comment_tells_the_author_and_goes_when_it_is_deleted(
    anna: User, leo: User, clip: Video
) -> None:
    comment = comments.add_comment(leo, clip.pk, "hello")
    comments.add_comment(leo, clip.pk, "hello again")
    assert told(anna) == [("comment", "leo"), ("comment", "leo")]
    comments.delete_comment(leo, comment.pk)
    assert told(anna) == [("comment", "leo")]


def test_a_reply_tells_whose_comment_it_answers_and_the_author_of_the_clip(
    anna: User, leo: User, clip: Video
) -> None:
    mia = UserFactory(handle="mia")
    root = comments.add_comment(leo, clip.pk, "hello")
    comments.add_comment(mia, clip.pk, "hi leo", root.pk)
    assert told(leo) == [("reply", "mia")]
    assert told(anna) == [("comment", "mia"), ("comment", "leo")]
    comments.delete_comment(leo, root.pk)
    assert told(leo) == told(anna) == []


def test_one_comment_tells_a_person_once_though_there_are_three_reasons(
    anna: User, leo: User, clip: Video
) -> None:
    root = comments.add_comment(anna, clip.pk, "mine")
    comments.add_comment(leo, clip.pk, "@anna look", root.pk)
    assert told(anna) == [("reply", "leo")]


def test_a_mention_in_a_comment_tells_who_is_mentioned(leo: User, clip: Video) -> None:
    mia = UserFactory(handle="mia")
    comment = comments.add_comment(leo, clip.pk, "look @mia @mia @MIA @leo @nobody")
    assert told(mia) == [("mention", "leo")]
    assert told(leo) == []
    comments.delete_comment(leo, comment.pk)
    assert told(mia) == []


def test_a_text_tells_only_so_many_people(leo: User, clip: Video) -> None:
    named = [UserFactory(handle=f"many{n}") for n in range(25)]
    comments.add_comment(leo, clip.pk, " ".join(f"@{person.handle}" for person in named))
    assert Notification.objects.filter(kind=Kind.MENTION).count() == 20


def test_a_caption_tells_whom_it_mentions_as_long_as_it_does(
    anna: User, leo: User, clip: Video
) -> None:
    publishing.edit_video(anna, clip.pk, caption="with @leo and @anna")
    publishing.edit_video(anna, clip.pk, caption="with @leo, again")
    assert told(leo) == [("mention", "anna")]
    publishing.edit_video(anna, clip.pk, caption="alone")
    assert told(leo) == []
    publishing.edit_video(anna, clip.pk, caption="with @leo")
    assert told(leo) == [("mention", "anna")]
    assert Notification.objects.count() == 1


def test_a_caption_tells_nobody_before_the_clip_is_out(anna: User, leo: User) -> None:
    clip = VideoFactory(author=anna, visibility=Visibility.PRIVATE, caption="@leo")
    publishing.edit_video(anna, clip.pk, caption="@leo!")
    draft = VideoFactory(author=anna, draft=True)
    publishing.edit_video(anna, draft.pk, caption="@leo")
    assert not Notification.objects.exists()
    publishing.edit_video(anna, clip.pk, visibility=Visibility.PUBLIC)
    assert told(leo) == [("mention", "anna")]


def test_a_caption_that_changes_while_the_clip_is_hidden_counts_when_it_is_shown_again(
    anna: User, leo: User, clip: Video
) -> None:
    mia = UserFactory(handle="mia")
    publishing.edit_video(anna, clip.pk, caption="with @leo")
    moderation.hide_video(clip.pk)
    publishing.edit_video(anna, clip.pk, caption="with @mia")
    assert told(leo) == told(mia) == []
    moderation.show_video(clip.pk)
    assert told(mia) == [("mention", "anna")]
    assert told(leo) == []


def test_a_like_of_a_comment_tells_who_wrote_it(leo: User, clip: Video) -> None:
    comment = CommentFactory(video=clip, author=leo)
    mia = UserFactory(handle="mia")
    comments.like_comment(mia, comment.pk)
    comments.like_comment(leo, comment.pk)
    assert told(leo) == [("comment_like", "mia")]
    comments.unlike_comment(mia, comment.pk)
    assert told(leo) == []


def test_a_follow_tells_who_is_followed(anna: User, leo: User) -> None:
    people.follow(leo, anna)
    assert told(anna) == [("follow", "leo")]
    people.unfollow(leo, anna)
    assert told(anna) == []
    people.follow(leo, anna)
    assert told(anna) == [("follow", "leo")]
    assert Notification.objects.count() == 1


def test_a_request_tells_who_is_asked_and_its_acceptance_who_asked(leo: User) -> None:
    shy = UserFactory(handle="shy", is_private=True)
    people.follow(leo, shy)
    assert told(shy) == [("follow_request", "leo")]
    people.unfollow(leo, shy)
    assert told(shy) == []
    people.follow(leo, shy)
    people.accept_request(shy, FollowRequest.objects.get().pk)
    assert told(leo) == [("follow_accepted", "shy")]
    assert told(shy) == [("follow", "leo")]
    assert inbox.unread(shy) == 0, "who says yes knows of it"
    people.unfollow(leo, shy)
    assert told(leo) == told(shy) == []


def test_followers_of_an_account_that_becomes_public_are_news_to_it(
    leo: User, run_jobs: RunJobs
) -> None:
    """Nobody said yes to them, so nobody knows of them."""
    shy = UserFactory(handle="shy", is_private=True)
    people.follow(leo, shy)
    people.update_profile(shy, {"is_private": False})
    run_jobs()
    assert told(shy) == [("follow", "leo")]
    assert inbox.unread(shy) == 1
    assert told(leo) == [("follow_accepted", "shy")]


def test_a_declined_request_is_told_no_more(leo: User) -> None:
    shy = UserFactory(is_private=True)
    people.follow(leo, shy)
    people.decline_request(shy, FollowRequest.objects.get().pk)
    assert told(shy) == told(leo) == []


def test_nobody_is_told_of_what_they_do_themselves(anna: User, clip: Video) -> None:
    engagement.like_video(anna, clip.pk)
    comment = comments.add_comment(anna, clip.pk, "mine, says @anna")
    comments.add_comment(anna, clip.pk, "and mine", comment.pk)
    comments.like_comment(anna, comment.pk)
    assert not Notification.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Notification.objects.create(recipient=anna, actor=anna, kind=Kind.LIKE, topic="x")


# One's own clips.


def processed(clip: Video) -> None:
    """A worker makes a clip ready."""
    made = processing._begin(clip.pk)
    assert made is not None
    assert publication.publish(made, [])


def test_a_clip_that_fails_tells_why_and_one_that_is_ready_says_so(anna: User) -> None:
    clip = VideoFactory(author=anna, draft=True)
    for _ in range(2):
        processing.give_up(clip.pk, ValueError("boom"))
    (row,) = Notification.objects.shown_to(anna)
    assert row.kind == Kind.VIDEO_FAILED
    assert row.text == processing.FAILED_SENTENCE
    notifications.mark_read(anna, everything=True)
    publishing.retry_processing(anna, clip.pk)
    processing.give_up(clip.pk, ValueError("boom"))
    assert inbox.unread(anna) == 1, "it failed once more"
    publishing.retry_processing(anna, clip.pk)
    processed(clip)
    assert told(anna) == [("video_ready", None)]
    assert Notification.objects.count() == 2


def test_a_refused_clip_tells_what_is_wrong_with_it(anna: User) -> None:
    clip = VideoFactory(author=anna, draft=True)
    Video.objects.filter(pk=clip.pk).update(status=Status.PROCESSING)
    error = refused("damaged")
    processing.give_up(clip.pk, error)
    assert Notification.objects.shown_to(anna).get().text == error.message


def test_a_private_clip_that_is_ready_tells_its_author_alone(anna: User, leo: User) -> None:
    people.follow(leo, anna)
    bells.switch_on(leo, anna)
    clip = VideoFactory(author=anna, draft=True, visibility=Visibility.PRIVATE, caption="@leo")
    processed(clip)
    assert ("video_ready", None) in told(anna)
    assert told(leo) == []


def test_a_clip_whose_files_are_lost_tells_its_author_and_again_when_they_are_back(
    anna: User, clip: Video
) -> None:
    with transaction.atomic():
        publication.lose(clip)
    assert told(anna) == [("video_failed", None)]
    with transaction.atomic():
        publication.regain(clip)
    assert told(anna) == [("video_ready", None)]


# What is shown, in whatever order things happen.


def test_who_is_blocked_or_muted_is_not_heard_of_until_that_ends(
    anna: User, leo: User, clip: Video
) -> None:
    engagement.like_video(leo, clip.pk)
    for begin, end in ((people.block, people.unblock), (people.mute, people.unmute)):
        begin(anna, leo)
        assert told(anna) == []
        assert inbox.unread(anna) == 0
        end(anna, leo)
        assert told(anna) == [("like", "leo")]
        assert inbox.unread(anna) == 1
    people.block(leo, anna)
    assert told(anna) == [], "blocks work both ways"


def test_what_is_done_while_one_is_muted_is_there_afterwards_but_not_as_new(
    anna: User, leo: User, clip: Video
) -> None:
    """What was new before is new again, though; the mute may have been a slip."""
    comments.add_comment(leo, clip.pk, "before")
    people.mute(anna, leo)
    engagement.like_video(leo, clip.pk)
    assert told(anna) == []
    people.unmute(anna, leo)
    assert told(anna) == [("like", "leo"), ("comment", "leo")]
    assert inbox.unread(anna) == 1
    people.follow(leo, anna)
    assert inbox.unread(anna) == 2


def test_a_clip_that_comes_out_while_one_does_not_want_to_hear_is_not_new_either(
    anna: User, listener: User, clip: Video
) -> None:
    for begin, end in (
        (lambda: people.mute(listener, anna), lambda: people.unmute(listener, anna)),
        (
            lambda: notifications.set_switches(listener, {"new_video": False}),
            lambda: notifications.set_switches(listener, {"new_video": True}),
        ),
    ):
        begin()
        ring(VideoFactory(author=anna))
        assert news_of(listener) == 0
        end()
    assert news_of(listener) == 2
    assert inbox.unread(listener) == 0
    ring(clip)
    assert inbox.unread(listener) == 1


@pytest.mark.parametrize("muted", ["loud", "#rain", "rain"])
def test_a_word_or_hashtag_that_is_muted_is_not_heard_of(
    anna: User, leo: User, clip: Video, muted: str
) -> None:
    """In a comment, and in the caption of somebody else's clip; one's own clip is one's own."""
    comments.add_comment(leo, clip.pk, "This loop is LOUD, all #rain")
    comments.add_comment(leo, clip.pk, "nice")
    publishing.edit_video(anna, clip.pk, caption="loud #rain, mine")
    theirs = VideoFactory(author=leo)
    publishing.edit_video(leo, theirs.pk, caption="loud #rain for @anna")
    engagement.like_video(leo, clip.pk)
    assert inbox.unread(anna) == 4
    muted_words.mute_word(anna, muted)
    assert told(anna) == [("like", "leo"), ("comment", "leo")]
    assert inbox.unread(anna) == 2
    muted_words.unmute_word(anna, muted)
    assert inbox.unread(anna) == 4


def test_a_new_clip_with_a_muted_word_is_not_heard_of(anna: User, listener: User) -> None:
    clip = VideoFactory(author=anna)
    publishing.edit_video(anna, clip.pk, caption="all #rain")
    muted_words.mute_word(listener, "#rain")
    ring(clip)
    assert news_of(listener) == inbox.unread(listener) == 0
    muted_words.unmute_word(listener, "#rain")
    assert news_of(listener) == 1


def test_a_comment_that_waits_is_told_once_and_one_that_is_hidden_no_more(
    anna: User, leo: User, clip: Video
) -> None:
    publishing.edit_video(anna, clip.pk, comments_held="everybody")
    comment = comments.add_comment(leo, clip.pk, "may I?")
    assert told(anna) == [("comment", "leo")]
    curating.show_comment(anna, comment.pk)
    assert told(anna) == [("comment", "leo")]
    assert Notification.objects.count() == 1


def test_a_reply_that_waits_is_told_once_for_the_same_reason(
    anna: User, leo: User, clip: Video
) -> None:
    publishing.edit_video(anna, clip.pk, comments_held="everybody")
    mine = comments.add_comment(anna, clip.pk, "what do you say?")
    answer = comments.add_comment(leo, clip.pk, "this, @anna", mine.pk)
    assert told(anna) == [("reply", "leo")]
    curating.show_comment(anna, answer.pk)
    assert told(anna) == [("reply", "leo")]
    assert Notification.objects.count() == 1


def test_a_kind_that_is_switched_off_is_not_shown_nor_counted(
    anna: User, leo: User, clip: Video
) -> None:
    engagement.like_video(leo, clip.pk)
    notifications.set_switches(anna, {"like": False})
    comments.add_comment(leo, clip.pk, "hello")
    engagement.like_video(UserFactory(handle="mia"), clip.pk)
    assert told(anna) == [("comment", "leo")]
    assert inbox.unread(anna) == 1
    notifications.set_switches(anna, {"like": True})
    assert told(anna) == [("like", "mia"), ("comment", "leo"), ("like", "leo")]
    assert inbox.unread(anna) == 2, "what came while it was off is not new"
    assert not NotificationSwitch.objects.exists()


def test_messages_of_moderators_have_no_switch_and_may_be_many(anna: User) -> None:
    with pytest.raises(DomainError, match="moderation"):
        notifications.set_switches(anna, {"moderation": False})
    for key in ("warning-1", "warning-2", "warning-1"):
        notifications.tell(anna.pk, kind=Kind.MODERATION, key=key, text="Be kind.")
    groups, _ = inbox.groups(anna, None, 20)
    assert [group.rows[0].text for group in groups] == ["Be kind."] * 2


def test_suspended_and_deleted_people_are_not_heard_of(anna: User, leo: User, clip: Video) -> None:
    engagement.like_video(leo, clip.pk)
    staff = UserFactory(is_superuser=True)
    people.suspend_person(leo.pk, staff)
    assert told(anna) == []
    people.restore_person(leo.pk, staff)
    assert told(anna) == [("like", "leo")]
    people.delete_account(leo)
    assert told(anna) == []
    purge(leo.pk)
    assert not Notification.objects.exists()


def test_what_one_may_not_see_any_more_is_not_spoken_of(anna: User, leo: User) -> None:
    clip = VideoFactory(author=anna)
    publishing.edit_video(anna, clip.pk, caption="@leo")
    assert told(leo) == [("mention", "anna")]
    publishing.edit_video(anna, clip.pk, visibility=Visibility.PRIVATE)
    assert told(leo) == []
    publishing.edit_video(anna, clip.pk, visibility=Visibility.FRIENDS)
    assert told(leo) == []
    befriend(anna, leo)
    assert told(leo) == [("mention", "anna")]
    moderation.hide_video(clip.pk)
    assert told(leo) == []
    moderation.show_video(clip.pk)
    people.update_profile(anna, {"is_private": True})
    assert told(leo) == [("mention", "anna")]
    assert Notification.objects.exclude(kind=Kind.MODERATION).count() == 1
    publishing.delete_video(anna, clip.pk)
    assert not Notification.objects.exclude(kind=Kind.MODERATION).exists()


def test_all_that_somebody_did_goes_with_what_was_told_of_it(
    anna: User, leo: User, clip: Video
) -> None:
    comment = CommentFactory(video=clip, author=anna)
    Video.objects.filter(pk=clip.pk).update(comments_count=1)
    mia = UserFactory(handle="mia")
    shy = UserFactory(is_private=True)
    for person in (leo, mia):
        engagement.like_video(person, clip.pk)
        comments.add_comment(person, clip.pk, "hello")
        comments.like_comment(person, comment.pk)
        people.follow(person, anna)
        people.follow(person, shy)
    while remove_some(leo.pk):
        pass
    assert {handle for _, handle in told(anna)} == {"mia"}
    assert len(told(anna)) == 4
    assert told(shy) == [("follow_request", "mia")]


def test_a_deleted_comment_leaves_the_like_of_its_author(
    anna: User, leo: User, clip: Video
) -> None:
    engagement.like_video(leo, clip.pk)
    comment = comments.add_comment(leo, clip.pk, "hello")
    comments.delete_comment(leo, comment.pk)
    assert told(anna) == [("like", "leo")]


# Bells.


@pytest.fixture
def listener(anna: User) -> User:
    person: User = UserFactory(handle="listener")
    people.follow(person, anna)
    bells.switch_on(person, anna)
    return person


def news_of(user: User) -> int:
    return [kind for kind, _ in told(user)].count("new_video")


def ring(clip: Video) -> None:
    """Run the job as often as it asks for, each part twice."""
    reached: int | None = 0
    while reached is not None:
        again = bells.ring(clip.pk, reached)
        reached = bells.ring(clip.pk, reached)
        assert again == reached


def test_a_bell_needs_a_follow_and_ends_with_it(anna: User, leo: User) -> None:
    with pytest.raises(DomainError, match="Follow") as refused_:
        bells.switch_on(leo, anna)
    assert refused_.value.code == "not_following"
    people.follow(leo, anna)
    bells.switch_on(leo, anna)
    bells.switch_on(leo, anna)
    assert bells.is_on(leo, anna)
    people.unfollow(leo, anna)
    people.follow(leo, anna)
    assert not bells.is_on(leo, anna)


def test_a_block_ends_the_bell(anna: User, listener: User) -> None:
    people.block(anna, listener)
    assert not Bell.objects.exists()


def test_who_has_a_bell_is_told_of_a_new_clip_and_nobody_else(
    anna: User, leo: User, listener: User, clip: Video
) -> None:
    people.follow(leo, anna)
    ring(clip)
    assert told(listener) == [("new_video", "anna")]
    assert told(leo) == []


@pytest.mark.parametrize(("count", "needed"), [(0, 1), (3, 1), (4, 2), (9, 3)])
def test_many_bells_are_rung_by_jobs_of_a_bounded_size(
    anna: User, clip: Video, count: int, needed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "BATCH", 2)
    monkeypatch.setattr(bells, "BATCHES", 2)
    listeners = [UserFactory() for _ in range(count)]
    Bell.objects.bulk_create(Bell(listener=one, creator=anna) for one in listeners)
    reached, ran = bells.ring(clip.pk, 0), 1
    while reached is not None:
        assert Notification.objects.count() <= ran * 4
        reached, ran = bells.ring(clip.pk, reached), ran + 1
    assert ran == needed
    assert [news_of(one) for one in listeners] == [1] * count


def test_the_job_that_rings_may_run_twice_in_each_of_its_parts(
    anna: User, clip: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bells, "BATCH", 2)
    monkeypatch.setattr(bells, "BATCHES", 1)
    listeners = [UserFactory() for _ in range(5)]
    Bell.objects.bulk_create(Bell(listener=one, creator=anna) for one in listeners)
    waiting = ProcrastinateJob.objects.filter(task_name=ring_bells.name, args__video_id=clip.pk)
    jobs.enqueue(ring_bells, video_id=clip.pk)
    ran = 0
    while ran < waiting.count():  # a part that runs twice asks twice for the next one
        arguments = waiting.order_by("id")[ran].args
        for _ in range(2):
            ring_bells(**arguments)
        ran += 1
    assert ran == 1 + 2 + 4
    told_of = Notification.objects.filter(kind=Kind.NEW_VIDEO).values_list("recipient", flat=True)
    assert sorted(told_of) == [one.pk for one in listeners]


def test_a_clip_for_friends_rings_for_friends_and_later_for_all(anna: User, listener: User) -> None:
    friend = UserFactory()
    befriend(anna, friend)
    bells.switch_on(friend, anna)
    clip = VideoFactory(author=anna, visibility=Visibility.FRIENDS)
    ring(clip)
    assert (news_of(friend), news_of(listener)) == (1, 0)
    assert Notification.objects.filter(kind=Kind.NEW_VIDEO).count() == 1
    publishing.edit_video(anna, clip.pk, visibility=Visibility.PUBLIC)
    ring(clip)
    assert (news_of(friend), news_of(listener)) == (1, 1)


def test_private_and_public_again_tells_nobody_twice(
    anna: User, listener: User, clip: Video
) -> None:
    ring(clip)
    notifications.mark_read(listener, everything=True)
    for visibility in (Visibility.PRIVATE, Visibility.PUBLIC) * 2:
        publishing.edit_video(anna, clip.pk, visibility=visibility)
        ring(clip)
    assert told(listener) == [("new_video", "anna")]
    assert inbox.unread(listener) == 0


@pytest.mark.parametrize("gone", ["private", "hidden", "deleted", "suspended"])
def test_a_late_job_tells_nobody_of_what_is_gone(
    anna: User, listener: User, clip: Video, gone: str
) -> None:
    if gone == "private":
        publishing.edit_video(anna, clip.pk, visibility=Visibility.PRIVATE)
    elif gone == "hidden":
        moderation.hide_video(clip.pk)
    elif gone == "deleted":
        publishing.delete_video(anna, clip.pk)
    else:
        people.suspend_person(anna.pk, UserFactory(is_superuser=True))
    ring(clip)
    assert not Notification.objects.filter(kind=Kind.NEW_VIDEO).exists()


def test_a_publication_rings_by_itself(
    anna: User, listener: User, transactional_db: None, run_jobs: RunJobs
) -> None:
    clip = VideoFactory(author=anna, visibility=Visibility.PRIVATE)
    publishing.edit_video(anna, clip.pk, visibility=Visibility.PUBLIC)
    run_jobs()
    # Not `told`: the sweep may run meanwhile, and find that the clip has no files.
    assert Notification.objects.get(kind=Kind.NEW_VIDEO).recipient == listener


# The list.


def test_a_group_is_a_kind_a_thing_and_a_day(anna: User, clip: Video) -> None:
    other = VideoFactory(author=anna)
    fans = [UserFactory(handle=f"fan{n}") for n in range(4)]
    for fan in fans:
        engagement.like_video(fan, clip.pk)
    engagement.like_video(fans[0], other.pk)
    yesterday = timezone.now() - timedelta(days=1)
    late = Notification.objects.get(actor=fans[1], video=clip)
    late.created_at, late.topic = yesterday, notifications.topic_of("like", clip.pk, yesterday)
    late.save()
    groups, more = inbox.groups(anna, None, 20)
    assert more is None
    assert [(group.rows[0].video_id, group.count) for group in groups] == [
        (other.pk, 1),
        (clip.pk, 3),
        (clip.pk, 1),
    ]
    summaries = [represent_group(group)["summary"] for group in groups]
    assert summaries == [
        "fan0 liked your clip",
        "fan3 and 2 others liked your clip",
        "fan1 liked your clip",
    ]


def test_two_people_are_both_named_and_one_who_talks_on_is_one(anna: User, clip: Video) -> None:
    leo, mia = UserFactory(handle="leo"), UserFactory(handle="mia")
    for _ in range(3):
        comments.add_comment(leo, clip.pk, "again")
    (group,), _ = inbox.groups(anna, None, 20)
    assert represent_group(group)["summary"] == "leo commented on your clip"
    comments.add_comment(mia, clip.pk, "hi")
    (group,), _ = inbox.groups(anna, None, 20)
    assert represent_group(group)["summary"] == "mia and leo commented on your clip"
    assert (group.count, group.people_count) == (4, 2)


@pytest.mark.parametrize("window", [1, 3, 1000])
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_pages_show_each_group_once_and_whole(
    anna: User, limit: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "WINDOW", window)
    begin = timezone.now()
    fans = [UserFactory() for _ in range(3)]
    rows = []
    for day in (0, 0, 1, 4, 5):
        for clip in [VideoFactory(author=anna) for _ in range(2)]:
            for minute, fan in enumerate(fans):
                at = begin - timedelta(days=day, minutes=minute)
                topic = notifications.topic_of("like", clip.pk, at)
                rows.append(
                    Notification(
                        recipient=anna, actor=fan, video=clip, kind="like", created_at=at,
                        topic=topic,
                    )
                )  # fmt: skip
    Notification.objects.bulk_create(rows)
    seen: list[inbox.Group] = []
    place = None
    while True:
        page, place = inbox.groups(anna, place, limit)
        seen += page
        if place is None:
            break
        assert len(page) == limit
    assert {group.topic: group.count for group in seen} == Counter(row.topic for row in rows)
    assert len(seen) == len({group.topic for group in seen})
    assert [group.place for group in seen] == sorted([g.place for g in seen], reverse=True)


def test_all_of_a_group_is_there_page_by_page(anna: User, clip: Video) -> None:
    fans = [UserFactory() for _ in range(5)]
    for fan in fans:
        engagement.like_video(fan, clip.pk)
    api = ApiClient(anna)
    (group,) = api.get("/notifications")["results"]
    assert (group["count"], group["unread"], len(group["people"])) == (5, 5, 3)
    page = api.get(f"/notifications/groups/{group['id']}", {"limit": 3})
    rest = api.get(page["next"])
    found = [row["person"]["id"] for row in page["results"] + rest["results"]]
    assert found == [fan.pk for fan in reversed(fans)]
    assert rest["next"] is None
    assert api.get("/notifications/groups/nothing-of-it")["results"] == []


def test_one_a_group_or_all_are_marked_as_read(anna: User, leo: User, clip: Video) -> None:
    for person in (leo, UserFactory(), UserFactory()):
        engagement.like_video(person, clip.pk)
        comments.add_comment(person, clip.pk, "hello")
    api, path = ApiClient(anna), "/notifications/read"
    likes = next(g for g in api.get("/notifications")["results"] if g["kind"] == "like")
    rows = api.get(f"/notifications/groups/{likes['id']}")["results"]
    assert api.post(path, {"notifications": [rows[0]["id"]]})["unread"] == 5
    assert api.post(path, {"groups": [likes["id"]]})["unread"] == 3
    assert ApiClient(leo).post(path, {"all": True})["unread"] == 0
    assert api.post(path, {"notifications": [10**15]})["unread"] == 3
    assert api.post(path, {"all": True})["unread"] == 0
    api.post(path, {}, expect=400)
    api.post(path, {"notifications": ["x"]}, expect=400)


def test_the_page_of_a_group_goes_on_after_its_last_row_whatever_comes_meanwhile(
    anna: User, clip: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notification_views, "ROWS_PER_PAGE", 2)
    for n in range(5):
        engagement.like_video(UserFactory(handle=f"fan{n}"), clip.pk)
    now = timezone.now()
    Notification.objects.update(created_at=now, topic=notifications.topic_of("like", clip.pk, now))
    browser = Client()
    browser.force_login(anna)
    path, seen = f"/notifications/{Notification.objects.first().topic}", []
    while path:
        context = browser.get(path).context
        seen += [row["person"]["handle"] for row in context["rows"]]
        path = context["next_url"]
        engagement.like_video(UserFactory(handle=f"late{len(seen)}"), clip.pk)
    assert seen == [f"fan{n}" for n in (4, 3, 2, 1, 0)]
    first = f"/notifications/{Notification.objects.first().topic}"
    for wrong in ("x", "1-x", "1-", "1--1"):
        assert browser.get(first, {"after": wrong}).status_code == 400, wrong


def test_the_page_of_a_group_marks_one_as_read_and_comes_back(
    anna: User, leo: User, clip: Video
) -> None:
    for person in (leo, UserFactory(), UserFactory()):
        engagement.like_video(person, clip.pk)
    browser = Client()
    browser.force_login(anna)
    row = Notification.objects.get(actor=leo)
    path = f"/notifications/{row.topic}"
    button = rf'name="notification"\s+value="{row.pk}"'
    assert re.search(button, browser.get(path).content.decode())
    answer = browser.post("/notifications/mark", {"notification": row.pk, "next": path})
    assert answer["Location"] == path
    assert inbox.unread(anna) == 2
    assert not re.search(button, browser.get(path).content.decode())


def test_options_that_are_wrong_are_named(anna: User) -> None:
    api = ApiClient(anna)
    for cursor in ("x", "1-", "99999999999999999-a", "1-a b", "-", "1-a\0"):
        errors = api.get("/notifications", {"cursor": cursor}, expect=400)["errors"]
        assert "cursor" in errors
    api.get("/notifications", {"limit": 51}, expect=400)
    api.get("/notifications", {"page": 1}, expect=400)
    api.patch("/notifications/settings", {"like": "no"}, expect=400)
    api.patch("/notifications/settings", {"like": False})
    assert api.get("/notifications/settings")["like"] is False


def test_the_list_costs_the_same_for_one_group_and_for_many(
    anna: User, leo: User, django_assert_num_queries: Any
) -> None:
    api = ApiClient(anna)
    for total in (1, 12):
        for _ in range(total):
            clip = VideoFactory(author=anna)
            for person in (leo, UserFactory()):
                engagement.like_video(person, clip.pk)
        with django_assert_num_queries(3):  # how far back, the groups, their latest rows
            page = api.get("/notifications")
        (first, *_) = page["results"]
        with django_assert_num_queries(1):
            api.get(f"/notifications/groups/{first['id']}")


def test_the_count_looks_at_so_many_at_most(
    anna: User, clip: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "UNREAD_MAX", 2)
    for _ in range(3):
        engagement.like_video(UserFactory(), clip.pk)
    assert inbox.unread(anna) == 2


# What ends.


def test_of_a_deleted_clip_a_bounded_number_goes_at_once_and_the_rest_by_jobs(
    anna: User, leo: User, clip: Video, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "CHUNK", 2)
    other = VideoFactory(author=leo)
    comment = comments.add_comment(leo, clip.pk, "hello")
    for person in [leo, *(UserFactory() for _ in range(4))]:
        engagement.like_video(person, clip.pk)
        comments.like_comment(person, comment.pk)
    engagement.like_video(anna, other.pk)
    publishing.delete_video(anna, clip.pk)
    assert Notification.objects.filter(video=clip.pk).count() == 8
    assert told(anna) == [], "hidden at once"
    assert told(leo) == [("like", "anna")]
    run_jobs()
    assert not Notification.objects.filter(video=clip.pk).exists()
    assert Notification.objects.filter(video=other.pk, kind=Kind.LIKE).count() == 1


def test_of_a_deleted_comment_likewise(
    leo: User, clip: Video, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "CHUNK", 2)
    comment = comments.add_comment(leo, clip.pk, "hello")
    for _ in range(5):
        comments.like_comment(UserFactory(), comment.pk)
    comments.delete_comment(leo, comment.pk)
    assert Notification.objects.filter(comment=comment.pk).count() == 4
    assert told(leo) == []
    run_jobs()
    assert not Notification.objects.filter(comment=comment.pk).exists()


def test_what_others_were_told_of_the_clips_of_a_purged_account_goes_with_them(
    anna: User, leo: User, clip: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "CHUNK", 2)
    mia = UserFactory(handle="mia")
    for _ in range(5):
        comments.add_comment(leo, clip.pk, "look @mia")
    assert len(told(mia)) == 5
    people.delete_account(anna)
    assert told(mia) == []
    purge(anna.pk)
    assert not Notification.objects.exists()


def test_what_is_older_than_half_a_year_is_pruned_in_chunks(
    anna: User, leo: User, clip: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "CHUNK", 2)
    fans = [UserFactory() for _ in range(5)]
    for fan in (*fans, leo):
        engagement.like_video(fan, clip.pk)
    old = timezone.now() - notifications.KEPT - timedelta(hours=1)
    Notification.objects.exclude(actor=leo).update(created_at=old)
    assert notifications.prune()
    assert Notification.objects.count() == 4
    assert notifications.prune()
    assert not notifications.prune()
    assert not notifications.prune()
    assert told(anna) == [("like", "leo")]


def test_the_job_prunes_until_nothing_is_left(
    anna: User, clip: Video, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "CHUNK", 2)
    for _ in range(5):
        engagement.like_video(UserFactory(), clip.pk)
    Notification.objects.update(created_at=timezone.now() - timedelta(days=200))
    jobs.enqueue(prune_notifications, timestamp=0)
    run_jobs()
    assert not Notification.objects.filter(kind=Kind.LIKE).exists()


def test_an_export_has_what_one_was_told_and_what_one_wants_to_be(
    anna: User, leo: User, listener: User, clip: Video
) -> None:
    engagement.like_video(leo, clip.pk)
    notifications.set_switches(anna, {"follow": False})
    (like, *_) = [row for row in PARTS["notifications"](anna) if row["kind"] == "like"]
    assert (like["by"], like["video"]) == ("leo", clip.pk)
    assert list(PARTS["notification_switches"](anna)) == [{"kind": "follow"}]
    assert [row["handle"] for row in PARTS["bells"](listener)] == ["anna"]


def test_an_account_goes_with_all_that_it_was_told(
    anna: User, leo: User, listener: User, clip: Video
) -> None:
    engagement.like_video(leo, clip.pk)
    notifications.set_switches(anna, {"follow": False})
    people.delete_account(anna)
    purge(anna.pk)
    for model in (Notification, NotificationSwitch, Bell):
        assert not model.objects.exists()
