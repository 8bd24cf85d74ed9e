"""All clips are equally loud; silence stays silent."""

from pathlib import Path

import av
import pytest

from tests.videos.clips import clip, ffmpeg
from tests.videos.outputs import make_outputs
from videos.media import sound


def tone(path: Path, expression: str, seconds: float) -> Path:
    """A clip with a sound given as ffmpeg's `aevalsrc` has it."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=64x64:r=30:d={seconds}"]
    audio = ["-f", "lavfi", "-i", f"aevalsrc='{expression}':s=48000:d={seconds}"]
    ffmpeg(*picture, *audio, "-preset", "ultrafast", "-c:a", "pcm_s16le", "-f", "mov", str(path))
    return path


def peak(path: Path) -> float:
    """The largest sample of a rendition's sound, from 0 to 1; 0 without sound."""
    with av.open(str(path)) as container:
        frames = container.decode(audio=0)
        return max((float(abs(frame.to_ndarray()).max()) for frame in frames), default=0.0)


@pytest.mark.parametrize(
    "expression",
    [
        "0.02*sin(880*t)",  # quiet
        "0.9*sin(880*t)",  # loud
        "2*sin(880*t)*(0.5+0.5*sin(3*t))",  # clipped
        "0.01*random(0)+0.5*sin(1000*t)*gt(mod(t,4),3.6)",  # quiet, with loud moments
        "0.05*sin(300*t)|0",  # one side only
    ],
)
def test_each_programme_is_brought_to_the_same_loudness(expression: str, tmp_path: Path) -> None:
    source = tone(tmp_path / "source", expression, 8)
    make_outputs(source, tmp_path)
    made = tmp_path / "64.mp4"
    assert sound.measure(made, 1, sound.SHAPE) == pytest.approx(sound.TARGET, abs=1)
    assert peak(made) < 1


@pytest.mark.parametrize("expression", ["0", "0.0005*random(0)"])
def test_silence_is_not_made_louder(expression: str, tmp_path: Path) -> None:
    make_outputs(tone(tmp_path / "source", expression, 3), tmp_path)
    assert peak(tmp_path / "64.mp4") < 0.002


def test_a_clip_too_short_to_measure_keeps_its_sound(tmp_path: Path) -> None:
    make_outputs(tone(tmp_path / "source", "0.1*sin(880*t)", 0.3), tmp_path)
    assert peak(tmp_path / "64.mp4") == pytest.approx(0.1, abs=0.03)


def test_larger_renditions_have_the_very_sound_of_the_first(tmp_path: Path) -> None:
    make_outputs(clip("540x960", 2.0), tmp_path, all_rungs=True)
    sounds = []
    for side in (360, 540):
        with av.open(str(tmp_path / f"{side}.mp4")) as container:
            audio, video = container.streams.audio[0], container.streams.video[0]
            starts = (float(stream.start_time * stream.time_base) for stream in (audio, video))
            assert list(starts) == pytest.approx([0, 0], abs=0.001)
            sounds.append([bytes(packet) for packet in container.demux(audio)])
    assert sounds[0] == sounds[1]


def test_a_clip_without_sound_gets_none(tmp_path: Path) -> None:
    make_outputs(clip("540x960", 0.5, audio=False), tmp_path, all_rungs=True)
    for side in (360, 540):
        with av.open(str(tmp_path / f"{side}.mp4")) as container:
            assert not container.streams.audio
