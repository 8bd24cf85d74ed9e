"""Uploads in pieces: out of order, again, at once, damaged, resumed, given up, expired."""

import hashlib
import io
import tracemalloc
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from accounts import purging
from accounts.models import User
from accounts.services import profiles
from tests.api_client import ApiClient
from tests.videos.pieces import CHUNK, padded_clip, post, reserve, send, send_all, send_bytes
from tests.videos.test_upload import objects, purge
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import incoming, local_store
from videos import quotas, tasks
from videos.media import arriving
from videos.media.processing import original_name
from videos.models import Status, Upload, UploadPiece, Video
from videos.receiving import PieceHandler, stream_uploads
from videos.services import publishing, uploads

RunJobs = Callable[[], None]
pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 4  # pieces


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    incoming()
    monkeypatch.setattr(uploads, "CHUNK_BYTES", CHUNK)


@pytest.fixture
def content() -> bytes:
    """A clip of COUNT pieces, the last one shorter."""
    return padded_clip(CHUNK * COUNT - 123)


def check_nothing_is_left() -> None:
    """No row, no file and no object of any upload."""
    purge()
    assert not Video.objects.exists()
    assert not Upload.objects.exists()
    assert not StoredObject.objects.exists()
    assert objects() == []


def stored_bytes_of(video: Video) -> bytes:
    """What is in the store."""
    with local_store().open(original_name(video)) as file:
        return file.read()


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Run `act(0)`, `act(1)`, … at the same time; a refusal comes back as its code."""

    def run(number: int) -> Any:
        try:
            return act(number)
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


# ── sending ──────────────────────────────────────────────────────────────────────────────────


def test_an_upload_says_where_its_pieces_go(as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    assert upload["url"].endswith(f"/video/upload/{upload['id']}/pieces")
    assert (upload["size_bytes"], upload["chunk_bytes"]) == (len(content), CHUNK)
    assert (upload["received"], upload["checksum"], upload["fields"]) == ([], "sha256", {})
    video = Video.objects.get()
    assert (upload["video"], video.status, video.visibility) == (video.pk, "reserved", "private")


def test_pieces_may_come_in_any_order_and_again(as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    done = [send(as_user, upload, content, number)["done"] for number in (3, 0, 3, 2, 0, 1)]
    assert done == [False, False, False, False, False, True]
    assert as_user.get(f"/video/upload/{upload['id']}")["received"] == [0, 1, 2, 3]
    assert post(as_user, upload)["id"] == upload["video"]
    assert stored_bytes_of(Video.objects.get()) == content
    assert not Upload.objects.exists()
    assert list(incoming().iterdir()) == []


def test_a_complete_upload_is_processed_like_any_other(
    as_user: ApiClient, content: bytes, run_jobs: RunJobs
) -> None:
    upload = reserve(as_user, content, caption="First #sea")
    send_all(as_user, upload, content)
    assert post(as_user, upload, visibility="public")["status"] == "stored"
    run_jobs()
    video = as_user.get(f"/videos/{upload['video']}")
    assert (video["status"], video["caption"], video["visibility"]) == (
        "ready",
        "First #sea",
        "public",
    )
    assert video["hashtags"] == ["sea"]


def test_fifty_at_once_lose_nothing(user: User, as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    key = uuid.UUID(upload["id"])

    def act(number: int) -> bool:
        start = number % COUNT * CHUNK
        piece = content[start : start + CHUNK]
        header = f"bytes {start}-{start + len(piece) - 1}/{len(content)}"
        return uploads.add_piece(user, key, header, ContentFile(piece), "")

    done = at_once(50, act)
    assert set(done) <= {True, False}
    assert True in done
    assert UploadPiece.objects.count() == COUNT
    post(as_user, upload)
    assert stored_bytes_of(Video.objects.get()) == content


def test_it_goes_on_after_everything_was_started_anew(
    user: User, as_user: ApiClient, content: bytes
) -> None:
    upload = reserve(as_user, content)
    send(as_user, upload, content, 0)
    send(as_user, upload, content, 2)
    state = ApiClient(User.objects.get(pk=user.pk)).get(f"/video/upload/{upload['id']}")
    assert state["received"] == [0, 2]
    for number in {0, 1, 2, 3} - set(state["received"]):
        send(as_user, state, content, number)
    post(as_user, upload)
    assert stored_bytes_of(Video.objects.get()) == content


# ── what is refused ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "invalid_range"),
        ("bytes 0-9", "invalid_range"),
        ("bytes 9-0/100", "invalid_range"),
        (f"bytes 0-{10**16}/{10**17}", "invalid_range"),
        ("bytes 0-99/100", "unexpected_range"),  # of another file
        (f"bytes 1-{CHUNK}/{{total}}", "unexpected_range"),
        (f"bytes 0-{CHUNK - 2}/{{total}}", "unexpected_range"),
        (f"bytes 0-{CHUNK}/{{total}}", "unexpected_range"),
    ],
)
def test_a_piece_that_is_none_of_this_file_is_refused(
    as_user: ApiClient, content: bytes, header: str, code: str
) -> None:
    upload = reserve(as_user, content)
    headers = {"Content-Range": header.format(total=len(content))}
    answer = send(as_user, upload, content, 0, expect=400, **headers)
    assert answer["errors"]["Content-Range"][0]["code"] == code
    assert not UploadPiece.objects.exists()


@pytest.mark.parametrize("extra", [-1, 1, 100, -CHUNK])
def test_a_piece_of_another_length_than_it_says_is_refused(
    as_user: ApiClient, content: bytes, extra: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "COPY_BYTES", CHUNK // 4)  # the end of a part and of a piece
    upload = reserve(as_user, content)
    headers = {"Content-Range": f"bytes 0-{CHUNK - 1}/{len(content)}"}
    piece = (content[:CHUNK] + b"x" * max(extra, 0))[: CHUNK + extra] or b""
    answer = send_bytes(as_user, upload, piece, headers=headers, expect=400)
    assert answer["errors"]["file"][0]["code"] == "wrong_length"
    assert not UploadPiece.objects.exists()


def test_a_damaged_piece_is_refused_and_changes_nothing_that_is_here(
    as_user: ApiClient, content: bytes
) -> None:
    upload = reserve(as_user, content)
    damaged = bytes(byte ^ 1 for byte in content)
    good = send(as_user, upload, content, 0)
    assert good == {"done": False}
    wrong = {"X-Piece-Checksum": "0" * 64}
    for number in (0, 1):
        answer = send(as_user, upload, damaged, number, expect=400, **wrong)
        assert answer["code"] == "checksum_mismatch"
    assert list(UploadPiece.objects.values_list("number", flat=True)) == [0]
    for number in (1, 2, 3):
        send(as_user, upload, content, number)
    post(as_user, upload)
    assert stored_bytes_of(Video.objects.get()) == content


def test_a_piece_that_is_too_large_is_cut_off(as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    headers = {"Content-Range": f"bytes 0-{CHUNK - 1}/{len(content)}"}
    piece = bytes(PieceHandler.limit(PieceHandler(RequestFactory().get("/"))) + 100_000)
    send_bytes(as_user, upload, piece, headers=headers, expect=413)
    assert list(incoming().iterdir()) == []


def test_a_piece_without_its_file_is_refused(as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    headers = {"Content-Range": f"bytes 0-{CHUNK - 1}/{len(content)}"}
    answer = as_user.post(upload["url"], {}, format="multipart", headers=headers, expect=400)
    assert answer["code"] == "missing"


def test_others_know_nothing_of_it(as_user: ApiClient, as_other: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    state = f"/video/upload/{upload['id']}"
    as_other.get(state, expect=404)
    as_other.delete(state, expect=404)
    send(as_other, upload, content, 0, expect=404)
    send_all(as_user, upload, content)
    post(as_other, upload, expect=404)
    assert Upload.objects.get().received.count() == COUNT
    post(as_user, upload)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"size": 0}, 400, "empty"),
        ({"size": -1}, 400, "invalid"),
        ({"size": 10**12}, 413, "too_large"),
        ({}, 400, "invalid"),
        ({"size": 10, "etag": "no"}, 400, "invalid"),
        ({"size": 10, "visibility": "secret"}, 400, "invalid"),
    ],
)
def test_what_cannot_be_announced_leaves_nothing(
    as_user: ApiClient, fields: dict[str, Any], status: int, code: str
) -> None:
    assert as_user.post("/video/upload", fields, expect=status)["code"] == code
    check_nothing_is_left()


def test_posting_an_unfinished_upload_is_refused_and_it_goes_on(
    as_user: ApiClient, content: bytes
) -> None:
    upload = reserve(as_user, content)
    for number in (0, 1, 3):
        send(as_user, upload, content, number)
    assert post(as_user, upload, expect=409)["code"] == "incomplete"
    send(as_user, upload, content, 2)
    post(as_user, upload)


@pytest.mark.parametrize("key", ["nonsense", str(uuid.UUID(int=1))])
def test_posting_what_is_no_upload_is_refused(as_user: ApiClient, key: str) -> None:
    post(as_user, {"id": key}, expect=404 if key[0] == "0" else 400)


def test_a_file_that_is_no_video_is_refused_at_the_end_and_leaves_nothing(
    as_user: ApiClient,
) -> None:
    content = b"just words " * 10_000
    upload = reserve(as_user, content)
    send_all(as_user, upload, content)
    assert post(as_user, upload, expect=400)["code"] == "not_a_video"
    check_nothing_is_left()


def test_a_file_with_another_fingerprint_is_refused(as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content, etag="0" * 32)
    send_all(as_user, upload, content)
    assert post(as_user, upload, expect=400)["code"] == "checksum_mismatch"
    check_nothing_is_left()


@pytest.mark.parametrize("is_right", [True, False])
def test_the_fingerprint_may_be_announced_on_the_way(
    is_right: bool, as_user: ApiClient, content: bytes
) -> None:
    right = hashlib.md5(content, usedforsecurity=False).hexdigest()
    upload = reserve(as_user, content, etag="0" * 32)
    path = f"/video/upload/{upload['id']}"
    for etag in ("1" * 32, right if is_right else "2" * 32):
        as_user.patch(path, {"etag": etag}, expect=204)
    send_all(as_user, upload, content)
    if is_right:
        assert post(as_user, upload)["status"] == "stored"
        assert StoredObject.objects.get().etag == right
        assert as_user.patch(path, {"etag": right}, expect=404)["code"] == "not_found"
    else:
        assert post(as_user, upload, expect=400)["code"] == "checksum_mismatch"
        check_nothing_is_left()


@pytest.mark.parametrize("body", [{}, {"etag": ""}, {"etag": "no"}, {"etag": "G" * 32}])
def test_what_is_no_fingerprint_is_refused_by_name(
    body: dict[str, str], as_user: ApiClient, as_other: ApiClient, content: bytes
) -> None:
    upload = reserve(as_user, content)
    path = f"/video/upload/{upload['id']}"
    assert "etag" in as_user.patch(path, body, expect=400)["errors"]
    assert as_other.patch(path, {"etag": "0" * 32}, expect=404)["code"] == "not_found"
    assert Upload.objects.get().etag == ""


# ── quotas ───────────────────────────────────────────────────────────────────────────────────


def test_what_would_be_over_the_quota_is_refused_before_it_is_sent(
    as_user: ApiClient, content: bytes, settings: Any
) -> None:
    settings.QUOTA_BYTES = len(content) - 1
    answer = as_user.post("/video/upload", {"size": len(content)}, expect=403)
    assert (answer["code"], answer["errors"]["file"][0]["code"]) == (
        "quota_exceeded",
        "quota_bytes",
    )
    check_nothing_is_left()


def test_what_finds_no_room_is_refused_before_it_is_sent(
    as_user: ApiClient, content: bytes, settings: Any
) -> None:
    settings.MIN_FREE_BYTES = 2**60
    answer = as_user.post("/video/upload", {"size": len(content)}, expect=507)
    assert answer["code"] == "storage_full"
    check_nothing_is_left()


def test_of_two_at_once_only_as_many_as_fit_are_let_in(
    user: User, content: bytes, settings: Any
) -> None:
    settings.QUOTA_BYTES = 3 * len(content)
    answers = at_once(12, lambda _: bool(uploads.reserve_upload(user, len(content))))
    assert sorted(map(str, answers)) == ["True"] * 3 + ["quota_exceeded"] * 9
    assert quotas.stored_bytes(user.pk) == 3 * len(content)


def test_an_upload_counts_once_while_it_comes_and_when_it_is_here(
    user: User, as_user: ApiClient, content: bytes
) -> None:
    upload = reserve(as_user, content)
    assert quotas.stored_bytes(user.pk) == len(content)
    send_all(as_user, upload, content)
    post(as_user, upload)
    assert quotas.stored_bytes(user.pk) == len(content)


# ── counted once ─────────────────────────────────────────────────────────────────────────────


def keyed(key: str = "a") -> dict[str, str]:
    """The header that makes a request the same as an earlier one."""
    return {"Idempotency-Key": key}


def test_a_reservation_whose_answer_was_lost_is_found_again(
    user: User, as_user: ApiClient, content: bytes, settings: Any
) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"upload_user": (2, 1800)}
    body = {"size": len(content)}
    first = as_user.post("/video/upload", body, expect=201, headers=keyed())
    send(as_user, first, content, 0)
    again = as_user.post("/video/upload", body, expect=201, headers=keyed())
    assert as_user.response.headers["Idempotency-Replayed"] == "true"
    assert (again["id"], again["received"]) == (first["id"], [0])  # as it is now
    assert (Video.objects.count(), quotas.stored_bytes(user.pk)) == (1, len(content))
    other = as_user.post("/video/upload", body, expect=201, headers=keyed("b"))
    assert other["id"] != first["id"]
    as_user.post("/video/upload", body, expect=429, headers=keyed("c"))
    as_user.post("/video/upload", {"size": 7}, expect=422, headers=keyed())


def test_the_key_of_an_upload_that_is_over_finds_nothing(
    as_user: ApiClient, content: bytes
) -> None:
    body = {"size": len(content)}
    upload = as_user.post("/video/upload", body, expect=201, headers=keyed())
    as_user.delete(f"/video/upload/{upload['id']}", expect=204)
    as_user.post("/video/upload", body, expect=404, headers=keyed())


def test_an_upload_counts_once_against_the_limit(
    as_user: ApiClient, content: bytes, settings: Any
) -> None:
    rates = {"upload_user": (2, 1800), "take_in_user": (3, 1800)}
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | rates
    for _ in range(2):
        upload = reserve(as_user, content)
        send_all(as_user, upload, content)
        post(as_user, upload)
    as_user.post("/video/upload", {"size": len(content)}, expect=429)
    file = SimpleUploadedFile("a.mp4", b"no video")
    as_user.post("/video", {"file": file}, format="multipart", expect=429)
    post(as_user, upload)  # again, the same
    post(as_user, upload, expect=429)  # which has a limit of its own


# ── the end ──────────────────────────────────────────────────────────────────────────────────


def delete_the_clip(user: User) -> None:
    """As its author does, from the profile."""
    publishing.delete_video(user, Video.objects.get().pk)


def delete_the_account(user: User) -> None:
    """And the job that removes all of it."""
    profiles.delete_account(user)
    purging.purge(user.pk)


@pytest.mark.parametrize("act", [delete_the_clip, delete_the_account])
def test_its_file_goes_with_its_clip(
    user: User, as_user: ApiClient, content: bytes, act: Callable[[User], None]
) -> None:
    upload = reserve(as_user, content)
    send(as_user, upload, content, 0)
    assert len(list(incoming().iterdir())) == 1
    act(user)
    assert list(incoming().iterdir()) == []
    check_nothing_is_left()


def test_given_up_it_leaves_nothing(as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    send(as_user, upload, content, 0)
    as_user.delete(f"/video/upload/{upload['id']}", expect=204)
    as_user.get(f"/video/upload/{upload['id']}", expect=404)
    send(as_user, upload, content, 1, expect=404)
    post(as_user, upload, expect=404)
    check_nothing_is_left()


def test_given_up_while_a_piece_is_written_it_leaves_nothing(
    as_user: ApiClient, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = reserve(as_user, content)
    write = arriving._write

    def give_up_then_write(*args: Any) -> None:
        as_user.delete(f"/video/upload/{upload['id']}", expect=204)
        write(*args)

    monkeypatch.setattr(arriving, "_write", give_up_then_write)
    send(as_user, upload, content, 0, expect=404)
    check_nothing_is_left()


def test_an_upload_that_was_left_expires(as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    send(as_user, upload, content, 0)
    age()
    as_user.get(f"/video/upload/{upload['id']}", expect=404)
    send(as_user, upload, content, 1, expect=404)
    check_nothing_is_left()


def test_a_complete_upload_that_nobody_posts_is_taken_in(
    as_user: ApiClient, content: bytes, run_jobs: RunJobs
) -> None:
    upload = reserve(as_user, content, caption="Forgotten")
    send_all(as_user, upload, content)
    age()
    run_jobs()
    video = as_user.get(f"/videos/{upload['video']}")
    assert (video["status"], video["visibility"], video["caption"]) == (
        "ready",
        "private",
        "Forgotten",
    )
    assert post(as_user, upload)["id"] == video["id"]  # who comes back finds it
    assert list(incoming().iterdir()) == []


def test_a_complete_upload_that_is_no_video_is_rejected_once(
    user: User, as_user: ApiClient
) -> None:
    content = b"just words " * 10_000
    upload = reserve(as_user, content)
    send_all(as_user, upload, content)
    age()
    video = as_user.get(f"/videos/{upload['video']}")
    assert (video["status"], video["reason"] != "") == ("rejected", True)
    assert not Upload.objects.exists()
    purge()
    assert (quotas.stored_bytes(user.pk), objects()) == (0, [])


def test_posted_twice_it_is_one_clip(as_user: ApiClient, content: bytes) -> None:
    upload = reserve(as_user, content)
    send_all(as_user, upload, content)
    assert post(as_user, upload)["id"] == post(as_user, upload)["id"]
    assert Video.objects.count() == 1


def test_posted_by_many_at_once_it_is_one_clip(
    user: User, as_user: ApiClient, content: bytes, run_jobs: RunJobs
) -> None:
    upload = reserve(as_user, content)
    send_all(as_user, upload, content)
    key = uuid.UUID(upload["id"])
    answers = at_once(8, lambda _: uploads.post_upload(user, key).status)
    assert answers == [Status.STORED] * 8
    assert stored_bytes_of(Video.objects.get()) == content
    run_jobs()
    assert Video.objects.get().status == Status.READY


def test_posted_just_after_another_took_it_in_it_is_the_same_clip(
    user: User, as_user: ApiClient, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = reserve(as_user, content)
    send_all(as_user, upload, content)
    here = arriving._here

    def late(video: Video) -> arriving.Arrived:
        monkeypatch.undo()
        monkeypatch.setattr(uploads, "CHUNK_BYTES", CHUNK)
        post(as_user, upload)
        return here(video)

    monkeypatch.setattr(arriving, "_here", late)
    assert post(as_user, upload)["id"] == upload["video"]


def test_a_key_posts_an_upload_once(as_user: ApiClient, content: bytes) -> None:
    first, second = reserve(as_user, content), reserve(as_user, content)
    send_all(as_user, first, content)
    headers = {"Idempotency-Key": "one"}
    assert post(as_user, first, expect=201, headers=headers)["id"] == first["video"]
    assert "Idempotency-Replayed" not in as_user.response.headers
    assert post(as_user, first, headers=headers)["id"] == first["video"]
    assert as_user.response.headers["Idempotency-Replayed"] == "true"
    # The same key for another upload is a mistake, which is said.
    post(as_user, second, expect=422, headers=headers)


# ── memory ───────────────────────────────────────────────────────────────────────────────────


class Wire(io.RawIOBase):
    """The body of a request as it comes from a network: made as it is read."""

    def __init__(self, head: bytes, size: int, tail: bytes) -> None:
        self.parts = [io.BytesIO(head), size, io.BytesIO(tail)]

    def read(self, count: int = -1) -> bytes:
        """The next bytes, at most 64 kB."""
        head, size, tail = self.parts
        assert isinstance(head, io.BytesIO)
        assert isinstance(size, int)
        assert isinstance(tail, io.BytesIO)
        found = head.read(count)
        if not found and size:
            found = bytes(min(size, 65536, count if count >= 0 else 65536))
            self.parts[1] = size - len(found)
        return found or tail.read(count)


def test_a_piece_is_never_in_memory_as_a_whole(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 7_000_000
    monkeypatch.setattr(uploads, "CHUNK_BYTES", size)
    upload = uploads.reserve_upload(user, size)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="p"\r\n\r\n'
    tail = b"\r\n--b--\r\n"
    request = RequestFactory().post("/", b"-", content_type="multipart/form-data; boundary=b")
    request.META["CONTENT_LENGTH"] = len(head) + size + len(tail)
    request._stream = Wire(head, size, tail)  # type: ignore[attr-defined]
    tracemalloc.start()
    try:
        stream_uploads(request, PieceHandler)
        piece: Any = request.FILES["file"]
        header = f"bytes 0-{size - 1}/{size}"
        done = uploads.add_piece(user, upload.video.uuid, header, piece, "")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert done
    assert piece.size == size
    assert peak < size / 2, f"{peak} bytes"
    assert arriving.piece_file(upload.video).stat().st_size == size


def age() -> None:
    """Let the time of every upload run out, and the sweep come by."""
    Upload.objects.update(expires_at=timezone.now() - timedelta(days=1))
    tasks.sweep_uploads(0)
