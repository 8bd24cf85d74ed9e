"""Clips whose media are at Cloudinary, from the upload to the deletion, by the emulator."""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import requests
from django.conf import settings as site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import User
from accounts.services import profiles
from tests.api_client import ApiClient
from tests.cloudinary import Emulator
from tests.cloudinary.signing import sign_notification, sign_url
from tests.cloudinary.test_signing import (
    EMPTY_SHA1,
    EMPTY_SHA256,
    NOTIFICATION,
    NOTIFICATION_SHA1,
    RESPONSE_SECRET,
)
from tests.settling import settle
from tests.videos.clips import clip
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import cloudinary_store, local_store
from tiktok_clone.common.storage.transformations import transformation_of as derived_part
from videos import quotas, tasks
from videos.media import derived, moving
from videos.models import MediaEvent, Status, Tombstone, Video
from videos.services import publishing, uploads

RunJobs = Callable[[], None]


def names(hosted: Emulator) -> list[str]:
    return sorted(asset.public_id for asset in hosted.library)


def test_a_posted_clip_gets_its_renditions_from_cloudinary(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs
) -> None:
    video = publishing.create_video(user, clip("720x1280", 1.0))
    assert (video.store, video.status) == ("cloudinary", Status.STORED)
    settle(run_jobs, hosted)
    card = as_user.get(f"/videos/{video.pk}")
    assert card["status"] == "ready"
    assert [(s["width"], s["height"]) for s in card["sources"]] == [
        (360, 640), (540, 960), (720, 1280),
    ]  # fmt: skip
    assert card["placeholder"].startswith("data:image/webp;base64,")
    folder = f"videos/{video.uuid}"
    assert [n for n in names(hosted) if "original" in n] == [f"{folder}/original"]
    assert [n.rpartition("/")[2] for n in names(hosted)] == ["preview", "sprite", "original"]
    for source in card["sources"]:
        answer = requests.get(source["url"], headers={"Range": "bytes=0-99"}, timeout=10)
        assert (answer.status_code, len(answer.content)) == (206, 100)
        assert urlsplit(source["url"]).netloc == urlsplit(hosted.origin).netloc
    assert requests.get(card["poster"], timeout=10).headers["Content-Type"] == "image/webp"


def test_nothing_is_delivered_without_our_signature(
    hosted: Emulator, user: User, run_jobs: RunJobs
) -> None:
    video = publishing.create_video(user, clip("180x320"))
    settle(run_jobs, hosted)
    url = cloudinary_store().delivery_url(video.renditions.get().name)
    assert requests.get(url, timeout=10).status_code == 200
    bare = "/".join(part for part in url.split("/") if not part.startswith("s--"))
    assert requests.get(bare, timeout=10).status_code == 401
    original = f"{hosted.origin}/demo/video/authenticated/v1/videos/{video.uuid}/original"
    assert requests.get(original, timeout=10).status_code == 401
    assert Client().get(f"/media/{video.folder}/original").status_code == 404


def test_who_may_see_a_private_clip_is_asked_here_each_time(
    hosted: Emulator, user: User, run_jobs: RunJobs, settings: Any
) -> None:
    video = publishing.create_video(user, clip("180x320"), visibility="private")
    settle(run_jobs, hosted)
    card = ApiClient(user).get(f"/videos/{video.pk}")
    address = card["sources"][0]["url"]
    assert address.startswith("/media/cloudinary/videos/")
    owner = Client()
    owner.force_login(user)
    answer = owner.get(address)
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert requests.get(answer.headers["Location"], timeout=10).status_code == 200
    assert Client().get(address).status_code == 404


def send_pieces(hosted: Emulator, described: dict[str, Any], path: Path) -> None:
    """Upload as a browser does, straight to Cloudinary."""
    content = path.read_bytes()
    size, step = len(content), described["chunk_bytes"]
    for start in range(0, size, step):
        piece = content[start : start + step]
        headers = {
            "Content-Range": f"bytes {start}-{start + len(piece) - 1}/{size}",
            "X-Unique-Upload-Id": described["id"],
        }
        answer = requests.post(
            described["url"],
            data=described["fields"],
            files={"file": ("blob", piece)},
            headers=headers,
            timeout=10,
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "CHUNK_BYTES", 20_000)


