"""Two at once, or one that was believed dead: nothing is lost, published twice or left."""

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from tests.api_client import ApiClient
from tests.cloudinary import Emulator
from tests.videos.clips import clip
from tests.videos.pieces import CHUNK, padded_clip, post, reserve, send
from tests.videos.test_direct_uploads import at_once
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import incoming, local, local_store
from tiktok_clone.common.storage.listing import etag_of
from tiktok_clone.operations import sweeping
from videos import publication, signals, tasks
from videos.media import arriving, derived, moving, pictures, processing
from videos.models import Status, Tombstone, Upload, Video
from videos.services import publishing, uploads

RunJobs = Callable[[], None]


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    incoming()


@pytest.fixture
def ready(user: User, settings: Any, run_jobs: RunJobs) -> Video:
    """A clip on the disk, with all that is made of it."""
    url, settings.CLOUDINARY_URL = settings.CLOUDINARY_URL, ""
    video = publishing.create_video(user, clip("180x320", 0.6))
    run_jobs()
    settings.CLOUDINARY_URL = url
    video.refresh_from_db()
    return video


def purge() -> None:
    Tombstone.objects.update(due_at=timezone.now())
    tasks.purge_tombstones(timestamp=0)


def test_a_cover_chosen_while_the_clip_moves_is_made_again(
    hosted: Emulator, ready: Video, monkeypatch: pytest.MonkeyPatch, run_jobs: RunJobs
) -> None:
    before = ready.poster
    real = pictures.stills.make_poster

    def moved_meanwhile(*paths: Path) -> None:
        real(*paths)
        monkeypatch.setattr(pictures.stills, "make_poster", real)
        assert moving.move_video(ready.pk, "cloudinary")

    monkeypatch.setattr(pictures.stills, "make_poster", moved_meanwhile)
    tasks.change_cover(ready.pk, 300)
    run_jobs()
    purge()
    ready.refresh_from_db()
    assert ready.poster.startswith("cloudinary/")
    assert ready.poster.rpartition("/")[0] != f"{ready.folder}/{before.split('/')[2]}"
    there = {found.name for found in sweeping.stores()["cloudinary"].listing()}
    assert ready.poster in there
    assert there == set(StoredObject.objects.values_list("name", flat=True))


def test_a_clip_is_published_once(hosted: Emulator, user: User, run_jobs: RunJobs) -> None:
    """Of two workers the first was believed dead; both had begun before either published."""
    heard: list[int] = []

    def hear(sender: object, video: Video, **_: object) -> None:
        heard.append(video.pk)

    video = publishing.create_video(user, clip("180x320"))
    signals.video_published.connect(hear)
    try:
        begun = [derived._begin(video.pk) for _ in range(2)]
        for one in begun:
            assert one is not None
            publication.publish(one, [])
    finally:
        signals.video_published.disconnect(hear)
    assert heard == [video.pk]


def test_half_a_copy_of_a_killed_worker_goes(tmp_path: Path, db: None) -> None:
    folder = local_store().root / "videos" / "x"
    folder.mkdir(parents=True)
    old, young = folder / f"{local.PARTIAL}abc", folder / f"{local.PARTIAL}def"
    for path in (old, young):
        path.write_bytes(b"half")
    then = (timezone.now() - timedelta(hours=3)).timestamp()
    os.utime(old, (then, then))
    sweeping.sweep_all()
    assert [path.name for path in folder.iterdir()] == [young.name]


def test_copies_of_a_killed_move_go_with_the_clip(
    hosted: Emulator, ready: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(moving, "_rename", lambda *_: os._exit)  # as if it had been killed then
        patch.setattr(moving, "remove_leftovers", lambda _: None)
        moving.move_video(ready.pk, "cloudinary")
    assert len(hosted.library) == 4
    hosted.library.freeze_listing()
    publishing.delete_video(ready.author, ready.pk)
    purge()
    assert (len(hosted.library), StoredObject.objects.count()) == (0, 0)


class Slow:
    """A piece of other bytes, from a client that is slow: it is checked, and then written."""

    def __init__(self, size: int) -> None:
        self.parts = [b"x" * size, b"", b"x" * size, b""]
        self.writing, self.go_on = threading.Event(), threading.Event()

    def read(self, size: int) -> bytes:
        if len(self.parts) == 2:
            self.writing.set()
            self.go_on.wait(20)
        return self.parts.pop(0)

    def seek(self, position: int) -> None:
        """There is nothing to go back in."""


def in_thread(act: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_a_late_piece_does_not_change_the_object(
    as_user: ApiClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_BYTES", CHUNK)
    content = padded_clip(4 * CHUNK)
    upload = reserve(as_user, content)
    row, slow = Upload.objects.get(), Slow(CHUNK)
    for number in range(3):
        send(as_user, upload, content, number)
    span = arriving.Span(3 * CHUNK, 4 * CHUNK - 1, 4 * CHUNK)
    late = in_thread(lambda: at_once(1, lambda _: arriving.receive_piece(row, span, slow)))  # type: ignore[arg-type]
    assert slow.writing.wait(20)
    send(as_user, upload, content, 3)
    posting = in_thread(lambda: post(as_user, upload))
    posting.join(3)  # it waits for the other one; where it does not, it is done by now
    slow.go_on.set()
    posting.join(30)
    late.join(30)
    name = processing.original_name(Video.objects.get())
    assert etag_of(local_store().path(name)) == StoredObject.objects.get(name=name).etag


def test_a_clip_that_moved_and_lost_a_size_is_left_in_peace(
    hosted: Emulator, ready: Video, run_jobs: RunJobs
) -> None:
    assert moving.move_video(ready.pk, "cloudinary")
    Video.objects.filter(pk=ready.pk).update(width=720, height=1280)  # as if one were missing
    hosted.calls.clear()
    tasks.make_larger_renditions(ready.pk)
    run_jobs()
    assert "resource" not in hosted.calls
    assert moving.movable("local").get() == ready  # nothing can be made any more: it may go


def test_an_upload_that_goes_on_at_that_moment_does_not_expire(
    as_user: ApiClient, user: User
) -> None:
    upload = uploads.reserve_upload(user, 1000)
    arriving.let_go(upload.video_id, expired=True)
    assert Video.objects.filter(pk=upload.video_id).exists()
    Upload.objects.update(expires_at=timezone.now())
    arriving.let_go(upload.video_id, expired=True)
    assert not Video.objects.filter(pk=upload.video_id).exists()


def test_no_address_is_signed_that_anybody_thinks_up(
    hosted: Emulator, user: User, api: ApiClient
) -> None:
    for name in ("x/1.webp", "x/original/4000x4000.mp4", "x/256.webp"):
        api.get(f"/media/cloudinary/avatars/{name}", expect=404)
    StoredObject.objects.create(name="cloudinary/avatars/x/256.webp", owner_id=user.pk)
    api.get("/media/cloudinary/avatars/x/256.webp", expect=302)


def test_half_a_file_at_cloudinary_is_rejected(
    hosted: Emulator, user: User, tmp_path: Path, run_jobs: RunJobs
) -> None:
    whole = clip("180x320", 4.0, kind="mkv").read_bytes()
    half = tmp_path / "half.mkv"
    half.write_bytes(whole[: len(whole) // 2])
    video = publishing.create_video(user, half)
    for _ in range(3):
        run_jobs()
        hosted.wait()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    video.refresh_from_db()
    assert (video.status, video.reason_code) == (Status.REJECTED, "truncated")
    purge()
    assert len(hosted.library) == 0
