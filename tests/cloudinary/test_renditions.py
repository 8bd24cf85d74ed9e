"""Renditions: eager ones, ones made when they are asked for, and how they are delivered."""

import io
from pathlib import Path
from typing import Any

import av
import cloudinary
import pytest
import urllib3
from cloudinary import api, uploader
from cloudinary.exceptions import BadRequest, NotFound
from PIL import Image

from tests.cloudinary import Emulator, transformations
from tests.cloudinary.probing import Facts
from tests.videos.clips import clip

pytestmark = pytest.mark.usefixtures("cloudinary_emulator")
HD = Facts(format="mp4", width=1080, height=1920, duration=10.0, frame_rate=60.0)


def upload(**options: Any) -> dict[str, Any]:
    return uploader.upload(str(clip()), resource_type="video", public_id="videos/one", **options)


def get(url: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request("GET", url, headers=headers)


def opened(url: str) -> av.container.InputContainer:
    return av.open(io.BytesIO(get(url).data))


def test_eager_rungs_are_there_when_the_upload_is_answered(cloudinary_emulator: Emulator) -> None:
    rungs = [
        {
            **{"width": side, "crop": "limit", "format": "mp4", "fps": "-15"},
            **{"video_codec": "h264", "audio_codec": "aac", "quality": "auto"},
        }
        for side in (90, 360)
    ]
    eager = upload(eager=rungs)["eager"]
    assert [(each["width"], each["height"]) for each in eager] == [(90, 160), (180, 320)]
    for each in eager:
        assert each["transformation"].endswith("/mp4")
        assert each["format"] == "mp4"
        with opened(each["secure_url"]) as made:
            assert made.streams.video[0].codec_context.name == "h264"
            assert made.streams.audio[0].codec_context.name == "aac"
            assert (made.streams.video[0].width, made.streams.video[0].average_rate) == (
                each["width"],
                15,
            )
        assert len(get(each["secure_url"]).data) == each["bytes"]


def test_stills_previews_and_sprites() -> None:
    poster, webp, preview, clip_of_it, sprite = (
        each["secure_url"]
        for each in upload(
            eager=[
                {"start_offset": "0.5", "width": 90, "crop": "scale", "format": "jpg"},
                {"start_offset": "50p", "format": "webp"},
                "so_0,du_0.5,w_90,c_scale,fps_10,fl_animated.awebp/webp",
                "e_preview:duration_0.5,f_mp4",
                "w_60,c_scale,fl_sprite/jpg",
            ]
        )["eager"]
    )
    images = [Image.open(io.BytesIO(get(url).data)) for url in (poster, webp, preview, sprite)]
    assert [image.format for image in images] == ["JPEG", "WEBP", "WEBP", "JPEG"]
    assert images[0].size == (90, 160)
    assert images[1].size == (180, 320)
    assert images[2].n_frames == 5  # type: ignore[attr-defined]
    assert images[3].size == (60 * transformations.SPRITE_FRAMES, 107)
    with opened(clip_of_it) as made:
        assert (made.duration or 0) / av.time_base == pytest.approx(0.5, abs=0.1)
        assert not made.streams.audio


def test_eager_later(cloudinary_emulator: Emulator) -> None:
    eager = [{"width": 90, "crop": "scale", "format": "mp4"}]
    answer = upload(eager=eager, eager_async=True)
    assert answer["eager"][0]["status"] == "processing"
    assert "bytes" not in answer["eager"][0]
    cloudinary_emulator.wait()
    derived = api.resource("videos/one", resource_type="video")["derived"]
    assert [each["transformation"] for each in derived] == ["c_scale,w_90"]
    assert derived[0]["secure_url"] == answer["eager"][0]["secure_url"]


def test_explicit_makes_more() -> None:
    upload()
    answer = uploader.explicit(
        "videos/one", type="upload", resource_type="video", eager="w_90,c_scale/mp4"
    )
    assert answer["eager"][0]["width"] == 90
    with pytest.raises(NotFound, match="Resource not found - videos/two"):
        uploader.explicit("videos/two", type="upload", resource_type="video")


def test_an_automatic_format_makes_nothing_eagerly() -> None:
    assert "eager" not in upload(eager="w_90,c_scale,f_auto")
    assert api.resource("videos/one", resource_type="video")["derived"] == []


def test_made_when_they_are_asked_for(cloudinary_emulator: Emulator) -> None:
    version = upload()["version"]
    url, _ = cloudinary.utils.cloudinary_url(
        "videos/one", resource_type="video", version=version, width=90, crop="scale", format="jpg"
    )
    assert url.startswith(cloudinary_emulator.origin)
    answer = get(url)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(answer.data)).size == (90, 160)
    assert api.resource("videos/one", resource_type="video")["derived"]


