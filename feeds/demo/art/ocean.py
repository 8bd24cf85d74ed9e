"""Water."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import ImageDraw

from feeds.demo.art.paint import (
    TAU,
    Array,
    Frame,
    below,
    color,
    cover,
    glow,
    grid,
    phases,
    place,
    polar,
    ramp,
    shade,
    sky,
    smooth,
    to_frame,
    to_image,
)


def tidepool(frames: int) -> Iterator[Frame]:
    """The net of light at the bottom of shallow water."""
    x, y = grid(216, 384)
    palette = ramp("#04293a", "#06536b", "#0a8a94", "#3cc4b4", "#a8f0d8", "#fffdf0")
    px, py = x * 5.2 + 0 * y, y * 5.2 + 0 * x
    for u in phases(frames):
        qx, qy, light = px, py, np.zeros_like(px)
        for turn in (1, -1, 2):
            t = TAU * turn * u + turn * 1.7
            qx, qy = (
                px + np.cos(t - qx) + np.sin(t * 0 + TAU * u + qy),
                py + np.sin(t - qy) + np.cos(TAU * u + qx),
            )
            light = light + 1 / (0.18 + np.abs(np.sin(qx + TAU * u) + np.cos(qy)))
        yield shade((light / 13) ** 1.1 * (1.02 - 0.2 * y), palette)


def golden_sea(frames: int) -> Iterator[Frame]:
    """The sun, low over a calm sea."""
    x, y = grid()
    backdrop = sky("#2b1b54", "#7a2f6b", "#e0655b", "#ffb36b", "#ffe3a1")
    radius, _ = polar(cy=0.02)
    backdrop += (np.exp(-radius * 3.2)[..., None]) * color("#ff9a4a") * 0.55
    cover(backdrop, np.clip((0.2 - radius) * 320, 0, 1), color("#fff3c9"))
    horizon, depth = 0.12, 1 / np.maximum(y - 0.12 + 0.045, 0.02)
    water = backdrop[::-1][: backdrop.shape[0]] * 0.25 + sky("#ffb36b", "#b0486a", "#2b1b54") * 0.5
    sea = (y > horizon) * np.ones_like(x)
    path = np.exp(-((x / (0.1 + (y - horizon) * 0.34)) ** 2))
    for u in phases(frames):
        swell = np.sin(x * depth * 2.4 + np.sin(depth * 2.1 + TAU * u) * 2 + TAU * u)
        ripple = np.sin(depth * 7 + TAU * 2 * u + np.sin(x * 9 + TAU * u) * 1.5)
        sparkle = smooth(swell * 0.5 + ripple * 0.6, 0.05, 0.75)
        canvas = backdrop.copy()
        cover(canvas, sea, water * (0.92 + 0.1 * (swell * ripple))[..., None])
        canvas += (sparkle * path * sea)[..., None] * color("#ffd890") * 0.95
        yield to_frame(canvas)


def _jelly(canvas: Array, x0: float, y0: float, size: float, beat: float, tint: Array) -> None:
    height, width = canvas.shape[:2]
    x, y = grid(width, height)
    left, right = np.searchsorted(x[0], [x0 - 1.7 * size, x0 + 1.7 * size])
    top, bottom = np.searchsorted(y[:, 0], [y0 - 1.4 * size, y0 + 4.2 * size])
    x, y = x[:, left:right], y[top:bottom]
    wide, tall = size * (1.02 - 0.16 * beat), size * (0.9 + 0.14 * beat)
    bell = np.hypot((x - x0) / wide, (y - y0) / tall)
    inside = np.clip((1 - bell) * 18, 0, 1) * np.clip((y0 + 0.12 * size - y) / size * 14, 0, 1)
    rim = np.exp(-(((bell - 0.95) * 9) ** 2)) + 0.34 * np.exp(-(((bell - 0.55) * 6) ** 2))
    light = inside * (0.3 + rim)
    drop = np.clip((y - y0) / size, 0, 4)
    for k in range(7):
        sway = np.sin(drop * 2.4 - TAU * beat * 0.5 + k * 0.9) * 0.16 * drop * size
        line = x0 + (k - 3) * wide * 0.27 + sway
        thin = np.exp(-(((x - line) / (0.012 + 0.006 * (k % 2))) ** 2))
        light = light + 0.42 * thin * np.clip(drop * 8, 0, 1) * np.exp(
            -drop * (0.7 + 0.2 * (k % 3))
        )
    canvas[top:bottom, left:right] += light[..., None] * tint


def jellyfish(frames: int) -> Iterator[Frame]:
    """Jellyfish glow in the deep."""
    random = np.random.default_rng(4)
    water = sky("#0b3b63", "#072447", "#050f2b", "#03061a", width=270, height=480)
    motes = random.uniform((-0.56, -1, 0.004, 1), (0.56, 1, 0.014, 3), (70, 4))
    swarm = [
        (-0.2, 0.05, 0.27, 0.0, color("#ff8fd8")),
        (0.28, -0.5, 0.17, 0.4, color("#8fd0ff")),
        (0.24, 0.42, 0.13, 0.7, color("#b79bff")),
    ]
    for u in phases(frames):
        canvas = water.copy()
        for mx, my, size, pace in motes:
            rise = (my - 2 * round(pace) * u + 1) % 2 - 1
            glow(canvas, mx + 0.02 * np.sin(TAU * (u + my)), rise, size, color("#7fc4ff") * 0.4)
        for x0, y0, size, phase, tint in swarm:
            beat = 0.5 + 0.5 * np.sin(TAU * (2 * u + phase))
            drift = 0.07 * np.sin(TAU * (u + phase))
            _jelly(canvas, x0 + 0.5 * drift, y0 - drift - 0.03 * beat, size, float(beat), tint)
        yield to_frame(canvas)


_SHOAL = (
    # row, size, speed (whole numbers keep the loop), phase, body, fin
    (-0.62, 0.10, 1, 0.10, "#ff9f43", "#ffd29a"),
    (-0.30, 0.14, -1, 0.55, "#ff5d6c", "#ffc1c7"),
    (-0.02, 0.08, 2, 0.30, "#ffe066", "#fff4bd"),
    (0.06, 0.08, 2, 0.42, "#ffe066", "#fff4bd"),
    (0.12, 0.08, 2, 0.24, "#ffe066", "#fff4bd"),
    (0.38, 0.17, 1, 0.80, "#5b7cfa", "#b6c5ff"),
    (0.66, 0.09, -2, 0.05, "#43d9ad", "#c1f7e5"),
)


def _fish(draw: ImageDraw.ImageDraw, image: object, fish: tuple[Any, ...], u: float) -> None:
    row, size, speed, phase, body, fin = fish
    way = 1 if speed > 0 else -1
    x0 = ((phase + speed * u) % 1) * 1.7 - 0.85
    y0 = row + 0.025 * np.sin(TAU * (u * 2 + phase))
    wag = 0.35 * np.sin(TAU * (u * 10 + phase))
    angle = np.linspace(0, TAU, 40)
    outline = (x0 + size * np.cos(angle), y0 + size * 0.52 * np.sin(angle))
    tail_x = np.array([-0.8, -1.5, -1.3, -1.5]) * size * way + x0
    tail_y = y0 + size * (np.array([0, -0.5, 0, 0.5]) + np.array([0, wag, wag * 0.5, wag]) * 0.6)
    back_x = x0 + way * size * np.array([0.3, -0.25, -0.55])
    back_y = y0 + size * np.array([-0.4, -0.82 + wag * 0.1, -0.3])

    def spots(x: object, y: object) -> list[tuple[float, float]]:
        return [tuple(p) for p in place(x, y, image)]  # type: ignore[arg-type]

    draw.polygon(spots(tail_x, tail_y), fill=fin)
    draw.polygon(spots(back_x, back_y), fill=fin)
    draw.polygon(spots(*outline), fill=body)
    stripe = (x0 + way * size * (0.12 + 0.09 * np.cos(angle)), y0 + size * 0.49 * np.sin(angle))
    draw.polygon(spots(*stripe), fill=fin)
    for width, tint in ((0.13, "#ffffff"), (0.07, "#1b1b2f")):
        (left, top), (right, bottom) = spots(
            [x0 + size * (0.6 * way - width), x0 + size * (0.6 * way + width)],
            [y0 - size * (0.12 + width), y0 - size * (0.12 - width)],
        )
        draw.ellipse((left, top, right, bottom), fill=tint)


def aquarium(frames: int) -> Iterator[Frame]:
    """Fish, weed and bubbles."""
    x, y = grid(180, 320)
    random = np.random.default_rng(9)
    weeds = random.uniform((-0.56, 0.3, 0), (0.56, 0.85, 1), (13, 3))
    bubbles = random.uniform((-0.5, 0, 0.008, 1), (0.5, 1, 0.022, 3), (26, 4))
    tank = sky("#2fd3d8", "#1798b8", "#0c5c8c", "#0a3a66", width=180, height=320)
    for u in phases(frames):
        water = tank.copy()
        rays = np.sin((x + y * 0.35) * 9 + TAU * u) + np.sin((x + y * 0.3) * 17 - TAU * u + 2)
        water += (smooth(rays, 0.2, 2) * np.clip(0.75 - y, 0, 2))[..., None] * 0.1
        image = to_image(water)
        draw = ImageDraw.Draw(image)
        beach = np.linspace(-0.6, 0.6, 40)
        shore = [
            *zip(beach, 0.86 + 0.03 * np.sin(beach * 7 + 1), strict=True),
            (0.6, 1.1),
            (-0.6, 1.1),
        ]
        draw.polygon([tuple(place(*spot, image)) for spot in shore], fill="#e8c88f")
        for root, length, phase in weeds:
            s = np.linspace(0, 1, 14)
            sway = 0.07 * np.sin(TAU * (u + phase) + s * 4) * s
            stem = place(root + sway, 0.98 - length * s, image)
            tint = ("#0e7a5f", "#14976b", "#0b5f55")[int(phase * 3)]
            for (ax, ay), part in zip(stem, s, strict=True):
                thick = 15 * (1 - part) + 4
                draw.ellipse((ax - thick, ay - thick * 2, ax + thick, ay + thick * 2), fill=tint)
        for fish in _SHOAL:
            _fish(draw, image, fish, u)
        for bx, start, size, pace in bubbles:
            rise = 1.05 - 2.1 * ((start + round(pace) * u) % 1)
            cx, cy = place(bx + 0.02 * np.sin(TAU * (u * 2 + start)), rise, image)
            r = size * 640
            draw.ellipse((cx - r, cy - r, cx + r, cy + r), outline="#c9fbff", width=2)
            draw.ellipse((cx - r * 0.5, cy - r * 0.6, cx - r * 0.1, cy - r * 0.2), fill="#e9feff")
        yield np.asarray(image)


def paper_waves(frames: int) -> Iterator[Frame]:
    """Waves cut from paper, one behind the other."""
    width, height = 252, 448
    x, y = grid(width, height)
    backdrop = sky("#ffd6c2", "#ffb8a8", "#ff9a9a", "#ff8c94", width=width, height=height)
    radius, _ = polar(width, height, cy=-0.28)
    cover(backdrop, np.clip((0.3 - radius) * height / 2, 0, 1), color("#fff1d6"))
    tints = [color(c) for c in ("#f2748c", "#b65c9a", "#6f56a3", "#3f5299", "#23457f", "#122b56")]
    for u in phases(frames):
        canvas = backdrop.copy()
        for i, tint in enumerate(tints):
            way = 1 if i % 2 else -1
            top = (
                -0.22
                + i * 0.2
                + 0.06 * np.sin(x * (5.5 - 0.4 * i) + way * TAU * u + i * 1.9)
                + 0.025 * np.sin(x * 11 - way * TAU * 2 * u + i)
            )
            seen = slice(int((top.min() + 0.88) * height / 2), height)
            down = y[seen] - top
            shadow = np.clip(1 + down * 9, 0, 1) * (down < 0.01)
            cover(canvas[seen], 0.3 * shadow * shadow, color("#1d1233"))
            body = tint * (1.08 - 0.22 * np.clip(down, 0, 1))[..., None]
            cover(canvas[seen], below(y[seen], top, height), body)
        yield to_frame(canvas)
