"""Cloudinary's Admin API may be asked so often an hour: who may use that up, and who waits."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from tests.api_client import ApiClient
from tests.cloudinary import Emulator
from tests.videos.clips import clip
from tests.videos.test_direct_uploads import at_once
from tiktok_clone.common.models import AdminHour
from tiktok_clone.common.storage import allowance, cloudinary_store
from videos import publication, tasks
from videos.models import Status, Tombstone, Upload, Video
from videos.services import publishing, uploads

RunJobs = Callable[[], None]
ADMIN = ("resource", "resources")


def asked(hosted: Emulator) -> int:
    """How often the Admin API was asked."""
    return sum(call in ADMIN for call in hosted.calls)


def reserve(user: User, count: int) -> list[Upload]:
    return [uploads.reserve_upload(user, 1000) for _ in range(count)]


def silent_for(hours: int) -> None:
    """Nothing was heard of any upload for so long."""
    expires = timezone.now() + timedelta(hours=24 - hours)
    Upload.objects.update(expires_at=expires)


def test_who_posts_is_told_to_wait_at_once(hosted: Emulator, as_user: ApiClient) -> None:
    upload = as_user.post("/video/upload", {"size": 1000}, expect=201)
    hosted.faults.refuse("resource", 429, retry_after=600, times=4)
    began = time.monotonic()
    answer = as_user.post("/video", {"upload": upload["id"]}, format="multipart", expect=503)
    assert time.monotonic() - began < 10  # and not the ten minutes, in a thread of the web
    assert answer["code"] == "store_unavailable"
    assert as_user.response.headers["Retry-After"] == "600"
    assert asked(hosted) == 1


def test_a_hundred_reservations_that_nobody_uses_cost_little(
    hosted: Emulator, user: User, settings: Any
) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"upload_user": (200, 1800)}
    settings.CLOUDINARY_FOLDER = "a/folder/with/a/long/name/of/somebody"
    reserve(user, 100)
    for hours in (1, 2, 3, 4, 5, 6):
        silent_for(hours)
        tasks.sweep_uploads(timestamp=0)
    assert Video.objects.count() == 100
    assert asked(hosted) <= 6
    silent_for(25)
    Upload.objects.update(look_at=None)
    tasks.sweep_uploads(timestamp=0)
    assert not Video.objects.exists()
    assert asked(hosted) <= 9


def test_a_silent_upload_is_looked_at_less_and_less(hosted: Emulator, user: User) -> None:
    (upload,) = reserve(user, 1)
    looks = []
    for hours in range(24):
        silent_for(hours)
        Upload.objects.filter(look_at__isnull=False).update(
            look_at=F("look_at") - timedelta(hours=1)
        )
        before = asked(hosted)
        tasks.sweep_uploads(timestamp=0)
        looks += [hours] * (asked(hosted) > before)
    assert looks[0] in (2, 3)
    assert 3 <= len(looks) <= 5, looks
    assert Video.objects.filter(pk=upload.video_id).exists()


def test_what_can_wait_leaves_a_reserve(hosted: Emulator, user: User, settings: Any) -> None:
    settings.CLOUDINARY_CALLS = 9
    store, name = cloudinary_store(), "cloudinary/videos/x/original"
    with allowance.leaving_reserve():
        for _ in range(6):
            assert store.facts([name]) == {}
        with pytest.raises(OSError, match="used up") as raised:
            store.facts([name])
    assert 0 < raised.value.retry_after <= 3601
    for _ in range(3):
        assert not store.exists(name)
    with pytest.raises(OSError, match="used up"):
        store.exists(name)
    assert (asked(hosted), AdminHour.objects.get().calls) == (9, 9)
    AdminHour.objects.update(hour=timezone.now() - timedelta(hours=2))
    assert not store.exists(name)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_take_no_more_than_there_is(settings: Any) -> None:
    settings.CLOUDINARY_CALLS = 5
    allowance.take()
    answers = at_once(12, lambda _: allowance.take() == 0)
    assert sum(answers) == 4


def test_removals_go_on_in_the_next_hour(
    hosted: Emulator, user: User, settings: Any, run_jobs: RunJobs
) -> None:
    videos = [publishing.create_video(user, clip("180x320")) for _ in range(3)]
    settings.CLOUDINARY_CALLS = 9  # six of them for what can wait: three kinds, two folders
    for video in videos:
        publishing.delete_video(user, video.pk)
    hosted.calls.clear()
    tasks.purge_tombstones(timestamp=0)
    assert (asked(hosted), len(list(hosted.library))) == (0, 0)  # by the names in the books
    Tombstone.objects.update(due_at=timezone.now())
    tasks.purge_tombstones(timestamp=0)
    assert asked(hosted) == 6
    waiting = Tombstone.objects.get()
    assert (waiting.attempts, "used up" in waiting.last_error) == (0, True)
    assert timezone.now() < waiting.due_at <= timezone.now() + timedelta(seconds=3601)
    AdminHour.objects.all().delete()
    Tombstone.objects.update(due_at=timezone.now())
    tasks.purge_tombstones(timestamp=0)
    assert not Tombstone.objects.exists()


def test_what_is_buried_once_is_looked_for(hosted: Emulator, user: User) -> None:
    cloudinary_store().save("cloudinary/videos/x/2/360.mp4", clip("180x320"))
    publication.bury("cloudinary/videos/x/2")
    tasks.purge_tombstones(timestamp=0)
    assert list(hosted.library) == []


def test_a_job_waits_as_long_as_it_was_told(
    hosted: Emulator, user: User, run_jobs: RunJobs
) -> None:
    video = publishing.create_video(user, clip("180x320"))
    hosted.faults.refuse("resource", 420)
    run_jobs()
    with connection.cursor() as cursor:
        cursor.execute("SELECT scheduled_at FROM procrastinate_jobs WHERE status = 'todo'")
        (scheduled,) = cursor.fetchone()
    assert scheduled > timezone.now() + timedelta(seconds=500)
    video.refresh_from_db()
    assert video.status == Status.PROCESSING
