"""Which renditions, at which rates, and what one call makes of them."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.videos.clips import clip
from videos.media import ffmpeg, stills
from videos.media.ladder import OVERTIME_SECONDS, frame_rate, ladder_command, rungs
from videos.media.measuring import measure
from videos.media.probe import probe


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1080, 1920), [(360, 640), (540, 960), (720, 1280), (1080, 1920)]),
        ((1920, 1080), [(640, 360), (960, 540), (1280, 720), (1920, 1080)]),
        ((2160, 3840), [(360, 640), (540, 960), (720, 1280), (1080, 1920)]),
        ((642, 642), [(360, 360), (540, 540)]),
        ((504, 288), [(504, 288)]),
        ((101, 51), [(102, 52)]),
        ((8, 8), [(16, 16)]),
    ],
)
def test_a_source_gets_these_rungs(size: tuple[int, int], expected: list[tuple[int, int]]) -> None:
    assert [(rung.width, rung.height) for rung in rungs(*size)] == expected


def test_what_goes_on_after_its_declared_end_is_not_made(tmp_path: Path) -> None:
    source = clip("64x64", 9.0, audio=False)
    found = replace(probe(source), duration=1.0)
    ffmpeg.run(ladder_command(source, found, rungs(64, 64), tmp_path, poster=True))
    made = measure(tmp_path / "64.mp4").duration
    assert made == pytest.approx(1.0 + OVERTIME_SECONDS, abs=0.1)


@given(st.integers(2, 16384), st.integers(2, 16384))
def test_rungs_are_even_ascending_and_keep_the_shape(width: int, height: int) -> None:
    made = rungs(width, height)
    assert made
    assert [rung.side for rung in made] == sorted({rung.side for rung in made})
    for rung in made:
        assert rung.width % 2 == rung.height % 2 == 0
        assert max(rung.width, rung.height) <= 3840
        assert rung.side <= max(16, min(width, height) + 1)
        if min(rung.width, rung.height) > 100:
            assert rung.width / rung.height == pytest.approx(width / height, rel=0.02)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction(24), Fraction(24)),
        (Fraction(50), Fraction(25)),
        (Fraction(60), Fraction(30)),
        (Fraction(60000, 1001), Fraction(30000, 1001)),
        (Fraction(1000), Fraction(30)),
        (Fraction(40), Fraction(30)),
        (Fraction(0), Fraction(30)),
    ],
)
def test_the_frame_rate_is_at_most_thirty(source: Fraction, expected: Fraction) -> None:
    assert frame_rate(source) == expected


def test_one_call_makes_all_rungs_and_the_poster(tmp_path: Path) -> None:
    source = clip("720x1280", 1.0, fps=60)
    found = probe(source)
    wanted = rungs(found.width, found.height)
    ffmpeg.run(ladder_command(source, found, wanted, tmp_path, poster=True))
    made = [measure(tmp_path / f"{rung.side}.mp4") for rung in wanted]
    assert [(m.width, m.height) for m in made] == [(360, 640), (540, 960), (720, 1280)]
    assert all(m.duration == pytest.approx(1.0, abs=0.05) for m in made)
    stills.make_poster(tmp_path / "poster.png", tmp_path / "poster.webp")
    with Image.open(tmp_path / "poster.webp") as poster:
        assert (poster.format, poster.size) == ("WEBP", (540, 960))
    assert len(stills.placeholder(tmp_path / "poster.webp")) < 800


def test_the_bitrate_of_noise_is_held(tmp_path: Path) -> None:
    import subprocess

    source = tmp_path / "noise.mp4"
    noise = "nullsrc=s=360x640:r=30:d=3,geq=random(1)*255:128:128"
    command = [ffmpeg.program(), "-v", "error", "-f", "lavfi", "-i", noise]
    subprocess.run([*command, "-preset", "ultrafast", "-crf", "18", str(source)], check=True)
    found = probe(source)
    (rung,) = rungs(found.width, found.height)
    ffmpeg.run(ladder_command(source, found, [rung], tmp_path))
    assert measure(tmp_path / "360.mp4").bitrate < rung.max_rate * 2.2
