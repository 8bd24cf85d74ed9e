"""What an uploaded file is, found out in a subprocess, and whether it is let in."""

import json
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.conf import settings

from videos.media import sandbox
from videos.media.refusals import refused

TIMEOUT_SECONDS = 20
LIMITS = sandbox.Limits(memory=2 * 2**30, file_size=2**20, cpu=15)
# Transfer characteristics of ITU-T H.273: SMPTE 2084 (PQ) and ARIB STD-B67 (HLG).
HDR_TRANSFERS = {16: "smpte2084", 18: "arib-std-b67"}
UNKNOWN_MATRIX = 2
SHORTEST_SECONDS = 0.2


@dataclass(frozen=True)
class Probe:
    """A video that may come in. Sizes in pixels as displayed, duration in seconds."""

    width: int
    height: int
    duration: float
    fps: Fraction
    format: str
    video_codec: str
    rotation: int
    hdr: str | None
    matrix_known: bool
    stream: int
    audio_stream: int | None
    audio_codec: str | None

    @property
    def short_side(self) -> int:
        """The smaller of width and height."""
        return min(self.width, self.height)


def probe(path: Path) -> Probe:
    """Look into a file that a stranger sent.

    Raises:
        RefusedError: one of the codes of `refusals.SENTENCES`.
    """
    size = path.stat().st_size
    if size == 0:
        raise refused("empty")
    if size > settings.VIDEO_MAX_BYTES:
        raise refused("too_large")
    facts = _inspect(path)
    if "refusal" in facts:
        raise refused(facts["refusal"])
    found = _read(facts)
    _check(found)
    return found


def _check(found: Probe) -> None:
    if found.duration > settings.VIDEO_MAX_SECONDS + 0.5:
        raise refused("too_long")
    if found.width * found.height > sandbox.MAX_PIXELS:
        raise refused("too_many_pixels")
    if found.duration < SHORTEST_SECONDS:
        raise refused("image")


def _inspect(path: Path) -> dict[str, Any]:
    """Run the inspector; a crash, a limit reached or nonsense means that the file is bad."""
    command = [sys.executable, "-m", "videos.media.inspector", str(path)]
    environment = {"PYTHONPATH": str(settings.BASE_DIR)}
    child = sandbox.start(command, LIMITS, environment=environment, stderr=subprocess.DEVNULL)
    try:
        output, _ = child.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return {"refusal": "damaged"}
    finally:
        sandbox.end(child)
    try:
        facts = json.loads(output)
    except ValueError:
        return {"refusal": "damaged"}
    return facts if isinstance(facts, dict) else {"refusal": "damaged"}


def _read(facts: dict[str, Any]) -> Probe:
    return Probe(
        width=max(2, facts["width"]),
        height=max(2, facts["height"]),
        duration=facts["duration"],
        fps=Fraction(facts["fps"]),
        format=facts["format"],
        video_codec=facts["video_codec"],
        rotation=facts["rotation"],
        hdr=HDR_TRANSFERS.get(facts["transfer"]),
        matrix_known=facts["matrix"] != UNKNOWN_MATRIX,
        stream=facts["stream"],
        audio_stream=facts["audio_stream"],
        audio_codec=facts["audio_codec"],
    )
