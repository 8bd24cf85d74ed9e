"""Web server and worker, killed with SIGKILL at points where a row and its object part."""

import shutil
from pathlib import Path

import pytest
import requests
from django.core import serializers

from accounts.models import User
from tests.crashing.rows import Row, at, beside, in_full
from tests.crashing.scene import (
    LEDGER,
    Scene,
    ends_alike_when_all_runs_again,
    gets_no_answer,
    sign_in,
    the_server_dies,
    wait_for,
)
from tests.operations import objects
from tests.videos.clips import clip
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import incoming, local_store
from tiktok_clone.operations import sweeping
from tiktok_clone.operations.models import Orphan
from videos.media import ffmpeg
from videos.models import MEDIA_MISSING, Status, Tombstone, Upload, Video
from videos.services import publishing, uploads

LOCAL_STORE = "tiktok_clone.common.storage.local:LocalStore"
ORPHANS = "tiktok_clone.operations.orphans"


def post_form(url: str, http: requests.Session) -> requests.Response:
    """Send a clip as one form."""
    with clip("180x320").open("rb") as file:
        return http.post(f"{url}/video", files={"file": file}, timeout=30)


def post_in_pieces(url: str, http: requests.Session) -> requests.Response:
    """Send a clip in one piece, and post it; goes on where an earlier call of this ended."""
    content = clip("180x320").read_bytes()
    waiting = Upload.objects.select_related("video").first()
    if waiting is None:
        answer = http.post(f"{url}/video/upload", json={"size": len(content)}, timeout=30)
        upload = answer.json()
    else:
        upload = http.get(f"{url}/video/upload/{waiting.video.uuid}", timeout=30).json()
    if not upload["received"]:
        headers = {"Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}"}
        http.post(upload["url"], files={"file": content}, headers=headers, timeout=30)
    return http.post(f"{url}/video", data={"upload": upload["id"]}, timeout=30)


@pytest.mark.parametrize(
    "point",
    [
        at(Row.ROW_ONLY, f"{LEDGER}:keep:before"),
        beside(f"{LEDGER}:confirm:before"),  # stored, and the answer is lost
        beside("videos.services.publishing:_confirm:before"),  # stored, in the books, no job
    ],
)
def test_a_post_that_got_no_answer_leaves_nothing(scene: Scene, user: User, point: str) -> None:
    the_server_dies(scene, user, post_form, point)
    assert Video.objects.get().status == Status.UPLOADING
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


@in_full
def test_a_post_whose_answer_alone_was_lost_is_there(scene: Scene, user: User) -> None:
    the_server_dies(scene, user, post_form, "videos.api.uploads:represent:before")
    ends_alike_when_all_runs_again(scene)
    assert Video.objects.get().status == Status.READY


@pytest.mark.parametrize(
    "point",
    [
        beside("videos.media.arriving:_write:before"),
        # On the disk, not acknowledged.
        at(Row.CHUNKS, "videos.media.arriving:_write:after"),
        beside("videos.media.arriving:take_in:before"),
        at(Row.ANSWER_LOST, f"{LEDGER}:confirm:before"),
        beside("videos.media.arriving:link_caption:before"),  # in the last transaction
    ],
)
def test_an_upload_in_pieces_goes_on_after_the_server_was_killed(
    scene: Scene, user: User, point: str
) -> None:
    with scene.web(point) as url:
        http = sign_in(url, user)
        gets_no_answer(post_in_pieces, url, http)
        wait_for(url)
        assert post_in_pieces(url, http).status_code == 201
    ends_alike_when_all_runs_again(scene)
    assert Video.objects.get().status == Status.READY


@in_full
def test_a_complete_upload_whose_sender_is_gone_is_taken_in(scene: Scene, user: User) -> None:
    the_server_dies(scene, user, post_in_pieces, "videos.media.arriving:take_in:before")
    ends_alike_when_all_runs_again(scene)
    video = Video.objects.get()
    assert (video.status, video.visibility) == (Status.READY, "private")


@in_full
def test_an_upload_that_is_given_up_in_the_middle_expires(scene: Scene, user: User) -> None:
    the_server_dies(scene, user, post_in_pieces, "videos.media.arriving:_write:after")
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    "point", [at(Row.TRANSCODE, "videos.media.processing:Reporter.__call__:after")]
)
def test_a_worker_is_killed_in_the_middle_of_a_transcode(
    scene: Scene, user: User, tmp_path: Path, point: str
) -> None:
    video = publishing.create_video(user, clip("180x320", 10.0, audio=False))
    scene.work(point, FFMPEG_PATH=str(slow_ffmpeg(tmp_path / "ffmpeg")))
    video.refresh_from_db()
    assert video.status == Status.PROCESSING
    assert 0 < video.progress < 99
    half_made = list(incoming().glob("work-*/180.mp4"))
    assert len(half_made) == 1
    assert list(local_store().names(video.folder)) == [f"{video.folder}/original"]
    ends_alike_when_all_runs_again(scene)
    video.refresh_from_db()
    assert video.status == Status.READY
    assert video.poster.split("/")[-2] != "1"  # another attempt, with a folder of its own
    assert not half_made[0].exists()


