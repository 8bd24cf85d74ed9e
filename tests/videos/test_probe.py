"""What is let in, and what each real file becomes."""

import csv
import time
from dataclasses import replace
from pathlib import Path

import av
import pytest
from django.conf import settings

from tests.videos.clips import clip, ffmpeg
from tests.videos.outputs import check_bare, make_outputs
from videos.media import ffmpeg as runner
from videos.media import sandbox, sound
from videos.media.ladder import rungs
from videos.media.measuring import measure
from videos.media.probe import Probe, probe
from videos.media.refusals import RefusedError

SAMPLES = Path(settings.BASE_DIR).parent / "shared" / "data" / "media"
MANIFEST = SAMPLES / "MANIFEST.tsv"
REFUSALS = {
    "v09_too_long_362s.mp4": "too_long",
    "v10_audio_only.mp4": "no_video_stream",
    "v11_corrupt.mkv": "not_a_video",
    "v12_zero_length.mp4": "empty",
    "v13_playlist_as.mp4": "not_a_video",
    "v15_gif_still.gif": "image",
}
# Turned, with six channels of sound, and short enough to be made at all sizes in a test.
ALL_RUNGS = {"v02_h264_rot90_51audio.mp4"}
LONG = 10  # seconds; of what is longer only the beginning is made in a test
SIZES = {
    "v01_phone_hevc_hlg10_rot90.mp4": (1080, 1920),
    "v02_h264_rot90_51audio.mp4": (1080, 1920),
    "v04_h263_amrnb_sar.3gp": (504, 288),
    "v14_25s_12MB_moov_last_gps.mp4": (1280, 720),
}


def samples() -> list[dict[str, str]]:
    """The rows of the manifest, if the collection of real files is beside the repository."""
    if not MANIFEST.exists():
        return []
    with MANIFEST.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


needs_samples = pytest.mark.skipif(not samples(), reason=f"no real files at {SAMPLES}")


def refusal(path: Path) -> str:
    """The code with which a file is refused."""
    with pytest.raises(RefusedError) as caught:
        probe(path)
    assert caught.value.fields["file"][0][0] == caught.value.code
    return caught.value.code


@needs_samples
@pytest.mark.parametrize("row", samples(), ids=lambda row: row["file"])
def test_each_real_file_ends_as_its_manifest_says(row: dict[str, str], tmp_path: Path) -> None:
    path = SAMPLES / row["file"]
    if row["expected"] == "reject":
        assert refusal(path) == REFUSALS[row["file"]]
        return
    whole = probe(path)
    assert whole.duration == pytest.approx(float(row["duration_s"]), abs=0.2)
    assert (whole.width, whole.height) == SIZES.get(row["file"], (whole.width, whole.height))
    source = path if whole.duration < LONG else beginning(path, tmp_path)
    found, outputs = make_outputs(source, tmp_path, all_rungs=row["file"] in ALL_RUNGS)
    renditions = outputs[:-3]
    for rung, rendition in zip(rungs(found.width, found.height), renditions, strict=False):
        made = measure(rendition)
        assert (made.width, made.height) == (rung.width, rung.height)
        assert made.duration == pytest.approx(found.duration, abs=0.2)
        check_rendition(rendition, found)
    for output in outputs:
        check_bare(output)
    assert outputs[-2].stat().st_size < 200_000
    if found.audio_stream is not None:
        loudness = sound.measure(renditions[0], 1, sound.SHAPE)
        assert loudness == pytest.approx(sound.TARGET, abs=1)


def beginning(path: Path, folder: Path) -> Path:
    """The first second of a long file, with all that it says of itself."""
    short = folder / f"beginning{path.suffix}"
    ffmpeg("-i", str(path), "-t", "1", "-c", "copy", "-map_metadata", "0", str(short))
    return short


