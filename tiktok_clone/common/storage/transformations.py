"""What Cloudinary is asked to derive, by the last part of its name: `608x1080.mp4` or `….webp`.

The sizes stand in the name, so that a name says all that its address needs. A transformation
must never change: what is derived is found by it. A better one gets names of another form.
"""

import re

DERIVED = re.compile(r"(\d+)x(\d+)\.(mp4|webp)")
# Bits a second that a rendition may reach, by the short side, as our own ladder has them.
MAX_RATES = ((360, "800k"), (540, "1800k"), (720, "3000k"))
LARGEST_RATE = "5500k"


def derived_name(width: int, height: int, kind: str) -> str:
    """Return the last part of a name: `kind` is `mp4` for a rendition, `webp` for the poster."""
    return f"{width}x{height}.{kind}"


def transformation_of(derived: str) -> str:
    """Return the transformation of a derived name, its parts in alphabetical order.

    Raises:
        ValueError: the name is not one of `derived_name`.
    """
    match = DERIVED.fullmatch(derived)
    if match is None:
        raise ValueError(f"not a derived object: {derived!r}")
    width, height = int(match[1]), int(match[2])
    size = f"c_scale,h_{height}"
    if match[3] == "webp":
        return f"{size},so_auto,w_{width}"
    rate = next((rate for side, rate in MAX_RATES if min(width, height) <= side), LARGEST_RATE)
    return f"ac_aac,af_48000,br_{rate},{size},fps_-30,ki_2.0,vc_h264,w_{width}"


def same(one: str, other: str) -> bool:
    """Whether two spellings of a transformation mean the same: the order of parts does not."""
    return _parts(one) == _parts(other)


def _parts(text: str) -> list[frozenset[str]]:
    steps = [step for step in text.split("/") if not step.startswith("f_")]
    return [frozenset(step.split(",")) for step in steps]
