"""Posting a clip: by API and by form, refused or processed, retried and deleted."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.api_client import ApiClient
from tests.factories import VideoFactory
from tests.videos.clips import clip
from tiktok_clone.common.storage import incoming, local_store
from videos import tasks
from videos.models import Status, Tombstone, Video

RunJobs = Callable[[], None]


def objects() -> list[str]:
    """All files below the media folder, but those of the folders of pictures."""
    root = Path(settings.MEDIA_ROOT)
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Path, settings: object) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"  # type: ignore[attr-defined]
    incoming()


def post(client: ApiClient, path: Path | None, expect: int = 201, **fields: str) -> dict:
    """POST /video with a file."""
    form: dict = dict(fields)
    if path is not None:
        form["file"] = SimpleUploadedFile("../../my holiday.txt", path.read_bytes())
    return client.post("/video", form, format="multipart", expect=expect)


def test_a_posted_clip_is_processed_and_published(
    as_user: ApiClient, user: User, run_jobs: RunJobs
) -> None:
    answer = post(as_user, clip("360x640", 1.0), caption="Hello #loop", visibility="public")
    assert answer["status"] == "stored"
    assert answer["sources"] == []
    run_jobs()
    video = as_user.get(f"/videos/{answer['id']}")
    assert video["status"] == "ready"
    assert (video["width"], video["height"]) == (360, 640)
    assert [source["height"] for source in video["sources"]] == [640]
    assert video["hashtags"] == ["loop"]
    assert video["placeholder"].startswith("data:image/webp;base64,")
    assert 0.9 < video["duration"] < 1.2
    user.refresh_from_db()
    assert user.videos_count == 1
    row = Video.objects.get()
    assert row.slot == 0
    assert row.published_at is not None


def test_larger_renditions_follow_and_the_original_goes(
    as_user: ApiClient, run_jobs: RunJobs
) -> None:
    post(as_user, clip("720x1280", 0.6))
    run_jobs()
    video = Video.objects.get()
    assert list(video.renditions.order_by("rung").values_list("rung", flat=True)) == [360, 540, 720]
    purge()
    folder = str(video.folder)
    kept = sorted(name.removeprefix(f"{folder}/") for name in local_store().names(folder))
    stills = ["2/preview.webp", "2/sprite.webp"]
    assert kept == ["1/360.mp4", "1/poster.webp", *stills, "3/540.mp4", "3/720.mp4"]
    card = as_user.get(f"/videos/{video.pk}")
    assert card["preview"] == local_store().url(f"{folder}/2/preview.webp")
    assert card["sprite"] == {"url": local_store().url(f"{folder}/2/sprite.webp"), "columns": 10}


@pytest.mark.parametrize("visibility", ["friends", "private"])
def test_a_clip_that_is_not_public_has_no_slot_and_does_not_count(
    visibility: str, as_user: ApiClient, user: User, run_jobs: RunJobs, as_other: ApiClient
) -> None:
    answer = post(as_user, clip(), visibility=visibility)
    run_jobs()
    video = Video.objects.get()
    assert video.status == Status.READY
    assert video.slot is None
    user.refresh_from_db()
    assert user.videos_count == 0
    as_other.get(f"/videos/{answer['id']}", expect=404)


def test_becoming_public_gives_a_slot_that_stays(as_user: ApiClient, run_jobs: RunJobs) -> None:
    answer = post(as_user, clip(), visibility="private")
    run_jobs()
    before = Video.objects.get().published_at
    for visibility in ("public", "private", "public"):
        as_user.patch(f"/videos/{answer['id']}", {"visibility": visibility})
        video = Video.objects.get()
        assert video.slot == 0
        assert video.author.videos_count == (1 if visibility == "public" else 0)
    assert video.published_at > before  # new for everybody else


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"hello, I am a text" * 10, "not_a_video"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "image"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not_a_video"),
        (b"ffconcat version 1.0\nfile clip.mp4\n", "not_a_video"),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
            "not_a_video",
        ),
    ],
)
def test_what_is_not_a_video_is_refused_and_leaves_nothing(
    content: bytes, code: str, as_user: ApiClient, tmp_path: Path
) -> None:
    path = tmp_path / "sent"
    path.write_bytes(content)
    before = objects()
    answer = post(as_user, path, expect=400)
    assert answer["code"] == code
    assert answer["errors"]["file"][0]["code"] == code
    assert not Video.objects.exists()
    assert objects() == before


def test_a_file_without_the_field_is_refused(as_user: ApiClient) -> None:
    assert post(as_user, None, expect=400)["code"] == "missing"


def test_an_upload_over_the_limit_is_stopped(as_user: ApiClient, settings: object) -> None:
    settings.VIDEO_MAX_BYTES = 10_000  # type: ignore[attr-defined]
    answer = post(as_user, clip(), expect=413)
    assert answer["code"] == "too_large"
    assert not Video.objects.exists()
    assert objects() == []


def test_a_clip_that_is_too_long_is_refused(as_user: ApiClient, settings: object) -> None:
    settings.VIDEO_MAX_SECONDS = 1  # type: ignore[attr-defined]
    answer = post(as_user, clip("64x64", 3.0), expect=400)
    assert answer["code"] == "too_long"
    assert "1 second" in answer["detail"]


def test_a_wrong_visibility_is_refused_by_name(as_user: ApiClient) -> None:
    answer = post(as_user, clip(), expect=400, visibility="secret")
    assert "visibility" in answer["errors"]
    assert not Video.objects.exists()


def test_nobody_posts_without_signing_in(api: ApiClient, db: None) -> None:
    post(api, clip(), expect=401)


def test_a_half_file_is_rejected_with_the_reason(
    as_user: ApiClient, run_jobs: RunJobs, tmp_path: Path
) -> None:
    whole = clip("180x320", 4.0, kind="mkv").read_bytes()
    half = tmp_path / "half"
    half.write_bytes(whole[: len(whole) // 2])
    post(as_user, half)
    run_jobs()
    video = Video.objects.get()
    assert (video.status, video.reason_code) == (Status.REJECTED, "truncated")
    purge()
    assert list(local_store().names(video.folder)) == []


def test_a_crash_is_a_failure_that_can_be_retried(
    as_user: ApiClient, as_other: ApiClient, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = post(as_user, clip())
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setattr("videos.media.ffmpeg.program", lambda: "/bin/false")
    run_jobs()
    video = Video.objects.get()
    assert (video.status, video.reason_code) == (Status.FAILED, "processing_failed")
    as_other.post(f"/videos/{video.pk}/retry", expect=404)
    monkeypatch.undo()
    assert as_user.post(f"/videos/{video.pk}/retry")["status"] == "stored"
    run_jobs()
    assert as_user.get(f"/videos/{answer['id']}")["status"] == "ready"
    as_user.post(f"/videos/{video.pk}/retry", expect=409)


@pytest.mark.parametrize("state", ["stored", "processing", "ready", "failed", "rejected"])
def test_a_clip_can_be_deleted_in_every_state(
    state: str, as_user: ApiClient, user: User, run_jobs: RunJobs
) -> None:
    answer = post(as_user, clip(), caption="#gone")
    if state == "ready":
        run_jobs()
    else:
        Video.objects.update(status=state)
    as_user.delete(f"/videos/{answer['id']}", expect=204)
    assert not Video.objects.exists()
    run_jobs()
    assert objects() == []
    assert Tombstone.objects.count() == 1  # the second look is due later
    user.refresh_from_db()
    assert user.videos_count == 0


def test_a_clip_deleted_in_processing_leaves_nothing(
    as_user: ApiClient, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = post(as_user, clip())
    from videos.media import processing

    keep = processing._keep

    def delete_then_keep(*args: object) -> object:
        as_user.delete(f"/videos/{answer['id']}", expect=204)
        return keep(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(processing, "_keep", delete_then_keep)
    run_jobs()
    assert not Video.objects.exists()
    assert objects() == []


def test_a_deletion_holds_while_a_purge_waits_already(
    as_user: ApiClient, run_jobs: RunJobs
) -> None:
    """The second job with a queueing lock is refused; that must not undo the deletion."""
    first, second = post(as_user, clip()), post(as_user, clip())
    as_user.delete(f"/videos/{first['id']}", expect=204)
    as_user.delete(f"/videos/{second['id']}", expect=204)
    assert not Video.objects.exists()
    run_jobs()


def test_processing_twice_changes_nothing(as_user: ApiClient, run_jobs: RunJobs) -> None:
    post(as_user, clip())
    run_jobs()
    before = list(Video.objects.values())
    tasks.enqueue_processing(Video.objects.get().pk)
    run_jobs()
    assert list(Video.objects.values()) == before


def test_an_attempt_that_was_overtaken_changes_nothing(
    as_user: ApiClient, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from videos.media import processing

    post(as_user, clip())
    keep = processing._keep

    def overtaken(*args: object) -> object:
        Video.objects.update(attempt=7)
        return keep(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(processing, "_keep", overtaken)
    run_jobs()
    tasks.purge_tombstones(timestamp=0)
    video = Video.objects.get()
    assert video.status == Status.PROCESSING
    assert not video.renditions.exists()
    assert [n for n in local_store().names(video.folder) if "original" not in n] == []


def test_abandoned_uploads_expire_and_lost_jobs_are_found(user: User, run_jobs: RunJobs) -> None:
    from datetime import timedelta

    from django.utils import timezone

    old = timezone.now() - timedelta(hours=3)
    abandoned = Video.objects.create(author=user, status=Status.UPLOADING)
    lost = Video.objects.create(author=user, status=Status.STORED)
    fresh = Video.objects.create(author=user, status=Status.UPLOADING)
    local_store().save(f"{lost.folder}/original", clip())
    Video.objects.filter(pk__in=[abandoned.pk, lost.pk]).update(updated_at=old)
    tasks.sweep_uploads(0)
    run_jobs()
    assert not Video.objects.filter(pk=abandoned.pk).exists()
    assert Video.objects.get(pk=lost.pk).status == Status.READY
    assert Video.objects.get(pk=fresh.pk).status == Status.UPLOADING


def test_the_form_works_without_javascript(user: User, run_jobs: RunJobs) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    page = browser.get("/upload")
    token = page.context["csrf_token"]
    form = {"caption": "By form", "visibility": "public", "csrfmiddlewaretoken": str(token)}
    with clip().open("rb") as file:
        answer = browser.post("/upload", {**form, "file": file})
    video = Video.objects.get()
    status = f"/@{user.handle}/video/{video.pk}/status"
    assert (answer.status_code, answer.headers["Location"]) == (302, status)
    assert "every 1s" in browser.get(status).content.decode()
    run_jobs()
    assert "is ready" in browser.get(status, headers={"HX-Request": "true"}).content.decode()


def test_the_form_without_its_token_is_refused(user: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    with clip().open("rb") as file:
        assert browser.post("/upload", {"file": file}).status_code == 403
    assert not Video.objects.exists()


def test_the_form_says_what_is_wrong_with_the_file(user: User) -> None:
    browser = Client()
    browser.force_login(user)
    answer = browser.post("/upload", {"file": SimpleUploadedFile("a.mp4", b"text"), "caption": "x"})
    assert answer.status_code == 400
    assert "not a video" in answer.content.decode()


def test_the_edit_page_changes_caption_audience_and_cover(user: User, run_jobs: RunJobs) -> None:
    from videos.services.publishing import create_video

    video = create_video(user, clip("180x320", 2.0))
    run_jobs()
    before = Video.objects.get().poster
    browser = Client()
    browser.force_login(user)
    page = f"/@{user.handle}/video/{video.pk}/edit"
    assert browser.get(page).status_code == 200
    form = {"caption": "New", "visibility": "friends", "cover": "1.5"}
    assert browser.post(page, form).status_code == 302
    run_jobs()
    row = Video.objects.get()
    assert (row.caption, row.visibility) == ("New", "friends")
    assert row.poster != before
    purge()
    assert local_store().exists(row.poster)
    assert not local_store().exists(before)
    assert browser.post(page, {**form, "caption": "Newer", "cover": "99"}).status_code == 400
    assert Video.objects.get().caption == "New"


def test_covers_have_a_limit(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {**settings.THROTTLE_RATES, "cover_user": (1, 10**9)}
    monkeypatch.setattr(settings, "THROTTLE_RATES", rates)
    video = VideoFactory(author=user)
    browser = Client()
    browser.force_login(user)
    page = f"/@{user.handle}/video/{video.pk}/edit"
    form = {"caption": "New", "visibility": "public"}
    statuses = [browser.post(page, {**form, "cover": "1"}).status_code for _ in range(2)]
    assert statuses == [302, 429]
    assert browser.post(page, form).status_code == 302


def test_others_cannot_edit_retry_or_delete(user: User, other: User) -> None:
    video = Video.objects.create(author=user, status=Status.FAILED)
    browser = Client()
    browser.force_login(other)
    for act in ("edit", "retry", "delete", "status"):
        path = f"/@{user.handle}/video/{video.pk}/{act}"
        ask = browser.post if act == "retry" else browser.get
        assert ask(path).status_code == 404


def purge() -> None:
    """Remove what is due, as the worker does each minute."""
    tasks.purge_tombstones(0)


def test_a_body_of_unknown_length_is_refused_by_name(user: User) -> None:
    client = ApiClient(user)
    headers = {"Transfer-Encoding": "chunked"}
    answer = client.post("/video", {}, format="multipart", expect=411, headers=headers)
    assert answer["code"] == "length_required"
