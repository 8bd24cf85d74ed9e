"""The SDK, unchanged, uploads, asks again and deletes."""

import hashlib
import itertools
import random
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cloudinary
import pytest
import urllib3
from cloudinary import api, uploader
from cloudinary.exceptions import AuthorizationRequired, BadRequest, NotFound
from PIL import Image

from tests.cloudinary import Emulator
from tests.videos.clips import clip

pytestmark = pytest.mark.usefixtures("cloudinary_emulator")


def upload(public_id: str = "videos/one", **options: Any) -> dict[str, Any]:
    return uploader.upload(str(clip()), resource_type="video", public_id=public_id, **options)


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_a_video(cloudinary_emulator: Emulator) -> None:
    answer = upload(tags=["a", "b"], context={"row": "7"})
    assert answer["public_id"] == "videos/one"
    assert answer["etag"] == md5(clip())
    assert answer["bytes"] == clip().stat().st_size
    assert (answer["width"], answer["height"], answer["format"]) == (180, 320, "mp4")
    assert answer["duration"] == pytest.approx(1.0, abs=0.1)
    assert (answer["video"]["codec"], answer["audio"]["codec"]) == ("h264", "aac")
    assert answer["tags"] == ["a", "b"]
    assert "existing" not in answer
    assert cloudinary.utils.verify_api_response_signature(
        answer["public_id"], answer["version"], answer["signature"]
    )
    found = api.resource("videos/one", resource_type="video")
    assert found["etag"] == answer["etag"]
    assert found["context"] == {"custom": {"row": "7"}}
    assert cloudinary_emulator.calls == ["upload", "resource"]


def test_without_a_name_it_gets_one() -> None:
    first = uploader.upload(str(clip()), resource_type="video")
    second = uploader.upload(str(clip()), resource_type="video", folder="kept")
    assert len(first["public_id"]) == 20
    assert second["public_id"].startswith("kept/")


def test_auto_finds_out_what_it_is(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    assert uploader.upload(str(clip()), resource_type="auto")["resource_type"] == "video"
    assert uploader.upload(str(text), resource_type="auto")["resource_type"] == "raw"


@pytest.mark.parametrize("no", [False, "false"])
def test_not_overwriting_answers_with_what_is_there(no: object) -> None:
    first = upload()
    other = str(clip(seconds=0.5))
    again = uploader.upload(other, resource_type="video", public_id="videos/one", overwrite=no)
    assert again["existing"] is True
    assert (again["etag"], again["version"]) == (first["etag"], first["version"])


def test_overwriting_makes_a_new_version_and_drops_the_renditions(
    cloudinary_emulator: Emulator,
) -> None:
    now = cloudinary_emulator.now()
    cloudinary_emulator.clock = lambda: now  # versions are seconds, and differ within one
    first = upload(eager=[{"width": 90, "crop": "scale", "format": "mp4"}])
    other = clip(seconds=0.5)
    again = uploader.upload(str(other), resource_type="video", public_id="videos/one")
    assert again["etag"] == md5(other)
    assert again["version"] > first["version"]
    assert again["asset_id"] == first["asset_id"]
    assert api.resource("videos/one", resource_type="video")["derived"] == []


def test_in_parts(cloudinary_emulator: Emulator) -> None:
    size = clip().stat().st_size
    answer = uploader.upload_large(
        str(clip()), resource_type="video", public_id="videos/one", chunk_size=size // 4 + 1
    )
    assert answer["etag"] == md5(clip())
    assert answer["public_id"] == "videos/one"
    assert cloudinary_emulator.calls.count("part") == 3
    assert cloudinary_emulator.calls[-1] == "upload"


def test_in_parts_without_a_name_they_all_go_to_one() -> None:
    answer = uploader.upload_large(str(clip()), resource_type="video", chunk_size=20_000)
    assert answer["etag"] == md5(clip())
    assert len(answer["public_id"]) == 20


def test_upload_large_makes_a_raw_file_unless_it_is_told() -> None:
    answer = uploader.upload_large(str(clip()), public_id="videos/one", chunk_size=20_000)
    assert (answer["resource_type"], answer["public_id"]) == ("raw", "videos/one.mp4")
    with pytest.raises(NotFound, match="Resource not found - videos/one"):
        api.resource("videos/one", resource_type="video")


def send_part(
    emulator: Emulator, start: int, end: int, *, upload_id: str = "u1"
) -> urllib3.BaseHTTPResponse:
    """Send bytes as a browser does, with what a server signed for it once."""
    signed = {"timestamp": cloudinary.utils.now(), "public_id": "videos/one", "overwrite": "false"}
    secret = cloudinary.config().api_secret
    fields = {
        **{name: str(value) for name, value in signed.items()},
        "signature": cloudinary.utils.api_sign_request(signed, secret),
        "api_key": cloudinary.config().api_key,
        "file": ("blob", clip().read_bytes()[start:end]),
    }
    headers = {"Content-Range": f"bytes {start}-{end - 1}/{clip().stat().st_size}"}
    if upload_id:
        headers["X-Unique-Upload-Id"] = upload_id
    url = f"{emulator.origin}/v1_1/demo/video/upload"
    return urllib3.request("POST", url, fields=fields, headers=headers)


def ranges() -> list[tuple[int, int]]:
    size = clip().stat().st_size
    edges = [*range(0, size, 10_000), size]
    return list(itertools.pairwise(edges))


def test_parts_in_parallel_and_out_of_order(cloudinary_emulator: Emulator) -> None:
    shuffled = ranges()
    random.Random(5).shuffle(shuffled)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda part: send_part(cloudinary_emulator, *part), shuffled))
    done = [answer.json() for answer in answers if "etag" in answer.json()]
    assert [answer["etag"] for answer in done] == [md5(clip())]
    assert sum(answer.json().get("done") is False for answer in answers) == len(shuffled) - 1
    assert len(cloudinary_emulator.library) == 1


