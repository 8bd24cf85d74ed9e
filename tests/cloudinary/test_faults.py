"""Faults, as the SDK sees them."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from cloudinary import api, exceptions, uploader

from tests.cloudinary import Emulator
from tests.videos.clips import clip
from tiktok_clone.common.storage.listing import etag_of


def upload(**options: Any) -> dict[str, Any]:
    return uploader.upload(str(clip()), resource_type="video", public_id="videos/one", **options)


def stored() -> bool:
    try:
        return bool(api.resource("videos/one", resource_type="video"))
    except exceptions.NotFound:
        return False


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, exceptions.BadRequest),
        (401, exceptions.AuthorizationRequired),
        (403, exceptions.NotAllowed),
        (404, exceptions.NotFound),
        (409, exceptions.AlreadyExists),
        (420, exceptions.RateLimited),
        (423, exceptions.Error),
        (429, exceptions.RateLimited),
        (500, exceptions.GeneralError),
        (502, exceptions.Error),
        (503, exceptions.GeneralError),
    ],
)
def test_any_status(
    cloudinary_emulator: Emulator, status: int, error: type[exceptions.Error]
) -> None:
    cloudinary_emulator.faults.refuse("upload", status)
    with pytest.raises(error) as raised:
        upload()
    assert type(raised.value) is error
    assert not stored()
    assert upload()["public_id"] == "videos/one"


@pytest.mark.parametrize("status", [423, 502])
def test_the_admin_api_raises_a_plain_exception_for_some(
    cloudinary_emulator: Emulator, status: int
) -> None:
    cloudinary_emulator.faults.refuse("ping", status)
    with pytest.raises(Exception, match=f"Error {status} - General Error") as raised:
        api.ping()
    assert type(raised.value) is Exception


@pytest.mark.parametrize(
    ("call", "error"),
    [(upload, exceptions.Error), (api.ping, exceptions.GeneralError)],
)
def test_a_page_of_a_proxy(
    cloudinary_emulator: Emulator, call: Callable[[], Any], error: type[exceptions.Error]
) -> None:
    cloudinary_emulator.faults.page("*")
    with pytest.raises(error, match=r"Error parsing server response \(502\)") as raised:
        call()
    assert type(raised.value) is error


@pytest.mark.parametrize("status", [420, 429])
def test_too_many_requests(cloudinary_emulator: Emulator, status: int) -> None:
    cloudinary_emulator.faults.limit("ping", status)
    with pytest.raises(exceptions.RateLimited, match="Rate Limit Exceeded"):
        api.ping()


def test_an_upload_is_not_repeated_after_retry_after(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.limit("upload", 429, retry_after=30)
    with pytest.raises(exceptions.RateLimited):
        upload()
    assert cloudinary_emulator.calls == ["upload"]


@pytest.mark.parametrize("status", [420, 429, 500, 503])
def test_the_admin_api_is_not_asked_again_by_itself(
    cloudinary_emulator: Emulator, status: int
) -> None:
    """The SDK alone would sleep as long as it is told; the store has it not do that."""
    cloudinary_emulator.faults.refuse("ping", status, retry_after=600)
    with pytest.raises(exceptions.Error):
        api.ping()
    assert cloudinary_emulator.calls == ["ping"]


def test_dropped_before_storing(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.drop_before("upload")
    with pytest.raises(exceptions.Error, match="Unexpected error"):
        upload()
    assert not stored()
    assert cloudinary_emulator.calls.count("upload") == 1


def test_stored_then_dropped(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.drop_after("upload")
    with pytest.raises(exceptions.Error, match="Unexpected error"):
        upload()
    assert stored()
    assert upload(overwrite=False)["existing"] is True


def test_stored_then_refused(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.refuse_after("upload", 500)
    with pytest.raises(exceptions.GeneralError):
        upload()
    assert stored()


def test_stored_then_silent(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.hang_after("upload")
    with pytest.raises(exceptions.Error, match="Read timed out"):
        upload(timeout=0.5)
    assert stored()
    assert cloudinary_emulator.calls.count("upload") == 1


def test_slow(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.slow("upload", 0.5)
    started = time.monotonic()
    upload()
    assert time.monotonic() - started >= 0.5


def test_a_deletion_whose_answer_is_lost_is_done(cloudinary_emulator: Emulator) -> None:
    upload()
    cloudinary_emulator.faults.drop_after("delete")
    with pytest.raises(exceptions.GeneralError):
        api.delete_resources(["videos/one"], resource_type="video")
    assert not stored()
    assert cloudinary_emulator.calls.count("delete") == 1


def test_a_destruction_that_is_lost_is_not_asked_for_again(cloudinary_emulator: Emulator) -> None:
    upload()
    cloudinary_emulator.faults.drop_after("destroy")
    with pytest.raises(exceptions.Error):
        uploader.destroy("videos/one", resource_type="video")
    assert not stored()


def test_faults_strike_as_often_as_they_are_told(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.refuse("upload", 500, times=2)
    for _ in range(2):
        with pytest.raises(exceptions.GeneralError):
            upload()
    upload()
    cloudinary_emulator.faults.refuse("upload", 500, times=9)
    cloudinary_emulator.faults.reset()
    upload()


def test_a_lost_part_can_be_sent_again(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.drop_before("part")
    with pytest.raises(exceptions.Error):
        uploader.upload_large(str(clip()), resource_type="video", chunk_size=20_000)
    assert uploader.upload_large(str(clip()), resource_type="video", chunk_size=20_000)["etag"]


def test_a_part_may_be_damaged_on_its_way(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.faults.damaged_parts = 1
    etags = [
        uploader.upload_large(str(clip()), resource_type="video", chunk_size=20_000)["etag"]
        for _ in range(2)
    ]
    assert etags[0] != etags[1] == etag_of(clip())


def test_a_nameless_acknowledgement_makes_the_sdk_lose_the_name(
    cloudinary_emulator: Emulator,
) -> None:
    cloudinary_emulator.faults.nameless_acknowledgements = True
    answer = uploader.upload_large(
        str(clip()), resource_type="video", public_id="videos/one", chunk_size=20_000
    )
    assert answer["public_id"] != "videos/one"
    assert not stored()


def test_a_stale_list(cloudinary_emulator: Emulator) -> None:
    def listed() -> list[str]:
        found = api.resources(resource_type="video", type="upload", prefix="videos/")
        return [each["public_id"] for each in found["resources"]]

    upload()
    cloudinary_emulator.library.freeze_listing()
    uploader.destroy("videos/one", resource_type="video")
    uploader.upload(str(clip()), resource_type="video", public_id="videos/two")
    assert listed() == ["videos/one"]
    assert not stored()  # one asset is never stale
    cloudinary_emulator.library.thaw_listing()
    assert listed() == ["videos/two"]


def test_a_delivery_that_is_cut_short(cloudinary_emulator: Emulator) -> None:
    url = upload()["secure_url"]
    cloudinary_emulator.faults.truncated_deliveries = 1
    size = clip().stat().st_size
    assert len(urllib3.request("GET", url).data) == size // 2
    assert len(urllib3.request("GET", url).data) == size


def test_a_delivery_that_is_not_ready(cloudinary_emulator: Emulator) -> None:
    url = upload()["secure_url"]
    cloudinary_emulator.faults.refuse("deliver", 423)
    assert urllib3.request("GET", url).status == 423
    assert urllib3.request("GET", url).status == 200


def test_turned_over_http(cloudinary_emulator: Emulator) -> None:
    control = f"{cloudinary_emulator.origin}/_emulator"

    def turn(**order: object) -> dict[str, Any]:
        return urllib3.request("POST", control, json=order).json()

    told = turn(fault="refuse", on="upload", status=503, retry_after=2)
    assert told["faults"][0]["status"] == 503
    turn(webhooks={"copies": 2}, truncated_deliveries=1, stale_listing=True)
    assert cloudinary_emulator.webhooks.copies == 2
    assert cloudinary_emulator.faults.truncated_deliveries == 1
    with pytest.raises(exceptions.GeneralError):
        upload()
    upload()
    assert turn(stale_listing=False)["assets"][0]["public_id"] == "videos/one"
    assert turn(reset=True)["calls"] == ["upload", "upload"]
    assert cloudinary_emulator.webhooks.copies == 1


def test_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.cloudinary", "--port", "0", "--fake"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip().removeprefix("CLOUDINARY_URL=")
            prefix = url.partition("upload_prefix=")[2].partition("&")[0]
            known = {"cloud_name": "demo", "api_key": "1234", "api_secret": "abcd"}
            assert api.ping(upload_prefix=prefix, **known)["status"] == "ok"
        finally:
            process.terminate()
        assert process.wait(10) == 0
