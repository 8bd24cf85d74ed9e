"""What people are told of: each thing once, taken back with it, shown only while it may be."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import services as people
from accounts.models import FollowRequest, User
from accounts.purging import purge
from feeds import bells, inbox, notifications
from feeds.export_parts import PARTS
from feeds.models import Bell, Kind, Notification, NotificationSwitch
from feeds.tasks import prune_notifications, ring_bells
from tests.api_client import ApiClient
from tests.factories import CommentFactory, UserFactory, VideoFactory, befriend
from tiktok_clone.common.errors import DomainError
from videos import publication
from videos.forgetting import forget_some
from videos.media import processing
from videos.media.refusals import refused
from videos.models import Status, Video, Visibility
from videos.removal import remove_some
from videos.services import comments, engagement, moderation, publishing

pytestmark = pytest.mark.django_db
Told = list[tuple[str, str | None]]


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
    engagement.like_video(leo, clip.pk)
    engagement.unlike_video(leo, clip.pk)
    notifications.mark_read(anna, ids=[])
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