@pytest.mark.usefixtures("small_pieces")
def test_a_browser_uploads_past_us(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs
) -> None:
    path = clip("360x640", 1.0)
    upload = as_user.post("/video/upload", {"size": path.stat().st_size}, expect=201)
    assert upload["received"] is None
    early = as_user.post("/video", {"upload": upload["id"]}, format="multipart", expect=409)
    assert early["code"] == "incomplete"
    send_pieces(hosted, upload, path)
    body = {"upload": upload["id"], "caption": "hi", "visibility": "public"}
    video = as_user.post("/video", body, format="multipart", expect=201)
    again = as_user.post("/video", body, format="multipart", expect=201)
    assert (video["status"], video["id"]) == ("stored", again["id"])
    settle(run_jobs, hosted)
    assert as_user.get(f"/videos/{video['id']}")["status"] == "ready"
    assert user.pk == StoredObject.objects.filter(name__endswith="/original").get().owner_id


@pytest.mark.usefixtures("small_pieces")
def test_other_bytes_than_announced_are_refused_and_leave_nothing(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs
) -> None:
    path = clip("180x320")
    announced = {"size": path.stat().st_size, "etag": "0" * 32}
    upload = as_user.post("/video/upload", announced, expect=201)
    send_pieces(hosted, upload, path)
    answer = as_user.post("/video", {"upload": upload["id"]}, format="multipart", expect=400)
    assert answer["code"] == "checksum_mismatch"
    assert not Video.objects.exists()
    Tombstone.objects.update(due_at="2020-01-01T00:00Z")
    tasks.purge_tombstones(0)
    assert names(hosted) == []


@pytest.mark.usefixtures("small_pieces")
def test_an_upload_that_no_list_shows_yet_goes_when_it_is_given_up(
    hosted: Emulator, as_user: ApiClient
) -> None:
    hosted.library.freeze_listing()
    path = clip("180x320")
    upload = as_user.post("/video/upload", {"size": path.stat().st_size}, expect=201)
    send_pieces(hosted, upload, path)
    assert len(names(hosted)) == 1
    as_user.delete(f"/video/upload/{upload['id']}", expect=204)
    tasks.purge_tombstones(0)
    assert names(hosted) == []


@pytest.mark.usefixtures("small_pieces")
def test_an_upload_that_nobody_posts_is_taken_in_by_the_message(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs
) -> None:
    path = clip("180x320")
    upload = as_user.post("/video/upload", {"size": path.stat().st_size}, expect=201)
    send_pieces(hosted, upload, path)
    assert tell(upload["id"]) == 204
    assert tell(upload["id"]) == 204
    assert MediaEvent.objects.count() == 1
    settle(run_jobs, hosted)
    assert Video.objects.get().status == Status.READY


def tell(
    upload: str, *, kind: str = "upload", age: int = 0, key: str = "abcd", algorithm: str = "sha1"
) -> int:
    """Send the message that something about an upload is done; return the answer's status."""
    body = json.dumps({"notification_type": kind, "public_id": f"videos/{upload}/original"})
    stamp = str(int(time.time()) - age)
    return bring(body.encode(), stamp, sign_notification(body.encode(), stamp, key, algorithm))


