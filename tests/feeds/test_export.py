"""A copy of all that one has here: made by the worker, for its owner alone, for a week."""

import io
import json
import resource
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import services as accounts
from accounts.models import Block, Mute, User
from accounts.purging import purge
from accounts.services import mute_word
from feeds import export
from feeds.export_parts import PARTS
from feeds.models import Export
from feeds.services import Watched, record_views, refuse_video, request_export
from feeds.tasks import forget_old_exports, make_export
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend
from tiktok_clone.common import serving
from tiktok_clone.common.storage import LocalStore, incoming, local_store
from tiktok_clone.processes import LANES
from videos.models import Rendition, Tombstone, Video
from videos.services import comments, engagement
from videos.tasks import purge_tombstones

RunJobs = Callable[[], None]
EXPORT, DOWNLOAD, PAGE = "/user/export", "/user/export/download", "/settings/export"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    incoming()


def with_bytes(video: Video, content: bytes = b"\0" * 5000) -> Video:
    """Put the object of its rendition into the store."""
    path = local_store().path(video.renditions.get().name)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return video


def archive_of(user: User) -> dict[str, Any]:
    """What the archive holds, by name: JSON decoded, all else as bytes."""
    target = io.BytesIO()
    export.write_archive(user, target)
    with ZipFile(target) as archive:
        assert archive.testzip() is None
        return {
            name: json.loads(archive.read(name)) if name.endswith(".json") else archive.read(name)
            for name in archive.namelist()
        }


def test_it_holds_all_that_one_has_here(user: User, other: User) -> None:
    own = with_bytes(VideoFactory(author=user, caption="Meer 🌊 #sea"), b"the clip")
    video = VideoFactory(author=other, duration=8)
    befriend(user, other)
    engagement.like_video(user, video.pk)
    engagement.save_video(user, video.pk)
    engagement.share_video(user, video.pk)
    engagement.report_video(user, video.pk, "spam")
    comment = comments.add_comment(user, video.pk, "“hello”")
    comments.like_comment(user, comment.pk)
    record_views(user, [Watched(video.pk, 8.0, True)])
    refuse_video(user, video.pk)
    Block.objects.create(blocker=user, blocked=UserFactory())
    Mute.objects.create(muter=user, muted=other)
    mute_word(user, "Rain")
    found = archive_of(user)
    assert {f"{name}.json" for name in PARTS} | {"README.txt", f"videos/{own.pk}.mp4"} == set(found)
    assert found["profile.json"][0]["email"] == user.email
    assert [row["caption"] for row in found["videos.json"]] == ["Meer 🌊 #sea"]
    assert found[f"videos/{own.pk}.mp4"] == b"the clip"
    assert found["comments.json"][0]["text"] == "“hello”"
    assert found["history.json"][0]["longest"] == 8.0
    assert found["affinity.json"][0]["strength"] == 1.0  # at most 3, and not interested
    for part in ("likes", "saves", "shares", "not_interested"):
        assert found[f"{part}.json"][0]["video"] == video.pk, part
    for part in ("following", "followers", "mutes"):
        assert found[f"{part}.json"][0]["handle"] == other.handle, part
    assert len(found["blocks.json"]) == len(found["comment_likes.json"]) == 1
    assert found["reports.json"][0]["reason"] == "spam"
    assert found["muted_words.json"][0]["text"] == "Rain"


def test_it_holds_nothing_of_others(user: User, other: User) -> None:
    video = with_bytes(VideoFactory(author=other))
    engagement.like_video(other, video.pk)
    comments.add_comment(other, video.pk, "theirs")
    found = archive_of(user)
    assert all(
        not rows for name, rows in found.items() if name not in ("profile.json", "README.txt")
    )
    assert other.handle not in json.dumps({k: v for k, v in found.items() if k.endswith(".json")})
    assert "password" not in found["profile.json"][0]


def test_the_best_rendition_is_taken_and_a_missing_one_left_out(user: User) -> None:
    first, second = VideoFactory(author=user), VideoFactory(author=user)
    name = f"{first.folder}/1/720.mp4"
    Rendition.objects.create(
        video=first, rung=720, width=720, height=1280, bitrate=1, size_bytes=1, name=name
    )
    path = local_store().path(name)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"best")
    found = archive_of(user)
    assert found[f"videos/{first.pk}.mp4"] == b"best"
    assert f"videos/{second.pk}.mp4" not in found