def test_what_cannot_be_delivered(cloudinary_emulator: Emulator) -> None:
    upload()
    base = f"{cloudinary_emulator.origin}/demo/video/upload"
    missing, wrong = get(f"{base}/v1/videos/two.mp4"), get(f"{base}/zz_9/v1/videos/one.mp4")
    assert (missing.status, missing.headers["X-Cld-Error"]) == (
        404,
        "Resource not found - videos/two",
    )
    assert (wrong.status, wrong.headers["X-Cld-Error"]) == (
        400,
        "Invalid transformation component - zz_9",
    )


def test_ranges() -> None:
    url = upload()["secure_url"]
    whole = clip().read_bytes()
    answer = get(url)
    assert (answer.status, answer.data) == (200, whole)
    assert answer.headers["Accept-Ranges"] == "bytes"
    part = get(url, Range="bytes=10-19")
    assert (part.status, part.data) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert get(url, Range="bytes=-5").data == whole[-5:]
    assert get(url, Range=f"bytes={len(whole)}-").status == 416
    assert get(url, **{"If-None-Match": answer.headers["ETag"]}).status == 304
    head = urllib3.request("HEAD", url)
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(whole)))


def test_the_cdn_keeps_what_it_delivered_until_it_is_invalidated() -> None:
    url = upload()["secure_url"]
    assert get(url).status == 200
    uploader.destroy("videos/one", resource_type="video")
    assert get(url).status == 200
    uploader.destroy("videos/one", resource_type="video", invalidate=True)
    assert get(url).status == 404


def test_what_was_never_delivered_is_gone_at_once() -> None:
    url = upload()["secure_url"]
    uploader.destroy("videos/one", resource_type="video")
    assert get(url).status == 404


def test_avatars(tmp_path: Path) -> None:
    path = tmp_path / "me.png"
    Image.new("RGB", (400, 300), "blue").save(path)
    answer = uploader.upload(str(path), public_id="avatars/1", overwrite=True)
    assert (answer["resource_type"], answer["format"]) == ("image", "png")
    assert (answer["width"], answer["height"]) == (400, 300)
    url, _ = cloudinary.utils.cloudinary_url(
        "avatars/1", width=256, height=256, crop="fill", format="webp"
    )
    made = Image.open(io.BytesIO(get(url).data))
    assert (made.format, made.size) == ("WEBP", (256, 256))
    assert uploader.destroy("avatars/1", invalidate=True)["result"] == "ok"
    assert get(url).status == 404


def test_faked_renditions_are_copies_with_the_size_that_was_asked_for(
    cloudinary_emulator: Emulator,
) -> None:
    cloudinary_emulator.library.fake = True
    (made,) = upload(eager="w_90,c_limit,f_mp4")["eager"]
    assert (made["width"], made["height"]) == (90, 160)
    assert get(made["secure_url"]).data == clip().read_bytes()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("w_360,c_limit", (360, 640)),
        ("h_640,c_limit", (360, 640)),
        ("w_2000,c_limit", (1080, 1920)),
        ("w_2160,c_scale", (2160, 3840)),
        ("w_100,h_100,c_scale", (100, 100)),
        ("w_100,h_100", (100, 100)),
        ("w_100,h_100,c_fit", (56, 100)),
        ("w_256,h_256,c_fill", (256, 256)),
        ("w_4000,h_4000,c_lfill", (1080, 1920)),
        ("w_400,h_300,c_pad", (400, 300)),
        ("w_260,h_200,c_crop", (260, 200)),
        ("w_0.5", (540, 960)),
        ("w_540,c_limit/w_100,h_100,c_fill", (100, 100)),
        ("q_auto", (1080, 1920)),
    ],
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    assert transformations.size(HD, transformations.parse(text)) == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zz_1", "Invalid transformation component - zz_1"),
        ("w_90,.mp4", "Invalid transformation component - w_90,.mp4"),
        ("w_wide", "Invalid width in transformation: wide"),
        ("w_90,c_shrink", "Invalid crop mode shrink"),
        ("vc_h999", "Invalid video codec h999"),
    ],
)
def test_refused_transformations(text: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        upload(eager=text)