def check_rendition(path: Path, source: Probe) -> None:
    """Codecs, colors, shape and metadata of what we made."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        assert (stream.codec_context.name, frame.format.name) == ("h264", "yuv420p")
        assert stream.sample_aspect_ratio in (None, 1)
        assert frame.rotation == 0
        assert stream.average_rate is not None
        assert stream.average_rate <= 30
        assert frame.color_trc == 1  # BT.709, also where the source was HDR
        assert len(container.streams.audio) == (0 if source.audio_stream is None else 1)
        for audio in container.streams.audio:
            assert (audio.codec_context.name, audio.layout.name) == ("aac", "stereo")
        assert len(container.streams.data) == 0
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@needs_samples
def test_where_it_was_filmed_does_not_survive(tmp_path: Path) -> None:
    path = SAMPLES / "v14_25s_12MB_moov_last_gps.mp4"
    assert b"loci" in path.read_bytes()
    short = beginning(path, tmp_path)
    assert b"loci" in short.read_bytes()
    _, outputs = make_outputs(short, tmp_path, all_rungs=True)
    assert len(outputs) == 6
    for output in outputs:
        check_bare(output)


def test_a_plain_clip_is_described() -> None:
    found = probe(clip("180x320", 1.0, fps=25))
    assert (found.width, found.height, found.fps) == (180, 320, 25)
    assert (found.video_codec, found.audio_codec, found.hdr) == ("h264", "aac", None)
    assert found.duration == pytest.approx(1.0, abs=0.05)


def test_a_recording_of_a_browser_without_a_length_is_measured(tmp_path: Path) -> None:
    live = tmp_path / "live.webm"
    ffmpeg("-i", str(clip()), "-c:v", "libvpx", "-b:v", "200k", "-an", "-live", "1", str(live))
    with av.open(str(live)) as container:
        assert not container.duration
    assert probe(live).duration == pytest.approx(1.0, abs=0.1)


def test_an_encrypted_clip_says_so(tmp_path: Path) -> None:
    key = "76a6c65c5ea762046bd749a2e632ccbb"
    path = tmp_path / "secret"
    options = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key]
    ffmpeg(
        "-i", str(clip()), "-c", "copy", *options, "-encryption_kid", key, "-f", "mp4", str(path)
    )
    assert refusal(path) == "encrypted"


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "gif", "bmp", "avif"])
def test_a_picture_says_that_it_is_one(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture.{kind}"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x64:d=1:r=1", "-frames:v", "1", str(path))
    assert refusal(path) == "image"


def test_a_picture_as_a_film_of_one_frame_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "still.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x64:r=30", "-frames:v", "1", str(path))
    assert refusal(path) == "image"


def test_a_bomb_of_pixels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mp4"
    source = "color=s=8192x4096:r=1:d=2"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", str(path))
    assert refusal(path) == "too_many_pixels"


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile '{clip}'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{clip}\n#EXT-X-ENDLIST\n",
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{clip}"/></svg>',
        "<MPD><Period><AdaptationSet><BaseURL>{clip}</BaseURL></AdaptationSet></Period></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat", "svg", "sdp"])
def test_a_text_that_names_another_file_opens_nothing(
    text: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"list.{suffix}"
    path.write_text(text.format(clip=clip()))
    assert refusal(path) == "not_a_video"
    with pytest.raises(runner.FfmpegError):
        runner.run(["-i", str(path), "-frames:v", "1", "-f", "null", "-"])


def test_an_inspector_that_hangs_or_crashes_refuses_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from videos.media import probe as probing

    for program in ("/bin/false", "/bin/cat"):
        monkeypatch.setattr(probing.sys, "executable", program)
        assert refusal(clip()) == "damaged"
    script = clip().parent / "hang"
    script.write_text("#!/bin/sh\nsleep 60\n")
    script.chmod(0o755)
    monkeypatch.setattr(probing.sys, "executable", str(script))
    monkeypatch.setattr(probing, "TIMEOUT_SECONDS", 0.3)
    began = time.monotonic()
    assert refusal(clip()) == "damaged"
    assert time.monotonic() - began < 5


def test_the_limits_hold(tmp_path: Path) -> None:
    limits = sandbox.Limits(memory=2**30, file_size=100_000, cpu=5)
    target = tmp_path / "big"
    child = sandbox.start(
        ["/bin/sh", "-c", f"echo $SECRET_KEY$DATABASE_URL; yes > {target}"], limits, stderr=2
    )
    output, _ = child.communicate(timeout=20)
    sandbox.end(child)
    assert child.returncode != 0
    assert target.stat().st_size <= 100_000
    assert output == b"\n"  # nor does it see our secrets


def test_ffmpeg_that_is_killed_is_not_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(runner.FfmpegError) as caught:
        runner.run(["-re", "-i", str(clip("64x64", 3.0)), "-f", "null", "-"])
    assert caught.value.killed


def test_progress_is_reported() -> None:
    seen: list[float] = []
    runner.run(["-re", "-i", str(clip("64x64", 2.0)), "-f", "null", "-"], seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(2.0, abs=0.2)


def test_replacing_facts_keeps_the_short_side() -> None:
    found = probe(clip())
    assert replace(found, width=640, height=360).short_side == 360
