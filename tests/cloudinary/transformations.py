"""Transformations: read from their text, made with ffmpeg.

As far as a product for short clips needs them: sizes and crops, codecs, bit and frame rates,
excerpts, stills, animated previews, sprites. What is not known is refused as Cloudinary refuses
what it does not know.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from tests.cloudinary.probing import Facts
from tests.cloudinary.refusals import RefusalError

KNOWN = {
    *("w", "h", "c", "g", "q", "f", "so", "eo", "du", "vc", "ac", "br", "fps", "ki", "fl", "e"),
    *("b", "dpr", "pg", "vs", "af"),
}
CROPS = ("scale", "limit", "fit", "fill", "lfill", "thumb", "pad", "crop")
STILLS = ("jpg", "jpeg", "png", "webp", "gif", "avif")
CODECS = {
    **{"auto": "libx264", "h264": "libx264", "h265": "libx265", "vp9": "libvpx-vp9"},
    **{"vp8": "libvpx", "none": "none"},
}
SPRITE_FRAMES = 10
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Transformation:
    """A transformation.

    Attributes:
        asked: as it was asked for, with a format at its end if it had one.
        text: as it stands in URLs, without that format.
        format: what it makes; empty for that of the original.
        steps: the parameters of each component, in order.
        flags: those of all components.
    """

    asked: str
    text: str
    format: str
    steps: tuple[dict[str, str], ...]
    flags: frozenset[str]

    @property
    def automatic(self) -> bool:
        """Whether only a browser's request can say what format it makes."""
        return self.option("f") == "auto" and not self.format

    def option(self, name: str) -> str:
        """The last value of a parameter; empty if it has none."""
        return next((step[name] for step in reversed(self.steps) if name in step), "")


def looks_like_one(segment: str) -> bool:
    """Whether a segment of an URL is a component rather than part of a name."""
    return all(re.fullmatch(r"([a-z]+)_[^/]+", part) for part in segment.split(",")) and (
        segment.split("_")[0] in KNOWN
    )


def parse(text: str, extension: str = "") -> Transformation:
    """Read a transformation such as "c_limit,w_360/so_1/mp4".

    Args:
        extension: the format that the URL's extension asks for.

    Raises:
        RefusalError: it has a part that is not known.
    """
    segments = text.split("/") if text else []
    if segments and "_" not in segments[-1]:
        extension = segments.pop()
    steps = []
    flags: set[str] = set()
    for segment in segments:
        step = dict(_parameter(part, segment) for part in segment.split(","))
        flags.update(step.get("fl", "").split("."))
        steps.append(step)
    chosen = next((step["f"] for step in reversed(steps) if "f" in step), "auto")
    format = extension or ("" if chosen == "auto" else chosen)
    return Transformation(text, "/".join(segments), format, tuple(steps), frozenset(flags))


def _parameter(part: str, segment: str) -> tuple[str, str]:
    match = re.fullmatch(r"([a-z]+)_(.+)", part)
    if match is None or match[1] not in KNOWN:
        raise RefusalError(400, f"Invalid transformation component - {segment}")
    name, value = match[1], match[2]
    if name == "c" and value not in CROPS:
        raise RefusalError(400, f"Invalid crop mode {value}")
    if name in ("w", "h") and not re.fullmatch(r"\d+(\.\d+)?", value):
        full = {"w": "width", "h": "height"}[name]
        raise RefusalError(400, f"Invalid {full} in transformation: {value}")
    if name == "vc" and value.split(":")[0] not in CODECS:
        raise RefusalError(400, f"Invalid video codec {value}")
    return name, value


@dataclass(frozen=True)
class Box:
    """A size that a picture is scaled to, and one that it is then cut or padded to."""

    width: int
    height: int
    cut: tuple[int, int] | None = None
    pad: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """The size of the result."""
        return self.cut or self.pad or (self.width, self.height)


def resize(width: int, height: int, step: dict[str, str]) -> Box | None:
    """What one component does to a size, in pixels; None if it says nothing of it."""
    if "w" not in step and "h" not in step:
        return None
    crop = step.get("c", "scale")
    wide, high = _wanted(step.get("w"), width), _wanted(step.get("h"), height)
    if crop == "scale" and wide and high:
        return Box(wide, high)
    ratios = [part / whole for part, whole in ((wide, width), (high, height)) if part]
    covering = crop in ("fill", "lfill", "thumb")
    if crop == "crop":
        return Box(width, height, cut=(min(wide or width, width), min(high or height, height)))
    ratio = max(ratios) if covering else min(ratios)
    if crop in ("limit", "lfill"):
        ratio = min(ratio, 1.0)
    scaled = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    target = (wide or scaled[0], high or scaled[1])
    if covering:
        return Box(*scaled, cut=(min(target[0], scaled[0]), min(target[1], scaled[1])))
    return Box(*scaled, pad=target if crop == "pad" else None)


def _wanted(value: str | None, whole: int) -> int:
    """A length in pixels; below 1 (or "1.0") it is a share of the original's."""
    if value is None:
        return 0
    return int(value) if "." not in value else round(float(value) * whole)


