"""What one account may keep and post, and ways around it that lead nowhere."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import User
from tests.api_client import ApiClient
from tests.cloudinary import Emulator
from tests.videos.clips import clip
from tests.videos.test_direct_uploads import at_once
from tiktok_clone.common.storage import incoming
from videos import quotas, tasks
from videos.media import moving
from videos.models import Reservation, Status, Video
from videos.services import publishing

RunJobs = Callable[[], None]


@pytest.fixture
def _on_disk(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    incoming()


def send(client: ApiClient, expect: int) -> Any:
    """Post a clip by the form."""
    form = {"file": SimpleUploadedFile("a.mp4", clip().read_bytes()), "visibility": "public"}
    return client.post("/video", form, format="multipart", expect=expect)


def refused(answer: Any) -> str:
    """Which quota it was."""
    assert answer["code"] == "quota_exceeded"
    return str(answer["errors"]["file"][0]["code"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_on_disk")
def test_of_forms_sent_at_once_only_as_many_as_fit_are_let_in(user: User, settings: Any) -> None:
    size = clip().stat().st_size
    settings.QUOTA_BYTES = 2 * size
    answers = at_once(6, lambda _: bool(publishing.create_video(user, clip())))
    assert sorted(map(str, answers)) == ["True"] * 2 + ["quota_exceeded"] * 4
    assert quotas.stored_bytes(user.pk) == 2 * size


@pytest.mark.usefixtures("_on_disk")
def test_what_is_still_being_stored_counts(user: User) -> None:
    publishing.reserve(user, "", "private", 1000, status=Status.UPLOADING)
    assert quotas.stored_bytes(user.pk) == 1000


@pytest.mark.usefixtures("_on_disk")
def test_so_many_clips_and_no_more_until_one_is_deleted(
    user: User, as_user: ApiClient, settings: Any
) -> None:
    settings.QUOTA_VIDEOS = 2
    first = send(as_user, 201)
    send(as_user, 201)
    assert refused(send(as_user, 403)) == "quota_videos"
    assert refused(as_user.post("/video/upload", {"size": 10}, expect=403)) == "quota_videos"
    as_user.delete(f"/videos/{first['id']}", expect=204)
    send(as_user, 201)


@pytest.mark.usefixtures("_on_disk")
def test_deleting_gives_no_more_clips_for_the_day(
    user: User, as_user: ApiClient, settings: Any
) -> None:
    settings.QUOTA_VIDEOS_PER_DAY = 2
    video = send(as_user, 201)
    as_user.delete(f"/videos/{video['id']}", expect=204)
    upload = as_user.post("/video/upload", {"size": 10}, expect=201)
    as_user.delete(f"/video/upload/{upload['id']}", expect=204)
    assert refused(send(as_user, 403)) == "quota_day"
    assert as_user.response.headers["Retry-After"] == "3600"
    assert not Video.objects.exists()
    Reservation.objects.update(created_at=timezone.now() - timedelta(hours=25))
    send(as_user, 201)
    tasks.sweep_uploads(timestamp=0)
    assert Reservation.objects.count() == 1


def test_a_clip_that_moved_counts_once(
    hosted: Emulator, user: User, settings: Any, run_jobs: RunJobs
) -> None:
    url, settings.CLOUDINARY_URL = settings.CLOUDINARY_URL, ""
    video = publishing.create_video(user, clip("180x320", 0.6))
    run_jobs()
    tasks.purge_tombstones(timestamp=0)
    held, settings.CLOUDINARY_URL = quotas.stored_bytes(user.pk), url
    assert moving.move_video(video.pk, "cloudinary")
    assert quotas.stored_bytes(user.pk) == held