def test_a_part_may_come_twice(cloudinary_emulator: Emulator) -> None:
    parts = ranges()
    for part in [parts[0], parts[0], *parts[1:]]:
        answer = send_part(cloudinary_emulator, *part)
    assert answer.json()["etag"] == md5(clip())
    again = send_part(cloudinary_emulator, *parts[-1])
    assert again.json()["etag"] == md5(clip())
    assert len(cloudinary_emulator.library) == 1


def test_the_last_part_alone_completes_nothing(cloudinary_emulator: Emulator) -> None:
    start, end = ranges()[-1]
    answer = send_part(cloudinary_emulator, start, end).json()
    assert (answer["done"], answer["bytes"]) == (False, end - start)
    assert (answer["public_id"], answer["resource_type"]) == ("videos/one", "video")
    assert len(cloudinary_emulator.library) == 0


def test_parts_need_an_id(cloudinary_emulator: Emulator) -> None:
    answer = send_part(cloudinary_emulator, *ranges()[0], upload_id="")
    assert (answer.status, answer.json()["error"]["message"]) == (
        400,
        "Missing required parameter - public_id",
    )


def test_a_browser_of_another_site_may_send_parts(cloudinary_emulator: Emulator) -> None:
    url = f"{cloudinary_emulator.origin}/v1_1/demo/video/upload"
    asked = {"Origin": "http://site.example", "Access-Control-Request-Method": "POST"}
    answer = urllib3.request("OPTIONS", url, headers=asked)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Unique-Upload-Id" in answer.headers["Access-Control-Allow-Headers"]


