"""The same with media at Cloudinary: calls whose answers are lost, messages late, twice or never.

Here the browser sends the file past us, and renditions are made elsewhere: between any two of
these somebody is killed, and a row and an object part.
"""

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection

from accounts.models import User
from tests.cloudinary import Emulator
from tests.cloudinary.webhooks import post
from tests.crashing.rows import Row, at, beside, in_full
from tests.crashing.scene import (
    LEDGER,
    Scene,
    ends_alike_when_all_runs_again,
    tell_this_process,
    the_server_dies,
)
from tests.videos.clips import clip
from tiktok_clone.common import jobs
from videos import tasks
from videos.media import moving
from videos.models import MediaEvent, Status, Upload, Video
from videos.services import publishing, uploads

MOVED = {"videos.media.moving:_rename:after": "cloudinary"}
STORE = "tiktok_clone.common.storage.cloudinary:CloudinaryStore"


@pytest.fixture
def hosted(scene: Scene, cloudinary_emulator: Emulator, settings: Any) -> Emulator:
    """New media go to an emulator, whose messages are held back unless a test wants them."""
    settings.CLOUDINARY_URL = f"{cloudinary_emulator.url}&secure=false"
    settings.CLOUDINARY_NOTIFY = "http://product"
    cloudinary_emulator.webhooks.hold = True
    scene.emulator = cloudinary_emulator
    return cloudinary_emulator


def reserve(user: User) -> dict[str, Any]:
    """Begin an upload that goes past us."""
    upload = uploads.reserve_upload(user, clip("180x320").stat().st_size)
    return uploads.describe_upload(upload, "")


