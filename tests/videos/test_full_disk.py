"""A disk that is full, for real: the kernel itself refuses the bytes, and no privileges are needed.

While bytes come in, a limit on the size of files makes each write beyond it fail; ffmpeg and
Pillow write to `/dev/full`, which always answers ENOSPC.
"""

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.api_client import ApiClient
from tests.videos.clips import clip
from tests.videos.test_upload import objects, purge
from tiktok_clone.common.storage import LocalStore, incoming, local_store, room
from videos import tasks
from videos.media import ladder, processing, stills
from videos.models import Status, Video
from videos.services.publishing import create_video

RunJobs = Callable[[], None]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Path, settings: object) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "media" / "incoming"  # type: ignore[attr-defined]
    incoming()


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def sent() -> SimpleUploadedFile:
    """A clip that is larger than the room that tests leave."""
    content = clip("720x1280", 0.6).read_bytes()
    assert len(content) > 40_000
    return SimpleUploadedFile("clip.mp4", content)


def test_an_upload_that_finds_no_room_is_refused_and_leaves_nothing(as_user: ApiClient) -> None:
    file = sent()
    with room_for(20_000):
        answer = as_user.post("/video", {"file": file}, format="multipart", expect=507)
    assert answer["code"] == "storage_full"
    assert "try again later" in answer["detail"]
    assert objects() == []
    assert not Video.objects.exists()
    as_user.post("/video", {"file": sent()}, format="multipart", expect=201)


def test_the_last_bytes_of_an_upload_may_find_no_room(as_user: ApiClient) -> None:
    """They wait in memory until the file is closed."""
    small = SimpleUploadedFile("clip.mp4", clip("64x64", 0.2).read_bytes()[:4000])
    with room_for(1000):
        answer = as_user.post("/video", {"file": small}, format="multipart", expect=507)
    assert answer["code"] == "storage_full"
    assert objects() == []


def test_the_page_says_that_there_is_no_room(user: User) -> None:
    browser = Client()
    browser.force_login(user)
    form = {"file": sent()}
    with room_for(20_000):
        answer = browser.post("/upload", form)
    assert answer.status_code == 507
    assert room.SENTENCE in answer.content.decode()


def test_uploads_leave_a_reserve(as_user: ApiClient, settings: object) -> None:
    settings.MIN_FREE_BYTES = 2**60  # type: ignore[attr-defined]
    answer = as_user.post("/video", {"file": sent()}, format="multipart", expect=507)
    assert answer["code"] == "storage_full"
    assert not Video.objects.exists()
    settings.MIN_FREE_BYTES = 0  # type: ignore[attr-defined]
    as_user.post("/video", {"file": sent()}, format="multipart", expect=201)


def test_an_object_that_cannot_be_copied_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store on another filesystem than the source."""
    real = os.link

    def link(one: Path, other: Path) -> None:
        if not Path(one).name.startswith("."):
            raise OSError(errno.EXDEV, "another filesystem")
        real(one, other)

    monkeypatch.setattr(os, "link", link)
    local = LocalStore(tmp_path / "far", "/media/")
    with room_for(20_000), pytest.raises(OSError, match="File too large") as caught:
        local.save("videos/a/original", clip("720x1280", 0.6))
    assert room.is_full(caught.value)
    assert [path for path in (tmp_path / "far").rglob("*") if path.is_file()] == []


def no_room_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have a file of the workshop be one on a full disk."""
    for module, maker in (
        (ladder, "ladder_command"),
        (stills, "make_poster"),
        (stills, "make_moving"),
    ):
        make = getattr(module, maker)

        def on_a_full_disk(*args: object, make: Callable = make, **options: object) -> object:
            for folder in incoming().glob("work-*"):
                if not (folder / name).exists():
                    (folder / name).symlink_to("/dev/full")
            return make(*args, **options)

        monkeypatch.setattr(module, maker, on_a_full_disk)


@pytest.mark.parametrize("name", ["360.mp4", "poster.png", "poster.webp"])
def test_a_clip_whose_processing_finds_no_room_fails_and_can_be_retried(
    name: str, as_user: ApiClient, user: User, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = create_video(user, clip("360x640", 1.0))
    with monkeypatch.context() as full:
        no_room_for(full, name)
        run_jobs()
    card = as_user.get(f"/videos/{video.pk}")
    assert (card["status"], card["reason_code"]) == ("failed", "storage_full")
    assert card["reason"] == processing.FULL_SENTENCE
    assert objects() == [f"videos/{video.uuid}/original"]  # nothing half-made
    as_user.post(f"/videos/{video.pk}/retry")
    run_jobs()
    assert as_user.get(f"/videos/{video.pk}")["status"] == "ready"


def test_what_was_kept_already_goes_when_the_rest_finds_no_room(
    user: User, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = create_video(user, clip())
    save = LocalStore.save

    def full_at_the_poster(local: LocalStore, name: str, source: Path) -> None:
        if name.endswith("poster.webp"):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(local, name, source)

    monkeypatch.setattr(LocalStore, "save", full_at_the_poster)
    run_jobs()
    assert Video.objects.get().reason_code == "storage_full"
    assert objects() == [f"videos/{video.uuid}/original"]


def test_what_failed_for_want_of_room_is_taken_up_when_there_is_room(
    user: User, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    create_video(user, clip())
    with monkeypatch.context() as full:
        no_room_for(full, "180.mp4")
        run_jobs()
    assert Video.objects.get().status == Status.FAILED
    settings.MIN_FREE_BYTES = 2**60  # type: ignore[attr-defined]
    tasks.sweep_uploads(0)
    assert Video.objects.get().status == Status.FAILED
    settings.MIN_FREE_BYTES = 0  # type: ignore[attr-defined]
    tasks.sweep_uploads(0)
    run_jobs()
    assert Video.objects.get().status == Status.READY


def test_what_a_published_clip_lacks_for_want_of_room_follows(
    user: User, run_jobs: RunJobs, failed_jobs_expected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = create_video(user, clip("540x960", 0.5))
    with monkeypatch.context() as full:
        no_room_for(full, "540.mp4")
        no_room_for(full, "sprite.webp")
        run_jobs()
    row = Video.objects.get()
    assert (row.status, row.sprite, row.renditions.count()) == (Status.READY, "", 1)
    purge()
    assert sorted(name.rpartition("/")[2] for name in local_store().names(video.folder)) == [
        "360.mp4", "original", "poster.webp",
    ]  # fmt: skip
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    with connection.cursor() as cursor:  # the retries, which would come within a minute
        cursor.execute("DELETE FROM procrastinate_events; DELETE FROM procrastinate_jobs")
    Video.objects.update(created_at=timezone.now() - timedelta(minutes=20))
    tasks.sweep_uploads(0)
    run_jobs()
    row.refresh_from_db()
    assert (row.sprite != "", row.renditions.count()) == (True, 2)
    purge()
    assert not local_store().exists(f"{row.folder}/original")
