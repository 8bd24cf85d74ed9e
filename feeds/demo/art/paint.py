"""Brushes: coordinates, palettes, glows and masks on numpy arrays.

Positions are in units of half the height: y from -1 (top) to 1, x from -0.5625 to 0.5625.
A frame is an array of bytes (height, width, 3); a canvas is the same in floats from 0 to 1.
`u` is the phase of a loop, from 0 to 1.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

Array = NDArray[np.floating[Any]]
Frame = NDArray[np.uint8]

TAU = float(2 * np.pi)
WIDTH, HEIGHT = 360, 640


@lru_cache(maxsize=4)
def grid(width: int = WIDTH, height: int = HEIGHT) -> tuple[Array, Array]:
    """Return x of shape (1, width) and y of shape (height, 1)."""
    y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1) * (width / height)
    return x[None, :], y[:, None]


def polar(
    width: int = WIDTH, height: int = HEIGHT, cx: float = 0, cy: float = 0
) -> tuple[Array, Array]:
    """Return the distance from a center and the angle around it."""
    x, y = grid(width, height)
    return np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)


def phases(frames: int) -> Iterator[float]:
    """The moments of a loop."""
    return (i / frames for i in range(frames))


def color(code: str) -> Array:
    """`#rrggbb` as three floats."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def ramp(*codes: str, cyclic: bool = False) -> Frame:
    """A palette of 256 colors through the given ones, evenly spaced."""
    stops = np.array([color(code) for code in (*codes, codes[0]) if code or cyclic])
    stops = stops if cyclic else stops[:-1]
    at = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, 1) * 255).astype(np.uint8)


def shade(field: Any, palette: Frame) -> Frame:
    """Color a field of values from 0 to 1."""
    index = np.clip(field * 255, 0, 255).astype(np.uint8)
    return np.take(palette, index, axis=0)


def cycle(field: Any, palette: Frame) -> Frame:
    """Color a field around a cyclic palette: whole numbers meet."""
    return np.take(palette, np.floor(field * 256).astype(np.int32) & 255, axis=0)


def sky(*codes: str, width: int = WIDTH, height: int = HEIGHT, bend: float = 1) -> Array:
    """A canvas with a vertical gradient; `bend` above 1 keeps the upper colors longer."""
    column = np.linspace(0, 1, height) ** bend * 255
    shades = ramp(*codes).astype(np.float32)
    rows = np.stack([np.interp(column, np.arange(256), shades[:, c]) for c in range(3)], 1) / 255
    return np.repeat(rows[:, None, :], width, axis=1).astype(np.float32)


def smooth(field: Any, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, and an S between."""
    t = np.clip((field - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def ease(t: float) -> float:
    """0 to 1 with a soft start and a soft end."""
    t = min(max(t, 0.0), 1.0)
    return t * t * t * (t * (6 * t - 15) + 10)


def cover(canvas: Array, mask: Array, paint: Any) -> None:
    """Lay a color (or a canvas) over the canvas where the mask is 1."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return
    window = slice(rows[0], rows[-1] + 1)  # most layers touch a part of the rows only
    part = paint[window] if np.ndim(paint) == 3 and len(paint) == len(canvas) else paint
    canvas[window] += (part - canvas[window]) * mask[window, :, None]


def below(y: Array, top: Any, height: int = HEIGHT) -> Array:
    """A mask of what is below the line `top`, with a smooth edge."""
    return np.clip((y - top) * (height / 2) + 0.5, 0, 1)


@lru_cache(maxsize=256)
def _sprite(radius: int) -> Array:
    axis = np.arange(-radius, radius + 1, dtype=np.float32) / max(radius, 1)
    distance = np.hypot(axis[:, None], axis[None, :])
    return np.clip(1 - distance, 0, 1) ** 2.5


def disc(canvas: Array, x: float, y: float, radius: float, paint: Any) -> None:
    """Add an even round light, as a lamp out of focus."""
    height, width = canvas.shape[:2]
    xs, ys = grid(width, height)
    size = radius + 4 / height
    left, right = np.searchsorted(xs[0], [x - size, x + size])
    top, bottom = np.searchsorted(ys[:, 0], [y - size, y + size])
    distance = np.hypot(xs[:, left:right] - x, ys[top:bottom] - y)
    mask = np.clip((radius - distance) * height / 7, 0, 1)
    canvas[top:bottom, left:right] += mask[..., None] * paint


def glow(canvas: Array, x: float, y: float, radius: float, paint: Any) -> None:
    """Add a soft light; position and radius in units, the color may be brighter than 1."""
    height, width = canvas.shape[:2]
    size = max(1, round(radius * height / 2))
    column = round((x * height / width + 1) / 2 * width)
    row = round((y + 1) / 2 * height)
    left, top = max(column - size, 0), max(row - size, 0)
    right, bottom = min(column + size + 1, width), min(row + size + 1, height)
    if left >= right or top >= bottom:
        return
    sprite = _sprite(size)[
        top - row + size : bottom - row + size, left - column + size : right - column + size
    ]
    canvas[top:bottom, left:right] += sprite[..., None] * np.asarray(paint, np.float32)


def scatter_stars(canvas: Array, count: int, seed: int, bottom: float = 1) -> None:
    """Put a sky full of stars above the line `bottom`."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        light = random.uniform(0.15, 0.9) ** 2
        x, y = random.uniform(-0.57, 0.57), random.uniform(-1, bottom)
        glow(canvas, x, y, random.uniform(0.004, 0.012), np.array([0.9, 0.95, 1]) * light)


@lru_cache(maxsize=8)
def clouds(width: int, height: int, cells: int, seed: int, octaves: int = 4) -> Array:
    """Noise from 0 to 1 that tiles in both directions."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        across = cells * 2**octave
        down = max(1, round(across * height / width))
        lattice = random.random((down, across)).astype(np.float32)
        padded = np.pad(lattice, 2, mode="wrap")
        scale_x, scale_y = width / across, height / down
        size = (round(padded.shape[1] * scale_x), round(padded.shape[0] * scale_y))
        large = np.asarray(Image.fromarray(padded).resize(size, Image.Resampling.BICUBIC))
        x, y = round(2 * scale_x), round(2 * scale_y)
        total += large[y : y + height, x : x + width] / 2**octave
    total -= total.min()
    return total / total.max()


def to_frame(canvas: Array) -> Frame:
    """Turn a canvas into bytes; what is too bright is cut off."""
    return np.clip(canvas * 255 + 0.5, 0, 255).astype(np.uint8)


def to_image(canvas: Array) -> Image.Image:
    """Turn a canvas into a picture to draw on, larger so that edges come out smooth."""
    size = (WIDTH * 2, HEIGHT * 2)
    return Image.fromarray(to_frame(canvas)).resize(size, Image.Resampling.BILINEAR)


def place(x: Any, y: Any, image: Image.Image) -> Any:
    """Positions in units as pixels of a picture: an array (…, 2)."""
    half = image.height / 2
    return np.stack([np.asarray(x) * half + image.width / 2, np.asarray(y) * half + half], axis=-1)


def bloom(image: Image.Image, strength: float = 0.9, radius: float = 5) -> Frame:
    """Let what is bright shine into its surroundings."""
    small = image.reduce(4).filter(ImageFilter.BoxBlur(radius)).filter(ImageFilter.BoxBlur(radius))
    halo = small.point([min(255, int(v * strength)) for v in range(256)] * 3)
    halo = halo.resize(image.size, Image.Resampling.BILINEAR)
    return np.asarray(ImageChops.add(image, halo))