def test_it_is_written_in_little_memory(user: User, tmp_path: Path) -> None:
    size = 64 * 1024 * 1024
    for _ in range(2):
        video = with_bytes(VideoFactory(author=user), b"")
        with local_store().path(video.renditions.get().name).open("wb") as file:
            file.truncate(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (tmp_path / "export.zip").open("wb") as target:
        export.write_archive(user, target)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (tmp_path / "export.zip").stat().st_size > 2 * size
    assert grown_kb < 16 * 1024


@pytest.mark.django_db(transaction=True)
class TestApi:
    """Asking for it and getting it."""

    def test_from_nothing_to_the_file(
        self, as_user: ApiClient, user: User, run_jobs: RunJobs
    ) -> None:
        with_bytes(VideoFactory(author=user))
        assert as_user.get(EXPORT)["state"] == "none"
        as_user.get(DOWNLOAD, expect=404)
        assert as_user.post(EXPORT, expect=202)["state"] == "running"
        as_user.get(DOWNLOAD, expect=404)
        run_jobs()
        state = as_user.get(EXPORT)
        assert (state["state"], state["download_url"]) == ("ready", f"http://testserver{DOWNLOAD}")
        response = as_user.raw.get(DOWNLOAD)
        content = b"".join(response.streaming_content)
        assert len(content) == state["size_bytes"] == int(response["Content-Length"])
        assert response["Content-Type"] == "application/zip"
        assert response["Cache-Control"] == "private, no-store"
        assert f'filename="{user.handle}-' in response["Content-Disposition"]
        assert "profile.json" in ZipFile(io.BytesIO(content)).namelist()
        assert list(incoming().iterdir()) == []

    def test_nobody_else_gets_it(
        self, as_user: ApiClient, as_other: ApiClient, api: ApiClient, run_jobs: RunJobs
    ) -> None:
        as_user.post(EXPORT, expect=202)
        run_jobs()
        as_other.get(DOWNLOAD, expect=404)
        api.get(DOWNLOAD, expect=401)
        name = Export.objects.get().name
        for client in (as_user, as_other, api):
            client.get(f"/media/{name}", expect=404)

    def test_one_is_made_at_a_time_and_a_new_one_replaces_the_old(
        self, as_user: ApiClient, run_jobs: RunJobs
    ) -> None:
        as_user.post(EXPORT, expect=202)
        as_user.post(EXPORT, expect=202)
        assert Export.objects.count() == 1
        run_jobs()
        old = Export.objects.get().name
        as_user.post(EXPORT, expect=202)
        assert as_user.get(EXPORT)["state"] == "running"
        run_jobs()
        purge_tombstones(0)
        assert Export.objects.count() == 1
        assert not local_store().exists(old)
        assert local_store().exists(Export.objects.get().name)

    def test_after_a_week_it_is_gone(self, as_user: ApiClient, run_jobs: RunJobs) -> None:
        as_user.post(EXPORT, expect=202)
        run_jobs()
        name = Export.objects.get().name
        forget_old_exports(0)
        assert Export.objects.exists()
        Export.objects.update(ready_at=timezone.now() - timedelta(days=7, seconds=1))
        assert as_user.get(EXPORT)["state"] == "none"
        as_user.get(DOWNLOAD, expect=404)
        forget_old_exports(0)
        purge_tombstones(0)
        assert not Export.objects.exists()
        assert not local_store().exists(name)

    def test_it_goes_with_the_account(
        self, as_user: ApiClient, user: User, run_jobs: RunJobs
    ) -> None:
        as_user.post(EXPORT, expect=202)
        run_jobs()
        name = Export.objects.get().name
        accounts.delete_account(user)
        purge(user.pk)
        purge_tombstones(0)
        assert not local_store().exists(name)

    def test_a_failure_is_told_and_leaves_nothing(
        self, as_user: ApiClient, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(export, "write_archive", full)
            as_user.post(EXPORT, expect=202)
            run_jobs()
        assert as_user.get(EXPORT)["state"] == "failed"
        assert list(incoming().iterdir()) == []
        as_user.post(EXPORT, expect=202)
        run_jobs()
        assert as_user.get(EXPORT)["state"] == "ready"

    def test_a_database_that_is_away_is_not_the_exports_end(
        self, as_user: ApiClient, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cut_off(*_: Any) -> None:
            raise OperationalError("the connection is lost")

        made = Export.objects.create(user=user, name=export.new_name())
        with monkeypatch.context() as patched:
            patched.setattr(export, "write_archive", cut_off)
            with pytest.raises(OperationalError):
                make_export(made.pk)
        assert make_export.retry_strategy is not None
        assert as_user.get(EXPORT)["state"] == "running"
        make_export(made.pk)
        assert as_user.get(EXPORT)["state"] == "ready"

    def test_one_that_is_not_made_for_hours_is_given_up(
        self, as_user: ApiClient, user: User, run_jobs: RunJobs
    ) -> None:
        lost = [Export.objects.create(user=user, name=export.new_name()) for _ in range(2)]
        hours_ago = timezone.now() - export.GIVEN_UP_AFTER - timedelta(seconds=1)
        Export.objects.update(created_at=hours_ago)
        forget_old_exports(0)
        assert as_user.get(EXPORT)["state"] == "failed"
        Export.objects.update(failed_at=None)
        as_user.post(EXPORT, expect=202)  # … also before the sweep
        assert not Export.objects.filter(pk__in=[one.pk for one in lost]).exists()
        make_export(lost[0].pk)
        assert not local_store().exists(lost[0].name)
        run_jobs()
        assert as_user.get(EXPORT)["state"] == "ready"

    def test_a_file_that_goes_at_once_is_a_failure(
        self, as_user: ApiClient, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lose(*_: Any) -> int:
            raise FileNotFoundError

        made = Export.objects.create(user=user, name=export.new_name())
        monkeypatch.setattr(LocalStore, "size", lose)
        make_export(made.pk)
        assert as_user.get(EXPORT)["state"] == "failed"

    @pytest.mark.parametrize("slower_fails", [False, True])
    def test_of_two_workers_on_one_the_slower_takes_nothing_away(
        self, slower_fails: bool, as_user: ApiClient, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = Export.objects.create(user=user, name=export.new_name())
        write = export.write_archive

        def overtaken(*args: Any) -> None:
            with monkeypatch.context() as patched:
                patched.setattr(export, "write_archive", write)
                make_export(made.pk)
            if slower_fails:
                raise OSError(28, "No space left on device")
            write(*args)

        with monkeypatch.context() as patched:
            patched.setattr(export, "write_archive", overtaken)
            make_export(made.pk)
        assert as_user.get(EXPORT)["state"] == "ready"
        assert local_store().exists(made.name)
        assert not Tombstone.objects.exists()

    def test_it_asks_for_room_before_it_writes(
        self, as_user: ApiClient, user: User, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_bytes(VideoFactory(author=user))
        monkeypatch.setattr(export, "write_archive", lambda *_: pytest.fail("it wrote"))
        free = shutil.disk_usage(incoming()).free
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
        settings.MIN_FREE_BYTES = free - 4999
        as_user.post(EXPORT, expect=202)
        make_export(Export.objects.get().pk)
        assert as_user.get(EXPORT)["state"] == "failed"

    def test_many_do_not_hold_every_slot_of_their_lane(self) -> None:
        for person in UserFactory.create_batch(6):
            request_export(person)
        locks = set(ProcrastinateJob.objects.values_list("lock", flat=True))
        assert None not in locks
        assert len(locks) == export.AT_ONCE < (LANES["worker"][1] or 0)

    def test_downloads_are_bounded_with_those_of_media(
        self, as_user: ApiClient, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        as_user.post(EXPORT, expect=202)
        run_jobs()
        monkeypatch.setattr(serving, "_streams", threading.BoundedSemaphore(1))
        first = as_user.raw.get(DOWNLOAD)
        busy = as_user.raw.get(DOWNLOAD)
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
        first.close()
        last = as_user.raw.get(DOWNLOAD)
        assert last.status_code == 200
        last.close()

    def test_nginx_sends_it_where_it_stands_in_front(
        self, as_user: ApiClient, user: User, run_jobs: RunJobs, settings: Any
    ) -> None:
        settings.MEDIA_ACCEL_PREFIX = "/protected/"
        as_user.post(EXPORT, expect=202)
        run_jobs()
        answer = as_user.raw.get(DOWNLOAD)
        assert answer.headers["X-Accel-Redirect"] == f"/protected/{Export.objects.get().name}"
        assert answer.headers["Content-Type"] == "application/zip"
        assert f'filename="{user.handle}-' in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "private, no-store"

    def test_a_worker_that_was_killed_after_the_file_was_there_goes_on(self, user: User) -> None:
        made = Export.objects.create(user=user, name=export.new_name())
        with (incoming() / "x").open("wb") as file:
            file.write(ContentFile(b"whole").read())
        local_store().save(made.name, incoming() / "x")
        for _ in range(2):
            make_export(made.pk)
        made.refresh_from_db()
        assert made.ready_at is not None
        assert made.size_bytes == 5
        assert not Tombstone.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_how_it_stands(client: Client, user: User, run_jobs: RunJobs) -> None:
    client.force_login(user)
    assert "Make a copy" in client.get(PAGE).content.decode()
    assert client.post(PAGE).url == PAGE
    page = client.get(PAGE).content.decode()
    assert "being made" in page
    assert "data-hx-get" in page
    run_jobs()
    fragment = client.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert DOWNLOAD in fragment
    assert "<html" not in fragment
    response = client.get(DOWNLOAD)
    assert response.status_code == 200
    response.close()