def send(upload: dict[str, Any], pieces: range = range(2)) -> None:
    """Send some of the two pieces of the clip to Cloudinary, as a browser does."""
    content = clip("180x320").read_bytes()
    half = len(content) // 2
    for first, end in [((0, half), (half, len(content)))[number] for number in pieces]:
        headers = {
            "Content-Range": f"bytes {first}-{end - 1}/{len(content)}",
            "X-Unique-Upload-Id": upload["id"],
        }
        files = {"file": ("blob", content[first:end])}
        url, fields = upload["url"], upload["fields"]
        answer = requests.post(url, data=fields, files=files, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text


def reserve_over_http(url: str, http: requests.Session) -> requests.Response:
    """Begin an upload at the server."""
    size = clip("180x320").stat().st_size
    return http.post(f"{url}/video/upload", json={"size": size}, timeout=30)


def take_in_over_http(url: str, http: requests.Session) -> requests.Response:
    """Post the upload that there is."""
    upload = {"upload": str(Upload.objects.get().video.uuid)}
    return http.post(f"{url}/video", data=upload, timeout=30)


def post_form(url: str, http: requests.Session) -> requests.Response:
    """Send a clip as one form, which the server passes on."""
    with clip("180x320").open("rb") as file:
        return http.post(f"{url}/video", files={"file": file}, timeout=30)


def is_ready(hosted: Emulator) -> bool:
    """Whether there is one clip, ready, and what it needs at Cloudinary and no more."""
    video = Video.objects.get()
    names = sorted(asset.public_id.rpartition("/")[2] for asset in hosted.library)
    return video.status == Status.READY and names == ["original", "preview", "sprite"]


def is_empty(hosted: Emulator) -> bool:
    """Whether nothing is left, here and there."""
    return not Video.objects.exists() and not list(hosted.library)


@pytest.mark.parametrize(
    "point", [at(Row.ROW_ONLY, "videos.services.uploads:describe_upload:before")]
)
def test_a_reservation_whose_answer_was_lost_expires(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    the_server_dies(scene, user, reserve_over_http, point)
    assert Video.objects.get().status == Status.RESERVED
    ends_alike_when_all_runs_again(scene)
    assert is_empty(hosted)


@pytest.mark.parametrize("point", [at(Row.CHUNKS, "videos.publication:remove:after")])
def test_a_half_of_a_file_goes_though_the_worker_that_lets_it_go_is_killed(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    send(reserve(user), range(1))
    scene.age()
    jobs.enqueue(tasks.sweep_uploads, timestamp=0)
    scene.work(point)
    assert Video.objects.exists()
    ends_alike_when_all_runs_again(scene)
    assert is_empty(hosted)


@in_full
def test_what_came_completely_is_taken_in_though_nobody_says_so(
    scene: Scene, hosted: Emulator, user: User
) -> None:
    send(reserve(user))
    ends_alike_when_all_runs_again(scene)
    assert is_ready(hosted)


@pytest.mark.parametrize(
    "point",
    [
        beside("videos.media.arriving:_at_cloudinary:before"),
        at(Row.ANSWER_LOST, f"{LEDGER}:confirm:after"),  # in the books, no row says so
        beside("videos.media.arriving:link_caption:after"),  # in the last transaction
    ],
)
def test_an_upload_is_taken_in_whose_server_was_killed_over_it(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    send(reserve(user))
    the_server_dies(scene, user, take_in_over_http, point)
    ends_alike_when_all_runs_again(scene)
    assert is_ready(hosted)


@pytest.mark.parametrize("point", [at(Row.WEBHOOK_LOST, "videos.views.webhook:_check:after")])
def test_a_message_that_killed_the_server_and_never_comes_again_is_not_needed(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    send(reserve(user))
    hosted.webhooks.retries = ()
    with scene.web(point) as address:
        hosted.webhooks.transport = lambda url, body, headers: bring(address, url, body, headers)
        hosted.webhooks.release()
    hosted.webhooks.hold = True
    assert [each.statuses for each in hosted.webhooks.sent] == [[0]]
    assert not MediaEvent.objects.exists()
    assert Video.objects.get().status == Status.RESERVED
    ends_alike_when_all_runs_again(scene)
    assert is_ready(hosted)


@pytest.mark.parametrize("point", [at(Row.WEBHOOK_TWICE, "videos.tasks:look_soon:after")])
def test_a_message_comes_again_to_a_server_that_was_killed_over_it(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    hosted.webhooks.hold = False
    hosted.webhooks.retries = (0.3,) * 60
    with scene.web(point) as address:
        hosted.webhooks.transport = lambda url, body, headers: bring(address, url, body, headers)
        send(reserve(user))
        hosted.wait()
    assert len(hosted.webhooks.sent[-1].statuses) > 1
    assert MediaEvent.objects.count() == 1
    hosted.webhooks.hold = True
    scene.settle(4)
    assert is_ready(hosted)  # by the message alone
    ends_alike_when_all_runs_again(scene)


def bring(address: str, url: str, body: bytes, headers: dict[str, str]) -> int:
    """Bring a message to the server of a test, as Cloudinary does."""
    status = post(f"{address}{urlsplit(url).path}", body, headers)
    return 200 if status in (200, 204) else 0


@pytest.mark.parametrize("point", [at(Row.WEBHOOK_TWICE, f"{STORE}._destroy:after"), beside("")])
def test_messages_twice_late_in_the_wrong_order_and_after_the_deletion(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    """With a point, the clip is deleted, and the worker that does so is killed."""
    hosted.webhooks.transport = tell_from_a_thread
    send(reserve(user))
    tasks.take_in_upload(Video.objects.get().pk)
    scene.settle()
    kinds = [each.payload["notification_type"] for each in hosted.webhooks.held]
    assert set(kinds) == {"upload", "eager"}
    if point:
        publishing.delete_video(user, Video.objects.get().pk)
        scene.work(point)
    hosted.webhooks.copies = 2
    hosted.webhooks.release(backwards=True)
    hosted.webhooks.hold = True
    assert [each.statuses for each in hosted.webhooks.sent] == [[200]] * 2 * len(kinds)
    assert MediaEvent.objects.count() == len(kinds)
    ends_alike_when_all_runs_again(scene)
    assert is_empty(hosted) if point else is_ready(hosted)


def tell_from_a_thread(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Bring a message to this process; each comes in a thread with a connection of its own."""
    try:
        return tell_this_process(url, body, headers)
    finally:
        connection.close()


@pytest.mark.parametrize(
    "point",
    [
        at(Row.ANSWER_LOST, f"{STORE}.save:after"),
        beside(f"{LEDGER}:expect:after"),
        beside("videos.services.publishing:_confirm:before"),
    ],
)
def test_a_post_that_got_no_answer_leaves_nothing_there(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    the_server_dies(scene, user, post_form, point)
    assert len(hosted.library) == (0 if ":expect" in point else 1)
    ends_alike_when_all_runs_again(scene)
    assert is_empty(hosted)


@pytest.mark.parametrize(
    "point",
    [
        at(Row.TRANSCODE, f"{STORE}.derive:after"),  # asked for, and nobody knows
        beside("videos.tasks:_look_again:before"),
        beside(f"{LEDGER}:note_derived:before"),
        at(Row.RENAMED, f"{LEDGER}:note_derived:after"),  # in the books, named by no row
        beside("videos.publication:publish:after"),
        beside("videos.tasks:_enqueue_rest:after"),
        beside(f"{STORE}.save:after"),  # a preview, before the books say so
        beside("videos.media.pictures:publication.lock:before"),
        beside("videos.publication:add_renditions:after"),
    ],
)
def test_a_clip_gets_ready_whenever_a_worker_is_killed(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    publishing.create_video(user, clip("180x320"))
    if ":_look_again" not in point and ".derive:" not in point:
        scene.settle(1)  # so far, that Cloudinary has been asked
    scene.work(point)
    ends_alike_when_all_runs_again(scene)
    assert is_ready(hosted)


@in_full
def test_renditions_that_cloudinary_forgot_are_asked_for_again(
    scene: Scene, hosted: Emulator, user: User
) -> None:
    hosted.faults.lost_derivations = 2
    publishing.create_video(user, clip("180x320"))
    scene.settle()
    assert Video.objects.get().status == Status.PROCESSING
    ends_alike_when_all_runs_again(scene)
    assert is_ready(hosted)
    assert hosted.calls.count("explicit") == 3


@pytest.mark.parametrize(
    "point",
    [
        at(Row.CALL_LOST, f"{STORE}._destroy:after"),  # one of three is gone
        beside(f"{STORE}.delete_prefix:before"),
        beside(f"{STORE}.delete_prefix:after"),  # all are, and the books have them
        beside(f"{LEDGER}:empty:after"),  # neither, and the tombstone stands
    ],
)
def test_a_deletion_ends_there_whenever_its_worker_is_killed(
    scene: Scene, hosted: Emulator, user: User, point: str
) -> None:
    video = publishing.create_video(user, clip("180x320"))
    scene.settle()
    publishing.delete_video(user, video.pk)
    scene.work(point)
    ends_alike_when_all_runs_again(scene)
    assert is_empty(hosted)


@pytest.mark.parametrize(
    ("point", "late"),
    [
        at(Row.RACE, f"{LEDGER}:empty:before", "an hour"),
        beside(f"{LEDGER}:empty:after", "an hour"),
        beside(f"{LEDGER}:empty:before", "months"),
    ],
)
def test_an_upload_that_ends_after_its_deletion_goes(
    scene: Scene, hosted: Emulator, user: User, point: str, late: str
) -> None:
    """Whoever has a ticket can use it: a second tombstone waits for that, and then the sweep."""
    upload = reserve(user)
    send(upload, range(1))
    uploads.give_up_upload(user, Video.objects.get().uuid)
    jobs.enqueue(tasks.purge_tombstones, timestamp=0)
    scene.work(point)
    if late == "months":
        scene.recover()
    send(upload, range(1, 2))
    assert len(list(hosted.library)) == 1
    ends_alike_when_all_runs_again(scene)
    assert is_empty(hosted)
    assert bool(scene.orphans) == (late == "months")


@pytest.mark.parametrize(
    "point",
    [
        beside(f"{STORE}.save:after"),  # a copy, and the books do not say so
        beside(f"{LEDGER}:keep:after"),
        at(Row.RENAMED, "videos.media.moving:_rename:before"),  # all copies, named by no row
        beside("videos.media.moving:_rename:after"),
    ],
)
def test_a_move_is_whole_whenever_it_is_killed(
    scene: Scene, hosted: Emulator, user: User, settings: Any, point: str
) -> None:
    url, settings.CLOUDINARY_URL = settings.CLOUDINARY_URL, ""
    video = publishing.create_video(user, clip("180x320"))
    scene.run_jobs()
    settings.CLOUDINARY_URL = url
    scene.command(point, "move_media", "--to", "cloudinary")
    ends_alike_when_all_runs_again(scene)
    video.refresh_from_db()
    assert (video.status, video.store) == (Status.READY, MOVED.get(point, "local"))
    moving.move_video(video.pk, "cloudinary")
    ends_alike_when_all_runs_again(scene)


@in_full
def test_nothing_is_lost_while_cloudinary_lists_what_was(
    scene: Scene, hosted: Emulator, user: User
) -> None:
    hosted.library.freeze_listing()
    video = publishing.create_video(user, clip("180x320"))
    ends_alike_when_all_runs_again(scene)
    assert is_ready(hosted)
    publishing.delete_video(user, video.pk)
    scene.recover()
    hosted.library.thaw_listing()
    ends_alike_when_all_runs_again(scene)
    assert is_empty(hosted)
