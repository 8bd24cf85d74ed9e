"""Look into one file and print what it is, as JSON. Runs in a process of its own.

    python -m videos.media.inspector FILE

It reads nothing but the file's bytes: not its name, not its extension. Whatever goes wrong in
here, a crash included, stays in here. It imports neither Django nor the settings.
"""

import json
import mmap
import re
import sys
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videos.media.sandbox import FORMATS, MAX_PIXELS, PROTOCOLS

OPTIONS = {
    "protocol_whitelist": PROTOCOLS,
    "format_whitelist": FORMATS,
    "max_pixels": str(MAX_PIXELS),
}
IMAGE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM.{12}\x28|II\*\x00|MM\x00\*|RIFF.{4}WEBP"
    rb"|.{4}ftyp(heic|heix|heim|heis|mif1|avif|avis)|\x00\x00\x01\x00",
    re.DOTALL,
)
# The boxes that say that an MP4's samples are encrypted, and how.
ENCRYPTED = re.compile(rb"schm.{4}(cenc|cens|cbc1|cbcs|piff)", re.DOTALL)


def main(path: Path) -> None:
    """Print facts, or `{"refusal": code}`."""
    json.dump(inspect(path), sys.stdout)


def inspect(path: Path) -> dict[str, Any]:
    """Return the facts about a file, or the code of a refusal."""
    if path.stat().st_size == 0:
        return {"refusal": "empty"}
    with path.open("rb") as file:
        if IMAGE.match(file.read(64)):
            return {"refusal": "image"}
    try:
        with av.open(str(path), options=OPTIONS) as container:
            return facts(container, path)
    except av.FFmpegError:
        return {"refusal": "not_a_video"}


def facts(container: InputContainer, path: Path) -> dict[str, Any]:
    """Return what an open container holds; decodes one frame, whose word counts more."""
    stream = main_video(container)
    if stream is None:
        return {"refusal": "no_video_stream"}
    if _is_encrypted(path):
        return {"refusal": "encrypted"}
    if stream.codec_context.width * stream.codec_context.height > MAX_PIXELS:
        return {"refusal": "too_many_pixels"}
    try:
        frame = next(container.decode(stream))
    except (av.FFmpegError, StopIteration):
        return {"refusal": "damaged"}
    if frame.width * frame.height > MAX_PIXELS:
        return {"refusal": "too_many_pixels"}
    duration = declared_duration(container, stream) or measured_duration(container, stream)
    if not duration:
        return {"refusal": "image"}
    return describe(container, stream, frame, duration)


def main_video(container: InputContainer) -> VideoStream | None:
    """The first picture track that is not a cover."""
    for stream in container.streams.video:
        if "attached_pic" not in str(stream.disposition).lower() and stream.codec_context:
            return stream
    return None


def describe(
    container: InputContainer, stream: VideoStream, frame: VideoFrame, duration: float
) -> dict[str, Any]:
    """Build the answer; sizes are as displayed, after sample aspect and rotation."""
    aspect = stream.sample_aspect_ratio
    width, height = frame.width, frame.height
    if aspect and 0.1 < aspect < 10:
        width = round(width * aspect)
    if abs(frame.rotation) % 180 == 90:
        width, height = height, width
    audio = next((a for a in container.streams.audio if a.codec_context), None)
    return {
        "stream": stream.index,
        "width": width,
        "height": height,
        "duration": duration,
        "fps": frame_rate(stream),
        "format": container.format.name,
        "video_codec": stream.codec_context.name,
        "rotation": frame.rotation,
        "transfer": int(frame.color_trc),
        "matrix": int(frame.colorspace),
        "audio_stream": audio.index if audio else None,
        "audio_codec": audio.codec_context.name if audio else None,
    }


def frame_rate(stream: VideoStream) -> str:
    """The steady rate as a fraction; a recording whose rate varies counts as 30."""
    average, base = stream.average_rate, stream.base_rate
    if not average or (base and not 0.9 < average / base < 1.1):
        return "30/1"
    rate = base or average
    return f"{rate.numerator}/{rate.denominator}"


def declared_duration(container: InputContainer, stream: VideoStream) -> float:
    """Seconds that should be there: an edit list shortens the container's, not the stream's."""
    known = []
    if container.duration:
        known.append(container.duration / av.time_base)
    if stream.duration and stream.time_base:
        known.append(float(stream.duration * stream.time_base))
    return min(known, default=0.0)


def measured_duration(container: InputContainer, stream: VideoStream) -> float:
    """Seconds by reading all packets; browsers record WebM without a length."""
    last = 0.0
    try:
        for packet in container.demux(stream):
            if packet.pts is not None and packet.time_base:
                last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except av.FFmpegError:
        return last
    return last


def _is_encrypted(path: Path) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return ENCRYPTED.search(data) is not None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