def bring(body: bytes, stamp: str, signature: str) -> int:
    """Send a message to us, with the signature that it has; return the answer's status."""
    headers = {"X-Cld-Timestamp": stamp, "X-Cld-Signature": signature}
    answer = Client().post("/media/webhook", body, content_type="application/json", headers=headers)
    return answer.status_code


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("secret", "body", "stamp", "signature"),
    [
        (RESPONSE_SECRET, NOTIFICATION, 1549533514, NOTIFICATION_SHA1),
        ("someApiSecret", b"{}", 0, EMPTY_SHA1),
        ("someApiSecret", b"{}", 0, EMPTY_SHA256),
    ],
)
def test_messages_are_checked_as_cloudinary_publishes_them(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    secret: str,
    body: bytes,
    stamp: int,
    signature: str,
) -> None:
    """Literal values of its SDKs' tests, none of them computed by us."""
    settings.CLOUDINARY_URL = f"cloudinary://key:{secret}@demo"
    monkeypatch.setattr("videos.views.webhook.time.time", lambda: stamp + 60)
    assert bring(body, str(stamp), signature) == 204
    assert MediaEvent.objects.count() == 1
    other = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    assert bring(body, str(stamp), other) == 403
    assert bring(body + b" ", str(stamp), signature) == 403
    assert bring(body, str(stamp + 1), signature) == 403
    assert MediaEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("notify", "signature"),
    [
        ("", "9138dc5fc4bc0e5cf198cb85443d5df7683045c4"),
        ("https://example.org/media/webhook", "d7227edf32f028b2aed4c8d2424a5eb4f7ad5933"),
    ],
)
def test_a_ticket_is_signed_as_cloudinary_documents_it(
    settings: Any, monkeypatch: pytest.MonkeyPatch, notify: str, signature: str
) -> None:
    """By sha1sum of the sorted fields and the secret, which the documentation has as "abcd".

    `allowed_formats=3g2,3gp,avi,m2ts,m4v,mkv,mov,mp4,mts,ts,webm&overwrite=false`
    `&public_id=videos/x/original&timestamp=1315060510&type=authenticatedabcd` in one line, and the
    same with `&notification_url=https://example.org/media/webhook` behind the formats.
    """
    settings.CLOUDINARY_URL = "cloudinary://1234:abcd@demo"
    clock = "tiktok_clone.common.storage.cloudinary.time.time"
    monkeypatch.setattr(clock, lambda: 1315060510.7)
    ticket = cloudinary_store().ticket("cloudinary/videos/x/original", notify)
    assert ticket.url == "https://api.cloudinary.com/v1_1/demo/video/upload"
    assert ticket.fields == {
        "timestamp": "1315060510",
        "public_id": "videos/x/original",
        "type": "authenticated",
        "overwrite": "false",
        "allowed_formats": "3g2,3gp,avi,m2ts,m4v,mkv,mov,mp4,mts,ts,webm",
        "api_key": "1234",
        "signature": signature,
        **({"notification_url": notify} if notify else {}),
    }


