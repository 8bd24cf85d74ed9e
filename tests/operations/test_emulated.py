"""A whole clip at Cloudinary under the sweep, by the emulator and the unchanged SDK."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.services import profiles
from tests.cloudinary import Emulator
from tests.factories import UserFactory
from tests.operations.objects import missing
from tests.settling import settle
from tests.videos.clips import clip
from tiktok_clone.operations import sweeping
from tiktok_clone.operations.models import Erasure, Orphan, Sweep
from tiktok_clone.operations.tasks import verify_erasures
from videos import tasks
from videos.models import MEDIA_MISSING, Status, Tombstone, Video
from videos.services import publishing

RunJobs = Callable[[], None]


@pytest.fixture
def hosted(cloudinary_emulator: Emulator, settings: Any) -> Emulator:
    settings.CLOUDINARY_URL = f"{cloudinary_emulator.url}&secure=false"
    settings.CLOUDINARY_NOTIFY = ""
    return cloudinary_emulator


def sweep() -> Sweep:
    return sweeping.sweep_all()[1].sweep


def test_a_clip_is_in_step_lost_with_its_original_and_erased(
    hosted: Emulator, transactional_db: None, run_jobs: RunJobs
) -> None:
    author = UserFactory()
    video: Video = publishing.create_video(author, clip("360x640", 1.0), "", "public")
    settle(run_jobs, hosted)
    video.refresh_from_db()
    assert video.status == Status.READY
    found = sweep()
    assert (found.listed, found.orphans, found.missing, found.expired) == (3, 0, 0, 0)
    assert found.checked == 5  # original, rendition, poster, preview, sprite

    # Somebody deletes a picture in Cloudinary's console: it is made again.
    picture = video.preview.removeprefix("cloudinary/").removesuffix(".webp")
    hosted.library.freeze_listing()
    assert hosted.library.destroy("image/authenticated", picture, invalidate=True)
    assert sweep().mended == 1  # an old list hides nothing
    hosted.library.thaw_listing()
    settle(run_jobs, hosted)
    tasks.purge_tombstones(timestamp=0)
    video.refresh_from_db()
    assert (sweep().missing, missing()) == (0, set())

    original = f"videos/{video.uuid}/original"
    assert hosted.library.destroy("video/authenticated", original, invalidate=True)
    assert sweep().lost == 1
    video.refresh_from_db()
    assert (video.status, video.reason_code) == (Status.FAILED, MEDIA_MISSING)

    profiles.delete_account(author)
    run_jobs()
    for _ in range(2):
        Tombstone.objects.update(due_at=video.created_at)
        tasks.purge_tombstones(timestamp=0)
    verify_erasures(timestamp=0)
    assert Erasure.objects.get(person_id=author.pk).verified_at is not None
    assert list(hosted.library) == []
    assert not Orphan.objects.exists()
