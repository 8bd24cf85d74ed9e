"""Small pixels and few colors."""

from collections.abc import Iterator

import numpy as np

from feeds.demo.art.paint import (
    TAU,
    Frame,
    color,
    cover,
    cycle,
    grid,
    phases,
    polar,
    ramp,
    scatter_stars,
    shade,
    sky,
    to_frame,
)

_BAYER = (
    np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) + 0.5
) / 16


def outrun(frames: int) -> Iterator[Frame]:
    """A grid, a sun with stripes, and no speed limit."""
    x, y = grid()
    horizon = 0.12
    backdrop = sky("#0b0221", "#25084a", "#7a1470", "#ff4f8b", "#ffb56b")
    scatter_stars(backdrop, 90, 41, -0.15)
    radius, _ = polar(cy=-0.12)
    sun = np.clip((0.36 - radius) * 320, 0, 1)
    disc = shade(
        (y + 0.48) / 0.72 * np.ones_like(x), ramp("#fff275", "#ffb347", "#ff5e7e", "#d81e8f")
    )
    floor = (y > horizon).astype(np.float32) * np.ones_like(x)
    depth = 1 / np.maximum(y - horizon, 0.004)
    width = np.clip(depth * 0.011, 0, 1)
    uprights = np.abs(np.mod(x * depth * 1.05 + 0.5, 1) - 0.5)
    ridge = (
        0.1
        - 0.16 * np.abs(np.sin(x * 9 + 0.6) * np.sin(x * 4.1 + 2))
        - 0.02 * np.abs(np.sin(x * 31))
    )
    ridge += 0.05 * np.exp(-((x / 0.16) ** 2))
    for u in phases(frames):
        canvas = backdrop.copy()
        stripes = np.mod((y + 0.12) * 13 + 2 * u, 1)
        gaps = (stripes < np.clip((y + 0.2) * 1.4, 0, 0.62)).astype(np.float32)
        cover(canvas, sun * (1 - gaps), disc.astype(np.float32) / 255)
        canvas += np.exp(-radius * 3.4)[..., None] * color("#ff3d8b") * 0.3
        cover(canvas, np.clip((y - ridge) * 320 + 0.5, 0, 1), color("#1a0638"))
        cover(canvas, floor, color("#12042c"))
        across = np.abs(np.mod(depth * 0.9 + 6 * u, 1) - 0.5)
        rungs = np.clip(1.5 - (0.5 - across) / np.clip(width * depth * 0.11, 0.012, 1), 0, 1)
        rails = np.clip(1.6 - uprights / width * 0.8, 0, 1)
        fade = np.exp(-depth * 0.035) * floor
        lines = np.maximum(rungs, rails) * fade
        canvas += lines[..., None] * color("#2de2ff")
        canvas += (np.exp(-np.abs(y - horizon) * 16) * 0.7 * np.ones_like(x))[..., None] * color(
            "#ff4fb0"
        )
        yield to_frame(canvas)


def plasma(frames: int) -> Iterator[Frame]:
    """Plasma, as in the demos of old, with eight colors and a dither."""
    width, height = 90, 160
    x, y = grid(width, height)
    inks = np.array(
        [color(c) * 255 for c in ("#1a1c2c", "#5d275d", "#b13e53", "#ef7d57", "#ffcd75", "#a7f070", "#38b764", "#257179")]
    ).astype(np.uint8)  # fmt: skip
    threshold = np.tile(_BAYER, (height // 4, width // 4 + 1))[:, :width]
    for u in phases(frames):
        cx, cy = 0.3 * np.sin(TAU * u), 0.6 * np.cos(TAU * u)
        field = np.sin(x * 7 + TAU * u) + np.sin((y + x) * 5 - TAU * u)
        field = field + np.sin(np.hypot(x - cx, y - cy) * 11 - TAU * 2 * u)
        level = (field * 0.55 + 1.7 + 8 * u) + threshold - 0.5
        yield inks[np.floor(level).astype(int) % 8]


def terminal(frames: int) -> Iterator[Frame]:
    """Signs rain down a screen."""
    columns, rows = 30, 32
    random = np.random.default_rng(101)
    font = random.random((64, 5, 3)) < 0.55
    signs = random.integers(0, 64, (rows, columns))
    start, pace = random.random((columns, 2)), random.integers(1, 4, (columns, 2))
    palette = ramp("#020a06", "#043318", "#0a7a35", "#35d96a", "#b8ffcf", "#ffffff")
    line = np.arange(rows)[:, None]
    change = random.integers(0, 12, (rows, columns))
    for i, u in enumerate(phases(frames)):
        light = np.zeros((rows, columns), np.float32)
        for stream in range(2):
            head = ((start[:, stream] + pace[:, stream] * u) % 1) * rows
            behind = np.mod(head[None, :] - line, rows)
            light = np.maximum(light, np.exp(-behind * 0.16) * 0.72 + (behind < 1) * 0.28)
        picked = font[(signs + (change == 0) * (i // 4 % 8)) % 64]
        block = np.zeros((rows, 6, columns, 4), np.float32)
        block[:, :5, :, :3] = picked.transpose(0, 2, 1, 3)
        screen = block.reshape(rows * 6, columns * 4) * np.repeat(np.repeat(light, 6, 0), 4, 1)
        yield shade(screen[:192, :120][:, 6:114], palette)


def maze(frames: int) -> Iterator[Frame]:
    """A maze is flooded with color."""
    across, down = 45, 80
    random = np.random.default_rng(64)
    field = np.full((down * 2 + 1, across * 2 + 1), -1, np.int32)
    path, field[1, 1] = [(1, 1)], 0
    while path:
        r, c = path[-1]
        ways = [
            (r + dr, c + dc)
            for dr, dc in ((2, 0), (-2, 0), (0, 2), (0, -2))
            if 0 < r + dr < down * 2 and 0 < c + dc < across * 2 and field[r + dr, c + dc] < 0
        ]
        if not ways:
            path.pop()
            continue
        nr, nc = ways[int(random.integers(len(ways)))]
        field[(r + nr) // 2, (c + nc) // 2] = field[r, c] + 1
        field[nr, nc] = field[r, c] + 2
        path.append((nr, nc))
    steps = field[:160, :90].astype(np.float32)
    walls = steps < 0
    hues = ramp(
        "#0d1b2a",
        "#1b4965",
        "#5fa8d3",
        "#bee9e8",
        "#ffd6a5",
        "#ff9b85",
        "#aa6373",
        "#40344f",
        cyclic=True,
    )
    for u in phases(frames):
        picture = cycle(steps / 640 - u, hues)
        picture[walls] = (8, 10, 22)
        yield picture


def julia(frames: int) -> Iterator[Frame]:
    """The set of Julia for a number that walks around a circle."""
    x, y = grid(180, 320)
    palette = ramp(
        "#03071e", "#370617", "#9d0208", "#e85d04", "#ffba08", "#fff8d6", "#3a86ff", "#03071e"
    )
    start = ((y * 1.25) + 1j * (x * 1.25)).astype(np.complex64)
    for u in phases(frames):
        c = np.complex64(0.7885 * np.exp(1j * TAU * (0.34 + 0.06 * np.sin(TAU * u))))
        z = start.copy()
        light = np.zeros(z.shape, np.float32)
        for _ in range(26):
            z = z * z + c
            size = z.real**2 + z.imag**2
            light += np.exp(-size)
            np.clip(z.real, -8, 8, out=z.real)
            np.clip(z.imag, -8, 8, out=z.imag)
        yield shade(np.clip(light / 20, 0, 1), palette)