def test_addresses_are_signed_as_cloudinary_signs_them(settings: Any) -> None:
    """The vector of its SDK's tests for `sample.jpg` and the secret "b"."""
    settings.CLOUDINARY_URL = "cloudinary://a:b@test123"
    assert sign_url("sample.jpg", "b") == "s--v2fTPYTu--"
    url = cloudinary_store().delivery_url("cloudinary/videos/x/original/360x640.mp4")
    part, name = derived_part("360x640.mp4"), "videos/x/original.mp4"
    assert url == (
        "https://res.cloudinary.com/test123/video/authenticated/"
        f"{sign_url(f'{part}/{name}', 'b')}/{part}/v1/{name}"
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("hosted")
def test_only_fresh_messages_of_cloudinary_are_taken() -> None:
    name = str(UUID(int=1))
    assert tell(name) == 204
    assert tell(name, kind="eager", algorithm="sha256") == 204
    assert tell(name, key="other") == 403
    assert tell(str(UUID(int=2)), age=19 * 60) == 204  # the last time that it is tried
    assert tell(name, age=31 * 60) == 403
    assert tell(name, age=-120) == 403
    unsigned = Client().post("/media/webhook", "{}", content_type="application/json")
    assert unsigned.status_code == 403
    assert MediaEvent.objects.count() == 3


def test_without_cloudinary_there_is_no_such_address(db: None) -> None:
    assert Client().post("/media/webhook", "{}", content_type="application/json").status_code == 404


def test_messages_that_come_late_twice_or_after_the_end_change_nothing(
    hosted: Emulator, user: User, run_jobs: RunJobs
) -> None:
    video = publishing.create_video(user, clip("180x320"))
    key = str(video.uuid)
    assert tell(key, kind="eager") == 204
    settle(run_jobs, hosted)
    before = list(video.renditions.values_list("pk", "name"))
    assert tell(key, kind="upload") == 204
    settle(run_jobs, hosted)
    assert list(video.renditions.values_list("pk", "name")) == before
    publishing.delete_video(user, video.pk)
    assert tell(key, kind="delete") == 204
    settle(run_jobs, hosted)
    assert not Video.objects.exists()
    assert names(hosted) == []


def test_a_deletion_is_tried_until_cloudinary_answers(
    hosted: Emulator, user: User, run_jobs: RunJobs
) -> None:
    video = publishing.create_video(user, clip("180x320"))
    settle(run_jobs, hosted)
    url = cloudinary_store().delivery_url(video.renditions.get().name)
    hosted.faults.refuse("destroy", 502)
    publishing.delete_video(user, video.pk)
    run_jobs()
    assert Tombstone.objects.exclude(last_error="").exists()
    Tombstone.objects.update(due_at="2020-01-01T00:00Z")
    tasks.purge_tombstones(0)
    assert names(hosted) == []
    assert not StoredObject.objects.exists()
    assert requests.get(url, timeout=10).status_code == 404


def test_what_was_stored_though_the_answer_was_lost_is_adopted(
    hosted: Emulator, user: User, run_jobs: RunJobs
) -> None:
    name = "cloudinary/videos/x/original"
    hosted.faults.drop_after("upload")
    with pytest.raises(OSError, match=r"Error|error|Socket"):
        cloudinary_store().save(name, clip("180x320"))
    cloudinary_store().save(name, clip("180x320"))
    assert names(hosted) == ["videos/x/original"]
    with pytest.raises(FileExistsError):
        cloudinary_store().save(name, clip("180x320", 0.5))


def test_an_acknowledgement_without_a_name_stores_nothing_elsewhere(
    hosted: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiktok_clone.common.storage.cloudinary.CHUNK_BYTES", 20_000)
    hosted.faults.nameless_acknowledgements = True
    with pytest.raises(OSError, match="another name"):
        cloudinary_store().save("cloudinary/videos/x/original", clip("360x640"))
    assert names(hosted) == []


def test_a_silent_cloudinary_is_a_503_and_leaves_a_row_for_the_sweep(
    hosted: Emulator, user: User, as_user: ApiClient
) -> None:
    hosted.faults.refuse("upload", 503, times=10)
    form = {"file": SimpleUploadedFile("a.mp4", clip("180x320").read_bytes())}
    answer = as_user.post("/video", form, format="multipart", expect=503)
    assert answer["code"] == "store_unavailable"
    assert "Retry-After" in as_user.response.headers


def test_a_clip_waits_for_a_cloudinary_that_is_away(
    hosted: Emulator, user: User, run_jobs: RunJobs
) -> None:
    video = publishing.create_video(user, clip("180x320"))
    hosted.faults.refuse("resource", 420, times=2)
    run_jobs()
    video.refresh_from_db()
    assert video.status == Status.PROCESSING
    settle(run_jobs, hosted)
    settle(run_jobs, hosted)
    video.refresh_from_db()
    assert video.status == Status.READY


def test_a_clip_that_never_gets_its_renditions_fails_in_words(
    hosted: Emulator, user: User, monkeypatch: pytest.MonkeyPatch, failed_jobs_expected: None,
    run_jobs: RunJobs,
) -> None:  # fmt: skip
    monkeypatch.setattr(tasks, "LOOKS_MAX", 0)
    monkeypatch.setattr(derived, "_derive", lambda *_: None)
    video = publishing.create_video(user, clip("180x320"))
    for _ in range(5):
        settle(run_jobs, hosted)
    video.refresh_from_db()
    assert (video.status, bool(video.reason)) == (Status.FAILED, True)


def test_pictures_of_people_are_there_too(hosted: Emulator, user: User, run_jobs: RunJobs) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(picture, "PNG")
    image = profiles.check_avatar(picture, picture.tell())
    profiles.set_avatar(user, image)
    assert user.avatar.startswith("cloudinary/avatars/")
    assert requests.get(user.avatar_url, timeout=10).headers["Content-Type"] == "image/webp"
    profiles.remove_avatar(user)
    run_jobs()
    assert names(hosted) == []


def test_a_clip_moves_to_and_fro_and_is_never_missing(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs, settings: Any
) -> None:
    url, settings.CLOUDINARY_URL = settings.CLOUDINARY_URL, ""
    video = publishing.create_video(user, clip("720x1280", 0.6))
    settle(run_jobs, hosted)
    settings.CLOUDINARY_URL = url
    seen: list[str] = []
    for kind in ("cloudinary", "local", "cloudinary"):
        before = addresses(as_user, video.pk)
        assert moving.movable(kind).get() == video
        assert moving.move_video(video.pk, kind)
        assert not moving.move_video(video.pk, kind)
        after = addresses(as_user, video.pk)
        assert len(after) == len(before) == 3 + 3
        for address in before + after:
            assert fetch(address) == 200, address
        seen += after
    assert len(set(seen)) == len(seen)
    Tombstone.objects.update(due_at="2020-01-01T00:00Z")
    tasks.purge_tombstones(0)
    assert list(local_store().names(f"videos/{video.uuid}")) == []
    assert {fetch(address) for address in addresses(as_user, video.pk)} == {200}
    books = set(StoredObject.objects.values_list("name", flat=True))
    assert books == {f.name for f in cloudinary_store().listing()}


def addresses(client: ApiClient, video_id: int) -> list[str]:
    card = client.get(f"/videos/{video_id}")
    sources = [source["url"] for source in card["sources"]]
    return [*sources, card["poster"], card["preview"], card["sprite"]["url"]]


def fetch(address: str) -> int:
    if address.startswith("/"):
        answer = Client().get(address, follow=False)
        if answer.status_code != 302:
            return answer.status_code
        return fetch(answer.headers["Location"])
    return requests.get(address, timeout=10).status_code


def test_a_move_that_breaks_off_leaves_the_clip_as_it_was(
    hosted: Emulator, user: User, as_user: ApiClient, run_jobs: RunJobs, settings: Any
) -> None:
    url, settings.CLOUDINARY_URL = settings.CLOUDINARY_URL, ""
    video = publishing.create_video(user, clip("180x320", 0.6))
    settle(run_jobs, hosted)
    settings.CLOUDINARY_URL = url
    Tombstone.objects.update(due_at="2020-01-01T00:00Z")
    tasks.purge_tombstones(0)
    before, held = addresses(as_user, video.pk), quotas.stored_bytes(user.pk)
    hosted.faults.refuse("upload", 500, times=1)
    with pytest.raises(OSError, match="General"):
        moving.move_video(video.pk, "cloudinary")
    assert addresses(as_user, video.pk) == before
    tasks.purge_tombstones(0)
    hosted.faults.refuse_after("upload", 500, times=1)
    with pytest.raises(OSError, match="General"):
        moving.move_video(video.pk, "cloudinary")
    assert len(names(hosted)) == 1  # it came, and we were told that it did not
    tasks.purge_tombstones(0)
    assert (names(hosted), quotas.stored_bytes(user.pk)) == ([], held)
    assert moving.move_video(video.pk, "cloudinary")
    Tombstone.objects.update(due_at="2020-01-01T00:00Z")
    tasks.purge_tombstones(0)
    assert len(names(hosted)) == 4
    assert url == site.CLOUDINARY_URL
