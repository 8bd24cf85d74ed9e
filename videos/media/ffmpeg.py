"""Run ffmpeg on what strangers sent: with limits, a deadline, and news of its progress."""

import tempfile
import threading
from collections.abc import Callable
from functools import cache
from typing import IO

import imageio_ffmpeg
from django.conf import settings

from videos.media import sandbox

# Memory allows for 16 megapixels at 10 bits in all of a codec's reference frames.
LIMITS = sandbox.Limits(memory=8 * 2**30, file_size=2**30, cpu=1800, niceness=5)
TIMEOUT_SECONDS = 900
MESSAGE_MAX = 2000
OnProgress = Callable[[float], None]


class FfmpegError(Exception):
    """ffmpeg did not finish. `killed` means by a signal or the deadline: not the file's fault."""

    def __init__(self, message: str, *, killed: bool) -> None:
        super().__init__(message)
        self.killed = killed


@cache
def program() -> str:
    """The ffmpeg to run: FFMPEG_PATH, or the one of the wheel."""
    return settings.FFMPEG_PATH or imageio_ffmpeg.get_ffmpeg_exe()


def run(arguments: list[str], on_progress: OnProgress | None = None) -> dict[str, str]:
    """Run ffmpeg to its end.

    Args:
        arguments: inputs, filters and outputs; the files must be local.
        on_progress: called with the seconds of the clip done so far, about twice a second.

    Returns:
        The last value of each `key=value` on its output: its progress, and what filters that
        measure (`ametadata=print:file=-`) found.

    Raises:
        FfmpegError: it failed or was ended; the message is ffmpeg's own.
    """
    command = [program(), "-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
    command += ["-progress", "pipe:1", "-stats_period", "0.5"]
    command += ["-protocol_whitelist", "file,pipe", "-format_whitelist", sandbox.FORMATS]
    command += ["-max_pixels", str(sandbox.MAX_PIXELS), *arguments]
    with tempfile.TemporaryFile() as messages:
        child = sandbox.start(command, LIMITS, stderr=messages.fileno())
        deadline = threading.Timer(TIMEOUT_SECONDS, child.kill)
        deadline.start()
        try:
            facts = _follow(child.stdout, on_progress) if child.stdout else {}
            code = child.wait()
        finally:
            deadline.cancel()
            sandbox.end(child)
        if code != 0:
            messages.seek(0)
            text = messages.read()[-MESSAGE_MAX:].decode(errors="replace").strip()
            raise FfmpegError(text or f"exit code {code}", killed=code < 0 or code > 128)
    return facts


def _follow(lines: IO[bytes], on_progress: OnProgress | None) -> dict[str, str]:
    facts = {}
    for line in lines:
        key, _, value = line.decode(errors="replace").strip().partition("=")
        facts[key] = value
        if on_progress and key == "out_time_us" and value.isdigit():
            on_progress(int(value) / 1e6)
    return facts
