"""Every job may run twice, as after a crash before it was ticked off: it is as if it ran once.

`CASES` has an entry for each task that there is; a new task needs one.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import avatars, purging
from accounts.models import Decision, FollowRequest, User
from accounts.services import follow, profiles, warn_person
from feeds import writeback
from feeds.demo import seeding
from feeds.demo.clips import CLIPS
from feeds.models import Bell, Export
from tests.factories import UserFactory, VideoFactory
from tests.feeds.caching import connected
from tests.operations import objects
from tests.settling import settle
from tests.videos.clips import clip
from tiktok_clone.common import jobs
from tiktok_clone.common.storage import incoming, local_store
from videos import tasks
from videos.captions import link_caption
from videos.media import processing
from videos.models import Status, Tombstone, Upload, Video
from videos.services import publishing, uploads
from videos.services.comments import add_comment
from videos.services.engagement import like_video

RunJobs = Callable[[], None]
Arguments = dict[str, Any]
TICK = {"timestamp": 0}
APPS = ("accounts", "common", "feeds", "operations", "videos")
# What says that something ran, and what an attempt is numbered with; nothing depends on either.
LOGS = {"Sweep", "ModelRun"}
ATTEMPT = re.compile(r"(videos/[0-9a-f-]{36}/)\d+(/|$)")


def a_stored_clip() -> Video:
    return publishing.create_video(UserFactory(), clip("180x320"))


def a_playable_clip(size: str = "180x320") -> Video:
    """Published, and lacking larger renditions, if it is large, preview and sprite."""
    video = publishing.create_video(UserFactory(), clip(size, 0.5))
    processing.make_playable(video.pk, lambda _: None)
    return video


def a_complete_upload() -> Video:
    content = clip("180x320").read_bytes()
    upload = uploads.reserve_upload(UserFactory(), len(content))
    span = f"bytes 0-{len(content) - 1}/{len(content)}"
    uploads.add_piece(upload.video.author, upload.video.uuid, span, BytesIO(content), "")
    return upload.video


def an_abandoned_upload() -> None:
    a_complete_upload()
    VideoFactory(status=Status.UPLOADING)
    publishing.create_video(UserFactory(), clip("180x320"))
    Upload.objects.update(expires_at=timezone.now() - timedelta(days=1))
    Video.objects.update(updated_at=timezone.now() - timedelta(days=1))


def somebody_active() -> User:
    """Clips, comments, followers, a picture: a person with something of everything."""
    person: User = UserFactory(avatar=avatars.name_in("avatars/shown"))
    for size in avatars.SIZES:
        objects.keep(avatars.name_in("avatars/shown", size), person)
    link_caption(objects.clip(author=person, caption="with #tags"))
    follow(person, UserFactory())
    follow(UserFactory(), person)
    add_comment(person, VideoFactory().pk, "nice")
    add_comment(UserFactory(), objects.clip(author=person).pk, "nice, too")
    return person


def somebody_deleted() -> User:
    person = somebody_active()
    profiles.delete_account(person)
    return person


def an_erasure() -> None:
    """One whose objects are gone."""
    purging.purge(somebody_deleted().pk)
    Tombstone.objects.update(due_at=timezone.now())
    tasks.purge_tombstones(timestamp=0)


def a_site_out_of_step() -> None:
    objects.lose(objects.names_of(objects.clip(rungs=(360, 720)))[0])
    objects.clip()


def something_deleted() -> None:
    video = objects.clip()
    publishing.delete_video(video.author, video.pk)


def somebody_asked() -> User:
    person: User = UserFactory()
    FollowRequest.objects.create(requester=UserFactory(), target=person)
    return person


def a_bell() -> Video:
    video: Video = VideoFactory()
    listener = UserFactory()
    follow(listener, video.author)
    Bell.objects.create(listener=listener, creator=video.author)
    return video


def a_warning() -> Decision:
    return warn_person(UserFactory().pk, UserFactory(is_superuser=True))


def something_told() -> Video:
    video: Video = VideoFactory()
    like_video(UserFactory(), video.pk)
    return video


def a_view() -> None:
    """One that is counted, and not written yet."""
    video: Video = VideoFactory()
    connected().hset(writeback.HASH, f"{video.pk}:views", 1)


def an_export() -> Export:
    return Export.objects.create(user=somebody_active(), name="exports/mine/export.zip")


def an_unused_picture() -> str:
    person = somebody_active()
    profiles.remove_avatar(person)
    return "avatars/shown"


def a_demo_clip(*, posted: bool) -> str:
    seeding.ensure_people()
    if posted:
        seeding.post_clip(CLIPS[0])
    return CLIPS[0].name


def tick(prepare: Callable[[], object] = somebody_active) -> Arguments:
    """Prepare something for a job that runs periodically."""
    prepare()
    return TICK


CASES: dict[str, Callable[[], Arguments]] = {
    "videos.tasks.process_video": lambda: {"video_id": a_stored_clip().pk},
    "videos.tasks.make_larger_renditions": lambda: {"video_id": a_playable_clip("540x960").pk},
    "videos.tasks.make_stills": lambda: {"video_id": a_playable_clip().pk},
    "videos.tasks.change_cover": lambda: {"video_id": a_playable_clip().pk, "milliseconds": 200},
    "videos.tasks.take_in_upload": lambda: {"video_id": a_complete_upload().pk},
    "videos.tasks.place_videos": lambda: {"author_id": somebody_active().pk},
    "videos.tasks.recount_tags_of": lambda: {"author_id": somebody_active().pk},
    "videos.tasks.remove_content": lambda: {"person_id": somebody_active().pk},
    "videos.tasks.purge_tombstones": lambda: tick(something_deleted),
    "videos.tasks.sweep_uploads": lambda: tick(an_abandoned_upload),
    "tiktok_clone.operations.tasks.reconcile_media": lambda: tick(a_site_out_of_step),
    "tiktok_clone.operations.tasks.verify_erasures": lambda: tick(an_erasure),
    "tiktok_clone.schedule.retry_stalled_jobs": tick,
    "tiktok_clone.schedule.remove_old_jobs": tick,
    "tiktok_clone.schedule.reconcile_counters": tick,
    "tiktok_clone.schedule.forget_idempotent_answers": tick,
    "accounts.tasks.send_verification": lambda: {"user_id": UserFactory().pk},
    "accounts.tasks.send_password_reset": lambda: {"user_id": UserFactory().pk},
    "accounts.tasks.send_decision": lambda: {"decision_id": a_warning().pk, "settled": False},
    "accounts.tasks.purge_account": lambda: {"user_id": somebody_deleted().pk},
    "accounts.tasks.accept_waiting": lambda: {"user_id": somebody_asked().pk},
    "accounts.tasks.sweep_avatar": lambda: {"folder": an_unused_picture()},
    "accounts.tasks.forget_old_rows": tick,
    "feeds.tasks.fan_out": lambda: {"video_id": a_bell().pk},
    "feeds.tasks.ring_bells": lambda: {"video_id": a_bell().pk},
    "feeds.tasks.forget_told": lambda: {"column": "video", "ids": [something_told().pk]},
    "feeds.tasks.revive_fan_outs": lambda: tick(a_bell),
    "feeds.tasks.recompute_trends": tick,
    "feeds.tasks.train_recommender": tick,
    "feeds.tasks.write_views": lambda: tick(a_view),
    "feeds.tasks.forget_old_seeds": tick,
    "feeds.tasks.prune_notifications": lambda: tick(a_bell),
    "feeds.tasks.compact_slots": tick,
    "feeds.tasks.settle_forgotten": lambda: {"user_id": somebody_active().pk},
    "feeds.tasks.make_export": lambda: {"export_id": an_export().pk},
    "feeds.tasks.forget_old_exports": lambda: tick(an_export),
    "feeds.demo.tasks.post_demo_clip": lambda: {"name": a_demo_clip(posted=False)},
    "feeds.demo.tasks.react_to_demo_clip": lambda: {"name": a_demo_clip(posted=True)},
}


@pytest.fixture(autouse=True)
def _own_store(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tasks, a store for each test, and nothing to draw for the demo's clips."""
    app.perform_import_paths()
    monkeypatch.setattr(seeding, "render", lambda *_: clip("180x320"))
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    incoming()


