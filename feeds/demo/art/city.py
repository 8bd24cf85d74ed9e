"""The city at night."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from feeds.demo.art.paint import (
    HEIGHT,
    TAU,
    WIDTH,
    Array,
    Frame,
    clouds,
    color,
    cover,
    disc,
    glow,
    grid,
    phases,
    polar,
    scatter_stars,
    sky,
    smooth,
    to_frame,
)

_LAMPS = ("#ffd28a", "#ffb45e", "#fff0c4", "#8fd8ff", "#ff8fb8")


def _towers(random: np.random.Generator, base: int) -> tuple[Image.Image, Image.Image]:
    """A picture of the buildings and one of their windows: color, and phase as brightness."""
    walls = Image.new("RGBA", (WIDTH, base))
    panes = Image.new("RGBA", (WIDTH, base))
    wall, pane = ImageDraw.Draw(walls), ImageDraw.Draw(panes)
    for layer, (tint, low, high) in enumerate(
        [("#1c2150", 150, 300), ("#141843", 90, 240), ("#0c0f30", 50, 170)]
    ):
        left = -8
        while left < WIDTH:
            width, tall = int(random.integers(26, 54)), int(random.integers(low, high))
            top = base - tall
            wall.rectangle((left, top, left + width, base), fill=tint)
            pane.rectangle((left, top, left + width, base), fill=(0, 0, 0, 0))
            if random.random() < 0.35:
                wall.line((left + width // 2, top - 22, left + width // 2, top), fill=tint, width=2)
            for row in range(top + 6, base - 6, 9):
                for column in range(left + 5, left + width - 5, 7):
                    if random.random() < 0.2 + 0.16 * layer:
                        lamp = color(_LAMPS[int(random.choice(5, p=(0.4, 0.3, 0.15, 0.1, 0.05)))])
                        fill = (*(int(v * 255) for v in lamp), int(random.integers(30, 256)))
                        pane.rectangle((column, row, column + 3, row + 4), fill=fill)
            left += width + int(random.integers(-3, 5))
    return walls, panes


def skyline(frames: int) -> Iterator[Frame]:
    """Towers over a river; windows go on and off."""
    random = np.random.default_rng(12)
    base = 440
    backdrop = sky("#070a24", "#121646", "#3a2a72", "#8a4b8f", height=base)
    scatter_stars(backdrop, 90, 3, 0.2)
    radius, _ = polar(WIDTH, base, 0.3, -0.55)
    cover(backdrop, np.clip((0.13 - radius) * 220, 0, 1), color("#fdf3d7"))
    backdrop += np.exp(-radius * 5)[..., None] * color("#8c7cc8") * 0.35
    walls, panes = _towers(random, base)
    wall = np.asarray(walls, np.float32) / 255
    pane = np.asarray(panes, np.float32) / 255
    cover(backdrop, wall[..., 3], wall[..., :3])
    lamps, phase = pane[..., :3], pane[..., 3]
    rows = np.arange(HEIGHT - base)
    x, _ = grid()
    for u in phases(frames):
        lit = smooth(np.sin(TAU * (u + phase * 7)) + phase * 1.6, -0.35, 0.15) * (phase > 0)
        city = backdrop + (lamps - backdrop) * (lit * 0.95)[..., None]
        blink = max(0.0, float(np.sin(TAU * 4 * u)))
        for tower in (-0.38, -0.05, 0.31):
            glow(city, tower, -0.36 + tower * 0.3, 0.03, color("#ff3b4e") * blink)
        glow(city, 0.7 - 1.4 * u, -0.82 + 0.12 * u, 0.016, color("#ffffff") * (0.5 + 0.5 * blink))
        canvas = np.empty((HEIGHT, WIDTH, 3), np.float32)
        canvas[:base] = city
        wave = np.sin(rows * 0.42 - TAU * 3 * u) * (1.5 + rows * 0.03)
        mirror = np.clip(base - 1 - rows * 1.35 + wave, 0, base - 1).astype(int)
        canvas[base:] = city[mirror] * 0.5 + color("#0a0e30") * 0.5
        shift = (np.sin(rows * 0.3 + TAU * 2 * u) * (1 + rows * 0.025)).astype(int)
        columns = (np.arange(WIDTH)[None, :] + shift[:, None]) % WIDTH
        canvas[base:] = np.take_along_axis(canvas[base:], columns[..., None], 1)
        yield to_frame(canvas)


def rain_window(frames: int) -> Iterator[Frame]:
    """City lights through a wet window."""
    random = np.random.default_rng(21)
    lights = [
        (random.uniform(-0.6, 0.6), random.uniform(-0.7, 0.9), random.uniform(0.07, 0.2),
         color(str(random.choice(["#ff7a59", "#ffc15e", "#5ec8ff", "#ff5e9c", "#7dffb0"]))),
         random.random())
        for _ in range(26)
    ]  # fmt: skip
    still = random.uniform((10, 10, 3), (WIDTH - 10, HEIGHT - 10, 8), (130, 3))
    runs = random.uniform((12, 0, 6, 0), (WIDTH - 12, 1, 10, 1), (11, 4))
    dusk = sky("#0c1230", "#1a1c4a", "#2a1d4f", "#14102c")
    for u in phases(frames):
        scene = dusk.copy()
        for lx, ly, size, tint, phase in lights:
            shine = 0.2 + 0.16 * np.sin(TAU * (u + phase))
            drift = 0.03 * float(np.sin(TAU * (u + phase)))
            disc(scene, lx + drift, ly, size, tint * np.float32(shine))
        canvas = scene.copy()
        for px, py, size in still:
            _drop(canvas, scene, px, py, size)
        for px, start, size, wobble in runs:
            fall = (start + u) % 1
            py = (fall + 0.04 * np.sin(TAU * 3 * fall)) * (HEIGHT + 120) - 60
            sway = px + 5 * np.sin(py * 0.03 + wobble * 9)
            for k in range(7):
                behind = py - k * 15 - 12
                _drop(
                    canvas,
                    scene,
                    px + 5 * np.sin(behind * 0.03 + wobble * 9),
                    behind,
                    3.2 - k * 0.3,
                )
            _drop(canvas, scene, sway, py, size)
        yield to_frame(canvas)


def _drop(canvas: Array, scene: Array, px: float, py: float, size: float) -> None:
    """A drop shows what is behind it upside down."""
    r = max(2, round(size))
    cx, cy = round(px), round(py)
    if not (r < cx < WIDTH - r - 1 and r < cy < HEIGHT - r - 1):
        return
    axis = np.arange(-r, r + 1, dtype=np.float32)
    bulge = np.hypot(axis[:, None] * 0.86, axis[None, :]) / size
    mask = np.clip((1 - bulge) * size, 0, 1)
    rows = np.clip(cy - axis.astype(int) * 9, 0, HEIGHT - 1)
    columns = np.clip(cx - axis.astype(int) * 7, 0, WIDTH - 1)
    lens = scene[np.ix_(rows, columns)] * 1.35 + 0.05
    lens += (np.clip(-axis[:, None] / r, 0, 1) * (1 - bulge))[..., None] * 0.28
    patch = canvas[cy - r : cy + r + 1, cx - r : cx + r + 1]
    patch += (lens * (1.08 - 0.45 * bulge**3)[..., None] - patch) * mask[..., None]


def highway(frames: int) -> Iterator[Frame]:
    """Two streams of light on a road into the hills."""
    x, y = grid()
    backdrop = sky("#0a0d2e", "#1d1b54", "#5a2f72", "#c75b6e", "#1a1233", "#0c0a1d", bend=0.9)
    scatter_stars(backdrop, 80, 8, -0.45)
    for i, tint in enumerate(("#2b1f52", "#1b163d", "#110e29")):
        top = -0.12 + i * 0.07 + 0.07 * np.sin(x * (4 + 2 * i) + i * 2) + 0.02 * np.sin(x * 19 + i)
        cover(backdrop, np.clip((y - top) * 320 + 0.5, 0, 1), color(tint))
    random = np.random.default_rng(5)

    def road(depth: float, lane: float) -> tuple[float, float, float]:
        near = depth**2.6
        bend = 0.3 * np.sin(depth * 3.6 + 0.7) * (1 - depth * 0.45)
        return bend + lane * (0.012 + 0.5 * near), 0.02 + 1.05 * near, 0.008 + 0.07 * near

    cars = [(k / 26 + random.uniform(-0.012, 0.012), 1 if k % 2 else 2) for k in range(26)]
    for depth in np.linspace(0, 1, 160):
        cx, cy, size = road(float(depth), 0)
        glow(backdrop, cx, cy, size * 7, color("#ff9a5e") * 0.012)
    for u in phases(frames):
        canvas = backdrop.copy()
        for start, pace in cars:
            for way, light in ((1, color("#fff2d0")), (-1, color("#ff2f45"))):
                s = (start + (way if way > 0 else -1) * u * pace) % 1
                for k in range(9):
                    d = s - way * k * 0.006
                    if not 0 < d < 1:
                        continue
                    lane = (0.22 + 0.24 * (pace - 1)) * (-way)
                    cx, cy, size = road(d, lane)
                    fade = (1 - k / 9) * min(1.0, d * 6)
                    for side in (-0.07, 0.07):
                        glow(
                            canvas,
                            cx + side * d**2.6,
                            cy,
                            size * (1 - k * 0.06),
                            light * 0.55 * fade,
                        )
        yield to_frame(canvas)


def night_train(frames: int) -> Iterator[Frame]:
    """A lit train crosses the bridge."""
    base, random = 400, np.random.default_rng(2)
    backdrop = sky("#061224", "#0d2440", "#1d4a63", "#3f7c84", height=base)
    scatter_stars(backdrop, 110, 11, 0.1)
    radius, _ = polar(WIDTH, base, -0.25, -0.5)
    cover(backdrop, np.clip((0.17 - radius) * 200, 0, 1), color("#f4f1dc"))
    backdrop += np.exp(-radius * 4)[..., None] * color("#7fb8c0") * 0.3
    ridge = clouds(WIDTH, 64, 3, 6)[20]
    rows = np.arange(base)[:, None]
    cover(backdrop, np.clip(rows - (285 - ridge * 70)[None, :], 0, 1), color("#12324a"))
    cover(
        backdrop, np.clip(rows - (345 - np.roll(ridge, 120) * 60)[None, :], 0, 1), color("#0b2438")
    )
    bridge = Image.new("L", (WIDTH * 2, base * 2))
    draw = ImageDraw.Draw(bridge)
    draw.rectangle((0, 640, WIDTH * 2, 668), fill=255)
    for pillar in range(-1, 5):
        left = pillar * 180 + 20
        draw.rectangle((left, 640, left + 28, base * 2), fill=255)
        draw.pieslice((left + 28, 668, left + 180, 820), 180, 360, fill=0)
    mask = np.asarray(bridge.reduce(2), np.float32) / 255
    coach = np.zeros((26, 120, 3), np.float32) + color("#26323f")
    coach[:, 116:] = color("#101820")
    coach[3:] += color("#000000")
    for k in range(7):
        coach[7:18, 7 + k * 15 : 17 + k * 15] = color("#ffd98a") * random.uniform(0.85, 1.05)
    coach[22:24, :116] = color("#e0554f")
    strip = np.tile(coach, (1, WIDTH // 120 + 1, 1))
    below_rows = np.arange(HEIGHT - base)
    for u in phases(frames):
        scene = backdrop.copy()
        shift = int(u * 480) % 120
        scene[294:320] = strip[:, shift : shift + WIDTH]
        scene[280:294] += color("#ffcf7a") * 0.05
        cover(scene, mask, color("#081a2a"))
        canvas = np.empty((HEIGHT, WIDTH, 3), np.float32)
        canvas[:base] = scene
        wave = np.sin(below_rows * 0.5 - TAU * 2 * u) * (1 + below_rows * 0.025)
        mirror = np.clip(base - 1 - below_rows * 1.2 + wave, 0, base - 1).astype(int)
        canvas[base:] = scene[mirror] * 0.62 + color("#05141f") * 0.3
        streak = smooth(np.sin(below_rows * 0.9 + TAU * 3 * u), 0.3, 1)[:, None] * 0.05
        canvas[base:] += streak[..., None] * color("#bfeef0")
        yield to_frame(canvas)
