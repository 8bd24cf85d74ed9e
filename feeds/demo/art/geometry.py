"""Shapes that move."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from feeds.demo.art.paint import (
    HEIGHT,
    TAU,
    WIDTH,
    Frame,
    bloom,
    color,
    cycle,
    ease,
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
)

LANES = 11
FEWEST_BOUNCES = 6


def lissajous(frames: int) -> Iterator[Frame]:
    """A curve of two sines turns in space."""
    hues = ramp("#ff5e7e", "#ffb25e", "#f9f871", "#5effc1", "#5ea8ff", "#b35eff", cyclic=True)
    s = np.linspace(0, 1, 421)
    for u in phases(frames):
        image = Image.new("RGB", (540, 960), "#07071a")
        draw = ImageDraw.Draw(image)
        for echo in range(5, -1, -1):
            turn = TAU * (u - echo * 0.012)
            x = 0.46 * np.sin(TAU * 3 * s + turn) * (0.8 + 0.2 * np.cos(TAU * s + turn))
            y = 0.78 * np.sin(TAU * 4 * s + 0.6 * np.sin(turn))
            spots = place(x, y, image)
            for k in range(0, 420, 6):
                tint = hues[int(s[k] * 256 + u * 256) & 255] * (1 - echo / 6.5)
                draw.line(
                    [tuple(p) for p in spots[k : k + 7]],
                    fill=tuple(int(v) for v in tint),
                    width=6 - echo,
                )
        yield bloom(image)


def kaleidoscope(frames: int) -> Iterator[Frame]:
    """Eight mirrors."""
    radius, angle = polar(288, 512)
    folded = np.abs(np.mod(angle, TAU / 8) - TAU / 16)
    palette = ramp(
        "#10002b", "#5a189a", "#ff4d8d", "#ffb703", "#fff3b0", "#2ec4b6", "#023e8a", cyclic=True
    )
    for u in phases(frames):
        turn = folded + 0.35 * np.sin(TAU * u)
        px, py = radius * np.cos(turn), radius * np.sin(turn)
        a = np.sin(px * 9 + TAU * u) + np.sin(py * 14 - TAU * u)
        b = np.sin((px + py) * 8 + 2 * a) + np.cos(radius * 10 - TAU * 2 * u)
        yield cycle((a + b) * 0.16 + u, palette)


def dots(frames: int) -> Iterator[Frame]:
    """A grid of dots breathes from the middle outward."""
    cell = 40
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    local = np.hypot(rows % cell - cell / 2 + 0.5, columns % cell - cell / 2 + 0.5) / (cell / 2)
    far = np.hypot(rows // cell - 7.5, columns // cell - 4).astype(np.float32)
    palette = ramp("#ffbe0b", "#fb5607", "#ff006e", "#8338ec", "#3a86ff", cyclic=True)
    paper = color("#14122b") * 255
    for u in phases(frames):
        size = 0.5 + 0.4 * np.sin(TAU * (2 * u - far * 0.09))
        mask = np.clip((size - local) * cell / 2, 0, 1)[..., None]
        tint = cycle(far * 0.055 - u, palette)
        yield (paper + (tint - paper) * mask).astype(np.uint8)


def truchet(frames: int) -> Iterator[Frame]:
    """Tiles of two arcs turn one after the other and make ever new paths."""
    cell = 72
    random = np.random.default_rng(7)
    rows, columns = np.mgrid[0:648, 0:WIDTH].astype(np.float32)
    lx, ly = (columns % cell) / cell * 2 - 1, (rows % cell) / cell * 2 - 1
    start = np.kron(random.integers(0, 4, (9, 5)), np.ones((cell, cell))).astype(np.float32)
    order = ((columns // cell) + (rows // cell)) / 12
    palette = ramp("#fdf0d5", "#e9c8a7", "#c1121f", "#780000")
    for u in phases(frames):
        progress = np.clip((np.mod(u * 2, 1) * 2.2 - order * 1.2), 0, 1)
        eased = progress**3 * (progress * (6 * progress - 15) + 10)
        turn = (start + eased + np.floor(u * 2) * 1) * (TAU / 4)
        c, s = np.cos(turn), np.sin(turn)
        px, py = lx * c - ly * s, lx * s + ly * c
        ring = np.minimum(
            np.abs(np.hypot(px - 1, py - 1) - 1), np.abs(np.hypot(px + 1, py + 1) - 1)
        )
        # Half a turn is the same tile, so that two quarter turns close the loop.
        yield shade(
            smooth(0.36 - ring, 0, 0.07) * 0.75 + 0.2 * smooth(0.12 - ring, 0, 0.06), palette
        )[:640]


def lava_lamp(frames: int) -> Iterator[Frame]:
    """Drops of wax join and part."""
    x, y = grid(216, 384)
    random = np.random.default_rng(3)
    palette = ramp("#1b0b3a", "#2b0f54", "#4a1470", "#ff4d6d", "#ff7a4d", "#ffc14d", "#fff0b5")
    balls = random.uniform((-0.34, 0.11, 0), (0.34, 0.22, 1), (10, 3))
    for u in phases(frames):
        field = 0.10 / (1.02 - y) + 0.07 / (1.04 + y)
        for k, (bx, size, phase) in enumerate(balls):
            speed = 1 + k % 2
            by = 0.92 * np.cos(TAU * (u * speed + phase))
            cx = bx + 0.06 * np.sin(TAU * (u + phase * 3))
            field = field + size**2 / ((x - cx) ** 2 + (y - by) ** 2 + 0.003)
        edge = smooth(field, 0.93, 1.12)
        yield shade(
            0.12 + 0.14 * (y + 1) / 2 + edge * (0.3 + 0.42 * np.clip(field - 1, 0, 2) / 2), palette
        )


def polyrhythm(frames: int) -> Iterator[Frame]:
    """Each dot bounces a little more often than the one below it; every hit is a note."""
    hues = ramp("#4cc9f0", "#4895ef", "#7b5cf0", "#b5179e", "#f72585", "#ff8c42")
    for u in phases(frames):
        canvas = sky("#0d0b24", "#140f33", "#0a0818")
        for lane in range(LANES):
            tint = hues[int(lane / (LANES - 1) * 255)].astype(np.float32) / 255
            y = 0.8 - lane * 1.6 / (LANES - 1)
            bounces = (FEWEST_BOUNCES + lane) * u
            way = bounces % 2
            x = 0.44 * (1 - 2 * abs(way - 1))
            since = bounces % 1 / (FEWEST_BOUNCES + lane) * frames / 30
            row = round((y + 1) / 2 * HEIGHT)
            flash = float(np.exp(-since * 5))
            canvas[row - 1 : row + 1, 34 : WIDTH - 34] += tint * (0.1 + 0.5 * flash)
            wall = -0.46 if way < 1 else 0.46
            glow(canvas, wall, y, 0.11, tint * flash * 1.4)
            for k in range(12):
                back = (bounces - k * 0.012 * (FEWEST_BOUNCES + lane) / 8) % 2
                trail = 0.44 * (1 - 2 * abs(back - 1))
                glow(canvas, trail, y, 0.06 - k * 0.003, tint * (0.5 - k * 0.04))
            glow(canvas, x, y, 0.09, tint * 0.7)
            glow(canvas, x, y, 0.05, np.ones(3) * 1.5)
        yield to_frame(canvas)


def tunnel(frames: int) -> Iterator[Frame]:
    """Down a twisting hall of neon frames."""
    x, y = grid(270, 480)
    hues = ramp("#00f5d4", "#00bbf9", "#9b5de5", "#f15bb5", "#fee440", cyclic=True)
    distance = np.log(np.maximum(np.maximum(np.abs(x), np.abs(y)), 1e-3))
    for u in phases(frames):
        turn = 0.5 * np.sin(TAU * u) + 0.55 * distance * np.cos(TAU * u)
        c, s = np.cos(turn), np.sin(turn)
        px, py = np.abs(x * c - y * s), np.abs(x * s + y * c)
        px, py = px * px, py * py * 0.52
        power = px * px * px + py * py * py
        box = np.sqrt(np.cbrt(power))
        depth = np.log(np.maximum(power, 1e-18)) * 0.43 - 5 * u
        ring = np.abs(depth - np.round(depth))
        light = np.exp(-ring * 22) * 1.2 + 0.3 * np.exp(-ring * 6)
        fog = smooth(box, 0.015, 0.3)
        core = np.exp(-ring * 70) * 0.75
        # Five hues for five steps: after one loop each ring stands where its like stood.
        tint = cycle(np.round(depth) * 0.2 + 0.02, hues).astype(np.float32) / 255
        yield to_frame(tint * (light * fog)[..., None] + (core * fog)[..., None] + 0.02)


def quilt(frames: int) -> Iterator[Frame]:
    """Squares turn in a wave, as in a quilt."""
    tints = ["#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51"]
    random = np.random.default_rng(1)
    choice = random.integers(0, 5, (9, 5, 3))
    for u in phases(frames):
        image = Image.new("RGB", (WIDTH * 2, HEIGHT * 2), "#f7ede2")
        draw = ImageDraw.Draw(image)
        for row in range(9):
            for column in range(5):
                delay = (row + column) / 24
                for ring, scale in enumerate((0.98, 0.66, 0.34)):
                    turn = ease((u - delay - ring * 0.04) * 2.4) * TAU / 4 * (-1) ** ring
                    corner = turn + TAU / 8 + np.arange(4) * TAU / 4
                    size = 72 * scale * (1.414 - 0.36 * abs(np.sin(2 * turn)))
                    points = np.stack([np.cos(corner), np.sin(corner)], 1) * size
                    points += (column * 144 + 72, row * 144 + 64)
                    tint = tints[(choice[row, column, ring] + ring) % 5]
                    draw.polygon([tuple(p) for p in points], fill=tint)
        yield np.asarray(image)