def test_each_task_has_a_case() -> None:
    ours = {name for name in app.tasks if "builtin" not in name}
    assert ours == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_job_that_runs_twice_is_as_one_that_ran_once(name: str, run_jobs: RunJobs) -> None:
    arguments = CASES[name]()
    once = run(name, arguments, run_jobs)
    assert run(name, arguments, run_jobs) == once


def run(name: str, arguments: Arguments, run_jobs: RunJobs) -> dict[str, list[str]]:
    """Run a job, all that it enqueues, and what is to be deleted; returns what there is then."""
    jobs.enqueue(app.tasks[name], **arguments)
    settle(run_jobs)
    if Tombstone.objects.exists():
        Tombstone.objects.update(due_at=timezone.now())
        jobs.enqueue(tasks.purge_tombstones, **TICK)
        settle(run_jobs)
    left = ProcrastinateJob.objects.exclude(status="succeeded").values_list("task_name", "status")
    assert not left, f"did not end: {left}"
    return snapshot()


def snapshot() -> dict[str, list[str]]:
    """All rows but for their numbers and moments, and the names and sizes of all objects."""
    found = {
        f"{model.__module__}.{model.__name__}": sorted(rows(model))
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        if model.__name__ not in LOGS
    }
    stored = [f"{neutral(each.name)} {each.size}" for each in local_store().listing()]
    return found | {"objects": sorted(stored)}


def rows(model: Any) -> Iterator[str]:
    for row in model.objects.values():
        row.pop("id", None)
        row.pop("attempt", None)
        yield repr({name: neutral(value) for name, value in row.items()})


def neutral(value: Any) -> Any:
    """Without moments, the numbers of attempts, and what scores lose from second to second."""
    if isinstance(value, datetime):
        return "then"
    if isinstance(value, float):
        return round(value, 1)
    return ATTEMPT.sub(r"\1attempt\2", value) if isinstance(value, str) else value