def test_small_parts_are_refused(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.chunk_min = 5 * 2**20
    with pytest.raises(BadRequest, match="All parts except EOF-chunk must be larger than 5mb"):
        uploader.upload_large(str(clip()), resource_type="video", chunk_size=20_000)


def test_large_files_never_stand_in_memory(cloudinary_emulator: Emulator) -> None:
    size = 64 * 2**20
    signed = {"timestamp": cloudinary.utils.now(), "public_id": "large"}
    fields = {
        **{name: str(value) for name, value in signed.items()},
        "signature": cloudinary.utils.api_sign_request(signed, cloudinary.config().api_secret),
        "api_key": cloudinary.config().api_key,
    }
    head = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    head += b'--x\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    body = itertools.chain([head], itertools.repeat(bytes(2**20), size // 2**20), [tail])
    headers = {
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(len(head) + size + len(tail)),
    }
    url = f"{cloudinary_emulator.origin}/v1_1/demo/raw/upload"
    tracemalloc.start()
    try:
        answer = urllib3.request("POST", url, body=body, headers=headers)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.json()["bytes"] == size
    assert most < 16 * 2**20


def test_nothing_is_left_behind(cloudinary_emulator: Emulator) -> None:
    upload()
    upload(overwrite=False)
    with pytest.raises(BadRequest):
        upload("videos/two", eager="x_1")
    uploader.upload_large(str(clip()), resource_type="video", chunk_size=20_000)
    assert list(cloudinary_emulator.library.incoming.iterdir()) == []


def test_destroying() -> None:
    upload()
    first = uploader.destroy("videos/one", resource_type="video", invalidate=True)
    second = uploader.destroy("videos/one", resource_type="video", invalidate=True)
    assert (first["result"], second["result"]) == ("ok", "not found")


def test_destroying_looks_among_images_unless_it_is_told() -> None:
    upload()
    assert uploader.destroy("videos/one")["result"] == "not found"
    assert api.resource("videos/one", resource_type="video")


def refused(**options: Any) -> str:
    with pytest.raises((AuthorizationRequired, BadRequest)) as error:
        upload(**options)
    return str(error.value)


def test_refused_key() -> None:
    with pytest.raises(AuthorizationRequired, match="Unknown API key 999"):
        upload(api_key="999")


def test_refused_secret() -> None:
    with pytest.raises(AuthorizationRequired, match=r"Invalid Signature \w{40}. String to sign - "):
        upload(api_secret="wrong")


def test_refused_cloud() -> None:
    with pytest.raises(AuthorizationRequired, match="Invalid cloud_name elsewhere"):
        upload(cloud_name="elsewhere")


def test_refused_without_a_signature() -> None:
    with pytest.raises(BadRequest, match="Upload preset must be specified"):
        upload(unsigned=True)


def test_a_signature_lives_an_hour(cloudinary_emulator: Emulator) -> None:
    now = cloudinary_emulator.now()
    cloudinary_emulator.clock = lambda: now + 3595
    assert upload()["public_id"] == "videos/one"
    cloudinary_emulator.clock = lambda: now + 3610
    with pytest.raises(BadRequest, match=r"Stale request - reported time is .* more than 1 hour"):
        upload()


def test_sha256_if_configured(cloudinary_emulator: Emulator) -> None:
    assert upload(signature_algorithm="sha256")["public_id"] == "videos/one"
    cloudinary_emulator.algorithm = "sha256"
    assert upload(signature_algorithm="sha256")["public_id"] == "videos/one"
    with pytest.raises(AuthorizationRequired, match="Invalid Signature"):
        upload()


def test_refused_without_a_file() -> None:
    with pytest.raises(BadRequest, match="Missing required parameter - file"):
        uploader.upload(None, resource_type="video", public_id="videos/one")


@pytest.mark.parametrize("missing", ["api_key", "timestamp"])
def test_refused_incomplete(cloudinary_emulator: Emulator, missing: str) -> None:
    fields = {"api_key": "1234", "timestamp": "1", "signature": "x", "file": ("f", b"x")}
    del fields[missing]
    url = f"{cloudinary_emulator.origin}/v1_1/demo/video/upload"
    answer = urllib3.request("POST", url, fields=fields)
    assert answer.status == 400
    assert answer.json()["error"]["message"] == f"Missing required parameter - {missing}"


@pytest.mark.parametrize("name", ["a?b", "a#b", "a&b", "a%b", "/a", "a/", " a", "a<b"])
def test_refused_names(name: str) -> None:
    with pytest.raises(BadRequest, match=r"public_id .* is invalid"):
        upload(name)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "text"])
def test_refused_not_a_video(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "clip.mp4"
    if kind == "text":
        path.write_text("not a video")
    else:
        Image.new("RGB", (64, 64), "red").save(path, kind)
    with pytest.raises(BadRequest, match="Unsupported video format or file"):
        uploader.upload(str(path), resource_type="video")


def test_refused_not_an_image() -> None:
    with pytest.raises(BadRequest, match="Invalid image file"):
        uploader.upload(str(clip()))


def test_refused_size(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.request_max = 1000
    with pytest.raises(BadRequest, match=r"File size too large. Got \d+. Maximum is 1000."):
        upload()


def test_refused_transformation(cloudinary_emulator: Emulator) -> None:
    assert refused(eager="zz_9") == "Invalid transformation component - zz_9"
    assert len(cloudinary_emulator.library) == 0


def test_a_field_that_was_not_signed_is_refused(cloudinary_emulator: Emulator) -> None:
    signed = {"timestamp": cloudinary.utils.now(), "public_id": "videos/one"}
    signature = cloudinary.utils.api_sign_request(signed, cloudinary.config().api_secret)
    fields = {
        **{name: str(value) for name, value in signed.items()},
        **{"signature": signature, "api_key": "1234", "tags": "sneaked-in"},
        "file": ("clip.mp4", clip().read_bytes()),
    }
    url = f"{cloudinary_emulator.origin}/v1_1/demo/video/upload"
    answer = urllib3.request("POST", url, fields=fields)
    assert answer.status == 401
    assert "tags=sneaked-in" in answer.json()["error"]["message"]


def test_signing_by_hand_drops_a_false_that_is_then_posted() -> None:
    signed = {"timestamp": 1, "public_id": "videos/one", "overwrite": False}
    assert cloudinary.utils.api_string_to_sign(signed) == "public_id=videos/one&timestamp=1"
    signed["overwrite"] = "false"
    assert "overwrite=false" in cloudinary.utils.api_string_to_sign(signed)
