"""Far away."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from feeds.demo.art.paint import (
    HEIGHT,
    TAU,
    WIDTH,
    Frame,
    bloom,
    clouds,
    color,
    cover,
    glow,
    grid,
    phases,
    polar,
    ramp,
    scatter_stars,
    shade,
    sky,
    smooth,
    to_frame,
    to_image,
)


def warp(frames: int) -> Iterator[Frame]:
    """Stars rush by."""
    random = np.random.default_rng(77)
    mist = clouds(WIDTH, HEIGHT, 3, 9)
    radius, _ = polar()
    nebula = shade(
        mist * 0.8 * np.exp(-radius * 0.6), ramp("#02020c", "#0a0a2a", "#2a1458", "#7a2a7f")
    )
    still = to_image(nebula.astype(np.float32) / 255)
    stars = random.uniform((0, 0.12, 0), (TAU, 1.3, 1), (260, 3))
    tints = [color(code) * 255 for code in ("#ffffff", "#bcd7ff", "#ffe2b8", "#d3b8ff")]
    for u in phases(frames):
        image = still.copy()
        draw = ImageDraw.Draw(image)
        for k, (angle, out, start) in enumerate(stars):
            near = (start + 2 * u) % 1
            r0, r1 = (
                out * 0.05 / (1.03 - near * 0.98),
                out * 0.05 / (1.03 - min(near + 0.035, 1) * 0.98),
            )
            if r0 > 1.3:
                continue
            c, s = np.cos(angle), np.sin(angle)
            line = [(WIDTH + c * r * HEIGHT, HEIGHT + s * r * HEIGHT) for r in (r0, r1)]
            fill = tuple(int(v * min(1, near * 1.6)) for v in tints[k % 4])
            draw.line(line, fill=fill, width=1 + int(near**3 * 5))
        yield bloom(image, 0.7, 3)


def galaxy(frames: int) -> Iterator[Frame]:
    """Two arms turn around a bright heart."""
    random = np.random.default_rng(31)
    count = 9000
    far = random.gamma(2.0, 0.17, count)
    arm = np.log(far + 0.05) * 2.6 + random.normal(0, 0.34, count) * (0.35 + 0.5 / (1 + 4 * far))
    lift = random.normal(0, 0.02, count)
    warm = np.exp(-far * 3.5)[:, None]
    tint = color("#ffd9a0") * warm + color("#7fa8ff") * (1 - warm)
    tint = np.where(random.random((count, 1)) < 0.05, color("#ff6fae"), tint)
    tint = tint * random.uniform(0.1, 0.36, (count, 1))
    backdrop = sky("#04030f", "#0a0820", "#04030f")
    scatter_stars(backdrop, 120, 15)
    for u in phases(frames):
        canvas = backdrop.copy()
        for half in (0, np.pi):  # two equal halves: half a turn closes the loop
            angle = arm + half + np.pi * u
            px, py = far * np.cos(angle), far * np.sin(angle) * 0.55 + lift
            x, y = px * 0.82 - py * 0.57, px * 0.57 + py * 0.82
            column = np.round(x * HEIGHT / 2 + WIDTH / 2).astype(int)
            row = np.round(y * HEIGHT / 2 + HEIGHT / 2).astype(int)
            seen = (column >= 0) & (column < WIDTH) & (row >= 0) & (row < HEIGHT)
            flat = row[seen] * WIDTH + column[seen]
            for channel in range(3):
                splat = np.bincount(flat, tint[seen, channel], WIDTH * HEIGHT)
                canvas[..., channel] += splat.reshape(HEIGHT, WIDTH)
        glow(canvas, 0, 0, 0.5, color("#ffd9a8") * 0.3)
        glow(canvas, 0, 0, 0.13, color("#fff4da") * 0.8)
        image = Image.fromarray(to_frame(canvas))
        yield bloom(image, 1.1, 2)


def planet(frames: int) -> Iterator[Frame]:
    """A giant with rings."""
    width, height = 270, 480
    x, y = grid(width, height)
    r = 0.4
    backdrop = sky("#05040f", "#0b0a24", "#1a1038", width=width, height=height)
    scatter_stars(backdrop, 130, 5)
    tilt = 0.42
    px = x * np.cos(tilt) + y * np.sin(tilt)
    py = -x * np.sin(tilt) + y * np.cos(tilt)
    inside = np.clip((r - np.hypot(x, y)) * height / 2, 0, 1)
    z = np.sqrt(np.clip(r * r - px**2 - py**2, 0, None))
    latitude, longitude = py / r, np.arctan2(px, z)
    light = np.clip((-0.55 * px - 0.35 * py + 0.72 * z) / r, 0, 1)
    bands = ramp(
        "#7a4b3a", "#c98b5e", "#f2d3a0", "#d9985f", "#fbe8c8", "#b56a4a", "#e8b27a", "#8a5546"
    )
    ring = np.hypot(px, py / 0.24)
    grooves = clouds(512, 8, 32, 2)[0]
    texture = grooves[np.clip((ring - 0.5) / 0.42 * 511, 0, 511).astype(int)]
    band = smooth(ring, 0.5, 0.52) * (1 - smooth(ring, 0.86, 0.9)) * (0.25 + 0.75 * texture)
    band *= 1 - 0.85 * smooth(0.02 - np.abs(ring - 0.7), 0, 0.015)
    front = (py > 0).astype(np.float32)
    shadow = 1 - 0.75 * smooth(0.02 + r - np.hypot(px - 0.2, py * 1.3), 0, 0.05) * (1 - front)
    for u in phases(frames):
        canvas = backdrop.copy()
        ice = color("#e8d7c0") * (1.02 + 0.12 * np.sin(ring * 60 - TAU * u))[..., None]
        cover(canvas, band * (1 - front) * 0.85, ice * shadow[..., None])
        spin = longitude + TAU * u
        swirl = 0.045 * np.sin(spin * 3 + latitude * 9) + 0.02 * np.sin(spin * 7 - latitude * 21)
        surface = shade(np.mod(latitude * 0.62 + 0.5 + swirl, 1), bands).astype(np.float32) / 255
        spot = np.exp(
            -((((np.mod(spin, TAU) - np.pi) / 0.36) ** 2) + ((latitude - 0.3) / 0.12) ** 2)
        )
        surface = surface + spot[..., None] * (color("#c2452d") - surface) * 0.8
        cover(canvas, inside, surface * (0.04 + 1.1 * light)[..., None])
        cover(canvas, band * front * 0.9, ice)
        glow(canvas, -0.35, -0.7, 0.05, np.ones(3))
        mx, my = 0.5 * np.cos(TAU * u), -0.62 + 0.06 * np.sin(TAU * u)
        glow(canvas, mx, my, 0.03, color("#cfe3ff") * 1.5)
        yield to_frame(canvas)


def eclipse(frames: int) -> Iterator[Frame]:
    """The corona of a hidden sun."""
    width, height = 252, 448
    radius, angle = polar(width, height, cy=-0.05)
    backdrop = sky("#030510", "#0a0f24", "#151a38", "#3a2748", width=width, height=height)
    scatter_stars(backdrop, 90, 19)
    r = 0.27
    out = np.clip(radius - r, 0, None)
    for u in phases(frames):
        phase = TAU * u
        rays = (
            0.5
            + 0.22 * np.sin(angle * 5 + 1.2 * np.sin(phase))
            + 0.18 * np.sin(angle * 11 - 1.5 * np.sin(phase + 1) + radius * 5)
            + 0.12 * np.sin(angle * 23 + 2 * np.sin(phase + 2) - radius * 9)
        )
        corona = np.exp(-out * (3.2 + 4 * (1 - rays))) * (0.35 + 0.75 * rays)
        rim = np.exp(-out * 60)
        canvas = backdrop + corona[..., None] * color("#9fc3ff") * 0.75 + rim[..., None] * 0.8
        canvas += (corona**2)[..., None] * color("#ffe9c9") * 0.5
        cover(canvas, np.clip((r - radius) * height / 2, 0, 1), color("#04050c"))
        spark = np.exp(-(((u - 0.5) / 0.13) ** 2))
        gx, gy = r * np.cos(-0.9), -0.05 + r * np.sin(-0.9)
        glow(canvas, gx, gy, 0.5 * spark + 0.02, color("#fff4e0") * 0.9 * spark)
        glow(canvas, gx, gy, 0.13 * spark + 0.01, np.ones(3) * 2.4 * spark)
        yield to_frame(canvas)


def orbits(frames: int) -> Iterator[Frame]:
    """Planets chase each other on glowing tracks."""
    hues = ramp("#ffd166", "#ef476f", "#f78c6b", "#06d6a0", "#118ab2", "#9b5de5")
    backdrop = sky("#080b1f", "#0d1330", "#080b1f")
    scatter_stars(backdrop, 80, 23)
    radius, _ = polar()
    tracks = [0.13 + 0.105 * k for k in range(8)]
    for track in tracks:
        backdrop += np.exp(-(((radius - track) * 320) ** 2))[..., None] * 0.09
    for u in phases(frames):
        canvas = backdrop.copy()
        glow(canvas, 0, 0, 0.3 + 0.02 * np.sin(TAU * 4 * u), color("#ffb347") * 0.7)
        glow(canvas, 0, 0, 0.1, color("#fff3c4") * 1.6)
        for k, track in enumerate(tracks):
            tint = hues[int(k / 7 * 255)].astype(np.float32) / 255
            angle = TAU * ((8 - k) * u * (1 if k != 5 else -1) + k * 0.31)
            way = 1 if k != 5 else -1
            for step in range(26):
                a = angle - way * step * 0.035
                size = (0.02 + 0.004 * (k % 3)) * (1 - step / 30)
                glow(
                    canvas,
                    track * np.cos(a),
                    track * np.sin(a),
                    size * 1.6,
                    tint * 0.5 * (1 - step / 26),
                )
            glow(
                canvas,
                track * np.cos(angle),
                track * np.sin(angle),
                0.04 + 0.006 * (k % 3),
                tint * 1.7,
            )
        yield to_frame(canvas)
