"""What a ticket for an upload to Cloudinary can be misused for, and that nothing of it stays."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.utils import timezone
from PIL import Image

from accounts.models import User
from accounts.services import profiles
from accounts.tasks import purge_account
from tests.api_client import ApiClient
from tests.cloudinary import Emulator
from tests.videos.clips import clip
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import cloudinary, cloudinary_store
from tiktok_clone.operations import sweeping
from tiktok_clone.operations.claims import claims
from tiktok_clone.operations.models import Erasure, Orphan
from tiktok_clone.operations.tasks import verify_erasures
from videos import tasks
from videos.models import Status, Tombstone, Video
from videos.services import publishing

RunJobs = Callable[[], None]
KINDS = ("video", "image", "raw", "auto")


def picture() -> bytes:
    """A file that no clip is."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "PNG")
    return file.getvalue()


def misuse(ticket: dict[str, Any], kind: str, content: bytes, name: str = "piece") -> int:
    """Send the signed fields to the address of a kind; return the answer's status."""
    url = ticket["url"].replace("/video/upload", f"/{kind}/upload")
    files = {"file": (name, content)}
    return requests.post(url, data=ticket["fields"], files=files, timeout=10).status_code


def assets(hosted: Emulator) -> list[tuple[str, str]]:
    return sorted((asset.resource_type, asset.public_id) for asset in hosted.library)


def purge() -> None:
    """Have all tombstones work, the late ones too."""
    Tombstone.objects.update(due_at=timezone.now())
    tasks.purge_tombstones(timestamp=0)


@pytest.fixture
def _any_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudinary, "FORMATS", f"{cloudinary.FORMATS},png")


def test_only_formats_of_clips_are_let_in(hosted: Emulator, as_user: ApiClient) -> None:
    ticket = as_user.post("/video/upload", {"size": 1000}, expect=201)
    assert "mp4" in ticket["fields"]["allowed_formats"].split(",")
    assert misuse(ticket, "image", picture()) == 400
    assert misuse(ticket, "raw", picture(), "x.png") == 400
    ticket["fields"]["allowed_formats"] = "png"
    assert misuse(ticket, "image", picture()) == 401  # it is signed
    assert assets(hosted) == []


@pytest.mark.usefixtures("_any_format")
def test_what_was_sent_to_other_kinds_goes_with_the_account(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs
) -> None:
    path = clip("180x320")
    ticket = as_user.post("/video/upload", {"size": path.stat().st_size}, expect=201)
    assert [
        misuse(ticket, kind, content, name)
        for kind, content, name in (
            ("video", path.read_bytes(), "piece"),
            ("image", picture(), "piece"),
            ("raw", b"anything", "piece"),
            ("raw", b"anything", "piece.mp4"),
        )
    ] == [200] * 4
    assert len(assets(hosted)) == 4
    profiles.delete_account(user)
    run_jobs()
    for _ in range(2):
        purge()
    verify_erasures(timestamp=0)
    assert assets(hosted) == []
    assert not StoredObject.objects.exists()
    assert Erasure.objects.get(person_id=user.pk).verified_at is not None


@pytest.mark.usefixtures("_any_format")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_after_the_account_went_is_found(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs, kind: str
) -> None:
    """The listing may be old, and the tombstones go by names: none of both alone is enough."""
    ticket = as_user.post("/video/upload", {"size": 1000}, expect=201)
    profiles.delete_account(user)
    purge_account(user.pk)
    tasks.purge_tombstones(timestamp=0)
    content = clip("180x320").read_bytes() if kind == "video" else picture()
    assert misuse(ticket, kind, content) == 200
    erasure = Erasure.objects.get(person_id=user.pk)
    verify_erasures(timestamp=0)
    assert len(assets(hosted)) == 1
    for _ in range(3):
        purge()
        verify_erasures(timestamp=0)
    erasure.refresh_from_db()
    assert (assets(hosted), bool(erasure.verified_at)) == ([], True)


@pytest.mark.usefixtures("_any_format")
def test_beside_a_clip_that_was_posted_nothing_stays(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs
) -> None:
    path = clip("180x320")
    ticket = as_user.post("/video/upload", {"size": path.stat().st_size}, expect=201)
    assert misuse(ticket, "video", path.read_bytes()) == 200
    assert misuse(ticket, "image", picture()) == 200
    as_user.post("/video", {"upload": ticket["id"]}, format="multipart", expect=201)
    assert misuse(ticket, "raw", b"anything") == 200
    purge()
    assert assets(hosted) == [("video", f"videos/{ticket['id']}/original")]


def test_a_stray_is_told_from_the_original_and_swept_alone(hosted: Emulator, user: User) -> None:
    video: Video = publishing.create_video(user, clip("180x320"))
    store, name = cloudinary_store(), f"{video.folder}/original"
    ticket = {"url": store.ticket(name).url, "fields": store.ticket(name).fields}
    assert misuse(ticket, "raw", b"anything", "piece.mp4") == 200
    assert misuse(ticket, "raw", b"anything") == 200
    Video.objects.filter(pk=video.pk).update(status=Status.READY)
    strays = {f"{name}:raw", f"{name}.mp4:raw"}
    assert {found.name for found in store.listing()} == {name, *strays}
    for asset in hosted.library:
        asset.created = 0.0
    for _ in range(2):
        sweeping.sweep_all()
    assert set(Orphan.objects.in_quarantine().values_list("name", flat=True)) == strays
    for stray in strays:
        store.delete_prefix(stray)
    assert {found.name for found in store.listing()} == {name}


def rejected(hosted: Emulator, as_user: ApiClient) -> dict[str, Any]:
    """An upload of other bytes than announced, which nobody posts. Returns its ticket."""
    path = clip("180x320")
    announced = {"size": path.stat().st_size, "etag": "0" * 32}
    ticket: dict[str, Any] = as_user.post("/video/upload", announced, expect=201)
    assert misuse(ticket, "video", path.read_bytes()) == 200
    tasks.take_in_upload(ticket["video"])
    assert Video.objects.get().status == Status.REJECTED
    tasks.purge_tombstones(timestamp=0)
    assert assets(hosted) == []
    return ticket


def test_a_rejected_clip_that_is_sent_again_goes_again(
    hosted: Emulator, as_user: ApiClient
) -> None:
    ticket = rejected(hosted, as_user)
    assert misuse(ticket, "video", clip("180x320").read_bytes()) == 200
    purge()
    assert (assets(hosted), Video.objects.get().status) == ([], Status.REJECTED)


def test_nothing_belongs_to_a_rejected_clip(hosted: Emulator, as_user: ApiClient) -> None:
    ticket = rejected(hosted, as_user)
    purge()
    names = [f"cloudinary/videos/{ticket['id']}/{path}" for path in ("original", "1/360.mp4")]
    assert claims(names) == {}
