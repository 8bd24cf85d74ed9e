"""Pictures of a clip: poster, placeholder, a moving preview, and a sprite of stills in a row.

Preview and sprite are made of the smallest rendition, which is cheap to decode, upright, in
steady frames and plain colors already; so they can be made at any time, of any ready clip.
"""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from videos.media import ffmpeg

POSTER_BYTES = 25_000
POSTER_QUALITIES = (80, 65, 50, 35, 20)
PLACEHOLDER_SIDE = 24
PREVIEW_SECONDS = 3
PREVIEW_FPS = 10
PREVIEW_BOX = (320, 480)
PREVIEW_BYTES = 150_000
PREVIEW_QUALITIES = (55, 30, 10)
SPRITE_COLUMNS = 10
TILE_BOX = (320, 320)
SPRITE_QUALITY = 60
BARE = ["-an", "-map_metadata", "-1", "-fflags", "+bitexact"]


def make_poster(picture: Path, target: Path) -> None:
    """Write ffmpeg's still as WebP, without metadata; a busy one is made coarser.

    A grid shows dozens of posters, and the feed waits for one.
    """
    with Image.open(picture, formats=["PNG"]) as image:
        plain = image.convert("RGB")
    for quality in POSTER_QUALITIES:
        plain.save(target, "WEBP", quality=quality, method=4)
        if target.stat().st_size <= POSTER_BYTES:
            return


@dataclass(frozen=True)
class Clip:
    """A rendition of our own to take stills of: its size in pixels, its length in seconds."""

    path: Path
    width: int
    height: int
    duration: float


def make_moving(clip: Clip, folder: Path) -> None:
    """Write `preview.webp` and `sprite.webp` into a folder: one call of ffmpeg makes both.

    Only where the preview of a restless clip comes out too large is it made again, coarser.

    Raises:
        FfmpegError: ffmpeg did not finish.
    """
    preview, sprite = folder / "preview.webp", folder / "sprite.webp"
    graph = f"[0:v]split=2[a][b];[a]{_preview(clip)}[preview];[b]{_sprite(clip)}[sprite]"
    command = ["-i", str(clip.path), "-filter_complex", graph]
    command += ["-map", "[preview]", *_animation(PREVIEW_QUALITIES[0]), str(preview)]
    command += ["-map", "[sprite]", *_picture(), str(sprite)]
    ffmpeg.run(command)
    for quality in PREVIEW_QUALITIES[1:]:
        if preview.stat().st_size <= PREVIEW_BYTES:
            break
        command = ["-i", str(clip.path), "-vf", _preview(clip)]
        ffmpeg.run([*command, *_animation(quality), str(preview)])


def _preview(clip: Clip) -> str:
    """Three seconds from near the beginning; the very first frames are often black."""
    start = min(1.0, max(0.0, clip.duration - PREVIEW_SECONDS))
    cut = f"trim={start:.3f}:{start + PREVIEW_SECONDS:.3f},setpts=PTS-STARTPTS"
    return f"{cut},fps={PREVIEW_FPS},{_fit(clip, PREVIEW_BOX)}"


def _sprite(clip: Clip) -> str:
    """The middle frame of each tenth; the last is repeated should rounding lose one.

    Of the frames of a step, `fps` rounds times to the nearest and takes the last: the middle one.
    """
    step = max(clip.duration, 0.1) / SPRITE_COLUMNS
    tiles = f"tpad=stop_mode=clone:stop={SPRITE_COLUMNS - 1},tile={SPRITE_COLUMNS}x1"
    return f"setpts=PTS-STARTPTS,fps=1/{step:.5f},{_fit(clip, TILE_BOX)},{tiles}"


def _fit(clip: Clip, box: tuple[int, int]) -> str:
    """Scale into a box, never up."""
    scale = min(1.0, box[0] / clip.width, box[1] / clip.height)
    width, height = (max(2, round(side * scale / 2) * 2) for side in (clip.width, clip.height))
    return f"scale={width}:{height}:flags=bicubic,setsar=1"


def _animation(quality: int) -> list[str]:
    options = ["-c:v", "libwebp_anim", "-quality", str(quality), "-compression_level", "3"]
    return [*BARE, *options, "-loop", "0", "-f", "webp"]


def _picture() -> list[str]:
    options = ["-frames:v", "1", "-c:v", "libwebp", "-quality", str(SPRITE_QUALITY)]
    return [*BARE, *options, "-f", "webp"]


def placeholder(picture: Path) -> str:
    """Return the picture at 24 pixels as a data URI of some hundred bytes."""
    with Image.open(picture) as image:
        tiny = image.convert("RGB")
        tiny.thumbnail((PLACEHOLDER_SIDE, PLACEHOLDER_SIDE), Image.Resampling.BOX)
        buffer = io.BytesIO()
        tiny.save(buffer, "WEBP", quality=45, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
