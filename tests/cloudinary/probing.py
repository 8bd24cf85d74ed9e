"""What a file is: its format, size and length."""

from dataclasses import dataclass, replace
from pathlib import Path

import av
from PIL import Image

from tests.cloudinary.refusals import RefusalError

FORMATS = {"jpeg": "jpg", "mpo": "jpg", "mpegts": "ts"}


@dataclass(frozen=True)
class Facts:
    """What is known of a file. Sizes in pixels as it is shown, rates in bits per second."""

    format: str = ""
    width: int = 0
    height: int = 0
    duration: float = 0.0
    bit_rate: int = 0
    frame_rate: float = 0.0
    frames: int = 0
    video_codec: str = ""
    audio_codec: str = ""
    rotation: int = 0


def probe(path: Path, kind: str, name: str) -> Facts:
    """Look into a file.

    Args:
        kind: "video", "image" or "raw", of which nothing is known.
        name: the name under which it was sent; only its extension counts.

    Raises:
        RefusalError: it is not of this kind.
    """
    if kind == "image":
        return _image(path)
    if kind == "video":
        return _video(path)
    return Facts(format=Path(name).suffix[1:])


def kind_of(path: Path) -> str:
    """The resource type of a file that was sent as "auto"."""
    for kind in ("image", "video"):
        try:
            probe(path, kind, "")
        except RefusalError:
            continue
        return kind
    return "raw"


def _image(path: Path) -> Facts:
    try:
        with Image.open(path) as image:
            image.load()
            kind = (image.format or "").lower()
            return Facts(FORMATS.get(kind, kind), image.width, image.height)
    except (OSError, ValueError, SyntaxError):
        raise RefusalError(400, "Invalid image file") from None


def _video(path: Path) -> Facts:
    try:
        with av.open(str(path)) as container:
            return _stream_facts(container)
    except (av.FFmpegError, ValueError, StopIteration):
        raise RefusalError(400, "Unsupported video format or file") from None


def _stream_facts(container: av.container.InputContainer) -> Facts:
    if container.format.name.endswith("_pipe"):
        raise ValueError("an image")
    if not container.streams.video and not container.streams.audio:
        raise ValueError("neither picture nor sound")
    facts = Facts(
        format=_format(container),
        duration=round((container.duration or 0) / av.time_base, 6),
        bit_rate=container.bit_rate or 0,
    )
    if container.streams.audio:
        facts = replace(facts, audio_codec=container.streams.audio[0].codec_context.name)
    if not container.streams.video:
        return facts
    stream = container.streams.video[0]
    frame = next(container.decode(stream))
    width, height = frame.width, frame.height
    if frame.rotation % 180:
        width, height = height, width
    return replace(
        facts,
        width=width,
        height=height,
        rotation=frame.rotation % 360,
        frame_rate=float(stream.average_rate or 0),
        frames=stream.frames,
        video_codec=stream.codec_context.name,
    )


def _format(container: av.container.InputContainer) -> str:
    name = container.format.name
    if "mp4" in name:
        return "mov" if container.metadata.get("major_brand", "").strip() == "qt" else "mp4"
    if "matroska" in name:
        codecs = {stream.codec_context.name for stream in container.streams.video}
        return "webm" if codecs & {"vp8", "vp9", "av1", "libdav1d"} else "mkv"
    first = name.split(",")[0]
    return FORMATS.get(first, first)
