"""Small clips made on the spot with the real ffmpeg."""

import functools
import subprocess
import tempfile
from pathlib import Path

from videos.media.ffmpeg import program

_KEPT = tempfile.TemporaryDirectory(prefix="loopy-clips-")  # removed at exit
FOLDER = Path(_KEPT.name)


@functools.cache
def clip(
    size: str = "180x320",
    seconds: float = 1.0,
    *,
    fps: int = 30,
    audio: bool = True,
    kind: str = "mp4",
) -> Path:
    """A clip with a moving picture and a tone; the same arguments give the same file."""
    path = FOLDER / f"{size}-{seconds}-{fps}-{audio}.{kind}"
    source = f"testsrc2=s={size}:r={fps}:d={seconds}"
    command = [program(), "-v", "error", "-y", "-f", "lavfi", "-i", source]
    if audio:
        command += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
    if kind in ("mp4", "mov", "mkv"):
        command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], check=True)
    return path


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg for a test."""
    subprocess.run([program(), "-v", "error", "-y", *arguments], check=True)
