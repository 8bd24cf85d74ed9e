"""What a rendition of our own making really is."""

from dataclasses import dataclass
from pathlib import Path

import av


@dataclass(frozen=True)
class Measured:
    """Sizes in pixels, duration in seconds, bitrate in bits a second."""

    width: int
    height: int
    duration: float
    size_bytes: int

    @property
    def bitrate(self) -> int:
        """Bits a second over the whole file."""
        return round(self.size_bytes * 8 / self.duration) if self.duration else 0


def measure(path: Path) -> Measured:
    """Read the index of a rendition. Raises ValueError when it has no picture."""
    size = path.stat().st_size
    if not size:
        raise ValueError("empty rendition")
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise ValueError("rendition without picture")
        stream = container.streams.video[0]
        context = stream.codec_context
        duration = float((stream.duration or 0) * (stream.time_base or 0))
        return Measured(context.width, context.height, duration, size)
