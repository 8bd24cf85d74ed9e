"""What every other test stands on."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Follow, User
from tests.factories import UserFactory, VideoFactory, befriend, block
from tiktok_clone.common import jobs, signing
from videos.models import SlotEpoch, Status, Video, Visibility

pytestmark = pytest.mark.django_db


def test_an_email_address_is_unique_whatever_the_letter_case() -> None:
    User.objects.create_user("a@example.org", "first")
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(email="A@Example.org")


def test_nobody_follows_themselves(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Follow.objects.create(follower=user, followee=user)


@pytest.mark.parametrize(
    ("relation", "visibility", "private", "seen"),
    [
        ("stranger", "public", False, True),
        ("stranger", "public", True, False),
        ("stranger", "friends", False, False),
        ("stranger", "private", False, False),
        ("follower", "public", True, True),
        ("follower", "friends", False, False),
        ("friend", "friends", False, True),
        ("friend", "friends", True, True),
        ("friend", "private", False, False),
        ("blocked", "public", False, False),
        ("blocker", "public", False, False),
        ("anonymous", "public", False, True),
        ("anonymous", "public", True, False),
        ("anonymous", "friends", False, False),
        ("author", "private", True, True),
    ],
)
def test_a_video_is_visible_to(
    relation: str, visibility: str, private: bool, seen: bool, user: User
) -> None:
    author = UserFactory(is_private=private)
    video = VideoFactory(author=author, visibility=visibility)
    viewer: User | None = user
    match relation:
        case "follower":
            Follow.objects.create(follower=user, followee=author)
        case "friend":
            befriend(user, author)
        case "blocked":
            block(author, user)
        case "blocker":
            block(user, author)
        case "anonymous":
            viewer = None
        case "author":
            viewer = author
    assert Video.objects.visible_to(viewer).filter(pk=video.pk).exists() is seen


def test_a_late_event_moves_nothing() -> None:
    video = VideoFactory(status=Status.READY)
    assert not video.advance(Status.PROCESSING)
    video.refresh_from_db()
    assert video.status == Status.READY


def test_slots_are_dense_and_times_increase() -> None:
    stamps = [SlotEpoch.objects.stamp(take_slot=True) for _ in range(5)]
    assert [stamp.slot for stamp in stamps] == [0, 1, 2, 3, 4]
    times = [stamp.published_at for stamp in stamps]
    assert times == sorted(set(times))


def test_what_only_some_may_see_takes_no_slot() -> None:
    assert VideoFactory(visibility=Visibility.FRIENDS).slot is None
    assert VideoFactory().slot == 0


def test_a_renewed_epoch_differs() -> None:
    before = signing.current_epoch()
    signing.renew_epoch()
    assert signing.current_epoch() != before


@pytest.mark.django_db(transaction=True)
def test_a_job_commits_or_rolls_back_with_the_row_it_is_about(run_jobs) -> None:  # type: ignore[no-untyped-def]
    from procrastinate.contrib.django.models import ProcrastinateJob

    from tiktok_clone.schedule import remove_old_jobs

    def fail_halfway() -> None:
        with transaction.atomic():
            jobs.enqueue(remove_old_jobs, timestamp=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert not ProcrastinateJob.objects.exists()
    with transaction.atomic():
        jobs.enqueue(remove_old_jobs, timestamp=1)
    run_jobs()
    assert set(ProcrastinateJob.objects.values_list("status", flat=True)) == {"succeeded"}
