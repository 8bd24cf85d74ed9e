"""Web server and worker, killed with SIGKILL at points where a row and its object part."""

import pytest
import requests

from accounts.models import User
from tests.crashing.scene import (
    LEDGER,
    Scene,
    ends_alike_when_all_runs_again,
    sign_in,
    some,
    the_server_dies,
    wait_for,
)
from tests.videos.clips import clip
from videos.models import Status, Upload, Video
from videos.services import publishing, uploads


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
    some(
        [
            f"{LEDGER}:expect:before",  # the row of the clip alone
            f"{LEDGER}:expect:after",  # a row for the object, and nothing stored
            f"{LEDGER}:confirm:before",  # stored, and the answer is lost
            "videos.services.publishing:_confirm:before",  # stored, in the books, no job
        ]
    ),
)
def test_a_post_that_got_no_answer_leaves_nothing(scene: Scene, user: User, point: str) -> None:
    the_server_dies(scene, user, post_form, point)
    assert Video.objects.get().status == Status.UPLOADING
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


def test_a_post_whose_answer_alone_was_lost_is_there(scene: Scene, user: User) -> None:
    the_server_dies(scene, user, post_form, "videos.api.uploads:represent:before")
    ends_alike_when_all_runs_again(scene)
    assert Video.objects.get().status == Status.READY


@pytest.mark.parametrize(
    "point",
    some(
        [
            "videos.media.arriving:_write:before",
            "videos.media.arriving:_write:after",  # on the disk, not acknowledged
            "videos.media.arriving:take_in:before",
            f"{LEDGER}:confirm:before",
            "videos.media.arriving:link_caption:before",  # in the last transaction
        ]
    ),
)
def test_an_upload_in_pieces_goes_on_after_the_server_was_killed(
    scene: Scene, user: User, point: str
) -> None:
    with scene.web(point) as url:
        http = sign_in(url, user)
        with pytest.raises(requests.ConnectionError):
            post_in_pieces(url, http)
        wait_for(url)
        assert post_in_pieces(url, http).status_code == 201
    ends_alike_when_all_runs_again(scene)
    assert Video.objects.get().status == Status.READY


def test_a_complete_upload_whose_sender_is_gone_is_taken_in(scene: Scene, user: User) -> None:
    the_server_dies(scene, user, post_in_pieces, "videos.media.arriving:take_in:before")
    ends_alike_when_all_runs_again(scene)
    video = Video.objects.get()
    assert (video.status, video.visibility) == (Status.READY, "private")


def test_an_upload_that_is_given_up_in_the_middle_expires(scene: Scene, user: User) -> None:
    the_server_dies(scene, user, post_in_pieces, "videos.media.arriving:_write:after")
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    "point",
    some(
        [
            "videos.media.processing:_begin:after",
            "videos.media.ffmpeg:_follow:before",  # in the middle of a transcode
            "videos.media.processing:_keep:after",  # stored, named by no row
            f"{LEDGER}:confirm:before",
            "videos.publication:publish:after",  # published, not committed
            "videos.tasks:_enqueue_rest:after",
            "videos.media.stills:make_moving:after",
            "videos.media.pictures:publication.lock:before",
            "videos.media.processing:_add_missing:after",
        ]
    ),
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
    some(
        [
            "tiktok_clone.common.storage.local:LocalStore.delete_prefix:before",
            "tiktok_clone.common.storage.local:LocalStore.delete_prefix:after",
            f"{LEDGER}:empty:after",
        ]
    ),
)
def test_a_deletion_ends_whenever_its_worker_is_killed(
    scene: Scene, user: User, point: str
) -> None:
    video = publishing.create_video(user, clip("180x320"))
    scene.run_jobs()
    publishing.delete_video(user, video.pk)
    scene.work(point)
    ends_alike_when_all_runs_again(scene)


def test_a_deletion_that_got_no_answer_has_happened(scene: Scene, user: User) -> None:
    video = publishing.create_video(user, clip("180x320"))
    the_server_dies(
        scene,
        user,
        lambda url, http: http.delete(f"{url}/videos/{video.pk}", timeout=30),
        "videos.services.publishing:delete_video:after",
    )
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


def test_a_clip_deleted_while_a_worker_is_at_it_leaves_nothing(scene: Scene, user: User) -> None:
    video = publishing.create_video(user, clip("180x320"))
    scene.work("videos.media.processing:_keep:after")
    publishing.delete_video(user, video.pk)
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()


def test_an_upload_given_up_while_it_is_taken_in_leaves_nothing(scene: Scene, user: User) -> None:
    the_server_dies(scene, user, post_in_pieces, f"{LEDGER}:confirm:before")
    uploads.give_up_upload(user, Video.objects.get().uuid)
    ends_alike_when_all_runs_again(scene)
    assert not Video.objects.exists()
