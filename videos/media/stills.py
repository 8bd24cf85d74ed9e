"""Pictures of a clip: the poster, and a placeholder small enough to stand in the page."""

import base64
import io
from pathlib import Path

from PIL import Image

PLACEHOLDER_SIDE = 24


def make_poster(picture: Path, target: Path) -> None:
    """Write ffmpeg's still as WebP, without metadata."""
    with Image.open(picture, formats=["PNG"]) as image:
        image.convert("RGB").save(target, "WEBP", quality=80, method=4)


def placeholder(picture: Path) -> str:
    """Return the picture at 24 pixels as a data URI of some hundred bytes."""
    with Image.open(picture) as image:
        tiny = image.convert("RGB")
        tiny.thumbnail((PLACEHOLDER_SIDE, PLACEHOLDER_SIDE), Image.Resampling.BOX)
        buffer = io.BytesIO()
        tiny.save(buffer, "WEBP", quality=45, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