def slow_ffmpeg(path: Path) -> Path:
    """An ffmpeg that reads only four times as fast as a clip lasts, so that there is a middle.

    It says nothing before it has chosen the poster from the first five seconds.
    """
    path.write_text(
        "#!/bin/bash\narguments=()\n"
        'for each; do [ "$each" = -i ] && arguments+=(-readrate 4); arguments+=("$each"); done\n'
        f'exec {ffmpeg.program()} "${{arguments[@]}}"\n'
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "point",
    [
        beside("videos.media.processing:_begin:after"),
        beside(f"{LOCAL_STORE}.save:after"),  # renamed, and the books do not say so
        beside("videos.media.processing:_keep:after"),  # stored, named by no row
        beside(f"{LEDGER}:confirm:before"),
        at(Row.RENAMED, "videos.publication:publish:after"),  # published, not committed
        beside("videos.tasks:_enqueue_rest:after"),
        beside("videos.media.stills:make_moving:after"),
        beside("videos.media.pictures:publication.lock:before"),
        beside("videos.media.processing:_add_missing:after"),
    ],
)
def test_a_clip_gets_ready_whenever_its_worker_is_killed(
    scene: Scene, user: User, point: str
) -> None:
    publishing.create_video(user, clip("720x1280", 0.5))
    scene.work(point)
    ends_alike_when_all_runs_again(scene)
    video = Video.objects.get()
    assert (video.status, video.renditions.count()) == (Status.READY, 3)
    assert video.sprite


@pytest.mark.parametrize(
    "point",
    [
        at(Row.CALL_LOST, f"{LOCAL_STORE}.delete_prefix:before"),
        beside(f"{LOCAL_STORE}.delete_prefix:after"),
        beside(f"{LEDGER}:empty:after"),
    ],
)
def test_a_deletion_ends_whenever_its_worker_is_killed(
    scene: Scene, user: User, point: str
) -> None:
    video = objects.clip(author=user)
    publishing.delete_video(user, video.pk)
    scene.work(point)
    assert Tombstone.objects.exists()
    ends_alike_when_all_runs_again(scene)


@pytest.mark.parametrize(
    "point", [at(Row.CALL_LOST, "videos.services.publishing:delete_video:after")]
)
def test_a_deletion_that_got_no_answer_has_happened(scene: Scene, user: User, point: str) -> None:
    video = objects.clip(author=user)
    the_server_dies(
        scene,
        user,
        lambda url, http: http.delete(f"{url}/videos/{video.pk}", timeout=30),
        point,
    )
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


@in_full
def test_a_clip_deleted_while_a_worker_is_at_it_leaves_nothing(scene: Scene, user: User) -> None:
    video = publishing.create_video(user, clip("180x320"))
    scene.work("videos.media.processing:_keep:after")
    publishing.delete_video(user, video.pk)
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


@pytest.mark.parametrize("point", [at(Row.RACE, f"{LEDGER}:confirm:before")])
def test_an_upload_given_up_while_it_is_taken_in_leaves_nothing(
    scene: Scene, user: User, point: str
) -> None:
    the_server_dies(scene, user, post_in_pieces, point)
    uploads.give_up_upload(user, Video.objects.get().uuid)
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    "point",
    [
        at(Row.RESTORED, f"{ORPHANS}:decide:before"),  # seen, and not decided
        beside(f"{ORPHANS}:notice:after"),
        beside("tiktok_clone.operations.sweeping:_mark_missing:after"),
    ],
)
def test_an_older_database_hides_and_quarantines_and_deletes_nothing(
    scene: Scene, user: User, point: str
) -> None:
    """It knows nothing of one clip, and still has one whose files were deleted since."""
    of_nobody, lost, _ = (objects.clip(author=user) for _ in range(3))
    rows = serializers.serialize("json", [of_nobody, *of_nobody.renditions.all()])
    files = {each.name for each in local_store().listing()}
    names = objects.names_of(of_nobody)
    StoredObject.objects.filter(name__startswith=of_nobody.folder).delete()
    Video.objects.filter(pk=of_nobody.pk).delete()
    folder, aside = local_store().path(lost.folder), scene.folder / "aside"
    shutil.move(folder, aside)
    scene.age()
    scene.command(point, "reconcile_media")
    for _ in range(2):
        sweeping.sweep_all()
    assert Orphan.objects.in_quarantine().count() == len(names)
    assert not Tombstone.objects.exists()
    lost.refresh_from_db()
    assert (lost.status, lost.reason_code) == (Status.FAILED, MEDIA_MISSING)
    shutil.move(aside, folder)
    for row in serializers.deserialize("json", rows):
        row.save()
    ends_alike_when_all_runs_again(scene)
    assert Video.objects.filter(status=Status.READY).count() == 3
    assert {each.name for each in local_store().listing()} == files