def make(source: Path, facts: Facts, transformation: Transformation, target: Path) -> None:
    """Make a rendition.

    Args:
        source: the original.
        target: where it goes; its extension is the format.

    Raises:
        RefusalError: ffmpeg could not.
    """
    command = [program(), "-v", "error", "-nostdin", "-y", *_input(source, facts, transformation)]
    command += ["-map_metadata", "-1", *_output(facts, transformation, target), str(target)]
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    if done.returncode:
        raise RefusalError(
            400, f"Transformation failed: {done.stderr.decode(errors='replace')[-500:]}"
        )


def fake(source: Path, target: Path) -> None:
    """Stand in for a rendition with a copy of the original."""
    shutil.copyfile(source, target)


@cache
def program() -> str:
    """The ffmpeg to run: FFMPEG_PATH, or the one of the wheel."""
    return os.environ.get("FFMPEG_PATH") or imageio_ffmpeg.get_ffmpeg_exe()


def _input(source: Path, facts: Facts, made: Transformation) -> list[str]:
    start = _moment(made.option("so"), facts.duration)
    length = _moment(made.option("du"), facts.duration)
    preview = re.search(r"preview:duration_([\d.]+)", made.option("e"))
    if made.option("eo"):
        length = max(0.0, _moment(made.option("eo"), facts.duration) - start)
    elif preview:
        length = float(preview[1])
    elif made.option("e").startswith("preview"):
        length = 5.0
    return [
        *(["-ss", f"{start:g}"] if start else []),
        *(["-t", f"{length:g}"] if length else []),
        *("-i", str(source)),
    ]


def _moment(value: str, duration: float) -> float:
    """Seconds, from seconds ("1.5") or a share of the length ("50p", "50%"); "auto" is 0."""
    if value in ("", "auto"):
        return 0.0
    if value[-1] in "p%":
        return float(value[:-1]) / 100 * duration
    return float(value)


def _output(facts: Facts, made: Transformation, target: Path) -> list[str]:
    format = target.suffix[1:]
    animated = bool(made.flags & {"animated", "awebp"}) or format == "gif"
    if "sprite" in made.flags:
        rate = SPRITE_FRAMES / max(facts.duration, 0.1)
        filters = [f"fps={rate:.4f}:round=up", *_filters(facts, made, even=False)]
        filters.append(f"tile={SPRITE_FRAMES}x1")
        return ["-frames:v", "1", "-vf", ",".join(filters)]
    if format in STILLS and not animated:
        return ["-frames:v", "1", *_video_filters(_filters(facts, made, even=False))]
    filters = [*_frame_rate(facts, made), *_filters(facts, made, even=format not in STILLS)]
    if format in STILLS:
        return ["-an", "-loop", "0", *_video_filters(filters)]
    return [*_video_filters(filters), *_codecs(made, format)]


def _video_filters(filters: list[str]) -> list[str]:
    return ["-vf", ",".join(filters)] if filters else []


def _frame_rate(facts: Facts, made: Transformation) -> list[str]:
    """fps_30 is a rate, fps_-30 the highest, fps_24-30 the lowest and the highest."""
    low, _, high = made.option("fps").partition("-")
    if not low and not high:
        return []
    rate = facts.frame_rate or 30.0
    rate = float(low) if not high else min(max(rate, float(low or 0)), float(high))
    return [f"fps={rate:g}"]


def _filters(facts: Facts, made: Transformation, *, even: bool) -> list[str]:
    width, height = facts.width, facts.height
    filters = []
    for step in made.steps:
        box = resize(width, height, step)
        if box is None:
            continue
        filters.append(f"scale={box.width}:{box.height}")
        if box.cut:
            filters.append(f"crop={box.cut[0]}:{box.cut[1]}")
        if box.pad:
            filters.append(f"pad={box.pad[0]}:{box.pad[1]}:-1:-1")
        width, height = box.size
    if even and (width % 2 or height % 2):
        filters.append(f"scale={width - width % 2}:{height - height % 2}")
    return [*filters, "setsar=1"]


def size(facts: Facts, made: Transformation) -> tuple[int, int]:
    """The size that a rendition has, in pixels."""
    width, height = facts.width, facts.height
    for step in made.steps:
        box = resize(width, height, step)
        if box is not None:
            width, height = box.size
    return width, height


def _codecs(made: Transformation, format: str) -> list[str]:
    codec = CODECS[made.option("vc").split(":")[0] or ("vp9" if format == "webm" else "h264")]
    rate = made.option("br")
    quality = ["-b:v", rate] if rate else []
    picture = ["-vn"] if codec == "none" else ["-c:v", codec, "-pix_fmt", "yuv420p", *quality]
    if codec in ("libx264", "libx265"):
        picture += ["-preset", "ultrafast"]
    if made.option("ki"):
        picture += ["-force_key_frames", f"expr:gte(t,n_forced*{float(made.option('ki')):g})"]
    silent = made.option("ac") == "none" or made.option("e").startswith("preview")
    sound = ["-an"] if silent else ["-c:a", "libopus" if format == "webm" else "aac"]
    faststart = ["-movflags", "+faststart"] if format in ("mp4", "mov") else []
    return [*picture, *sound, *faststart]
