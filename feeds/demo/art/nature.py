"""Weather and what grows."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from feeds.demo.art.paint import (
    HEIGHT,
    TAU,
    WIDTH,
    Frame,
    below,
    clouds,
    color,
    cover,
    glow,
    grid,
    phases,
    place,
    polar,
    ramp,
    scatter_stars,
    shade,
    sky,
    to_frame,
    to_image,
)


def misty_hills(frames: int) -> Iterator[Frame]:
    """Hills pass by in the morning mist."""
    width, height = 270, 480
    x, y = grid(width, height)
    backdrop = sky(
        "#f4b28c", "#f7c9a3", "#f9dfc0", "#e8e6d9", "#cfdcd6", width=width, height=height
    )
    radius, _ = polar(width, height, cx=0.12, cy=-0.42)
    backdrop += np.exp(-radius * 4)[..., None] * color("#ff9a5a") * 0.3
    cover(backdrop, np.clip((0.15 - radius) * height / 2, 0, 1), color("#fffaf0"))
    tints = [color(c) for c in ("#b9c9c6", "#8fb0ae", "#639190", "#3f7072", "#274f55", "#142f38")]
    birds = [(0.0, -0.28, 0.0), (0.07, -0.33, 0.3), (-0.06, -0.35, 0.6), (0.14, -0.26, 0.8)]
    for u in phases(frames):
        canvas = backdrop.copy()
        for i, tint in enumerate(tints):
            period = 0.35 * 1.45**i
            k = TAU / period
            across = x + period * u
            top = (
                -0.08
                + i * 0.17
                + (0.05 + 0.012 * i) * np.sin(across * k + i * 2.1)
                + 0.022 * np.sin(across * k * 2 + i)
                + (0.007 if i > 3 else 0.003) * np.sin(across * k * 9 + i * 5)
            )
            seen = slice(int((top.min() + 1) * height / 2) - 1, height)
            haze = np.clip((y[seen] - top) * (1.9 - 0.22 * i), 0, 0.75)[..., None]
            body = tint + (color("#f3e4d0") - tint) * haze
            cover(canvas[seen], below(y[seen], top, height), body)
        image = to_image(canvas)
        draw = ImageDraw.Draw(image)
        for bx, by, phase in birds:
            flap = 0.016 * np.sin(TAU * (u * 12 + phase))
            cx, cy = bx + 1.5 * ((u + 0.4) % 1 - 0.5), by + 0.02 * np.sin(TAU * (u + phase))
            wings = place(
                [cx - 0.03, cx, cx + 0.03], [cy - 0.012 - flap, cy, cy - 0.012 - flap], image
            )
            draw.line([tuple(p) for p in wings], fill="#3b4a4e", width=4, joint="curve")
        yield np.asarray(image)


def _pines(seed: int, base: float, tall: float) -> Frame:
    image = Image.new("L", (WIDTH * 2, HEIGHT * 2))
    draw = ImageDraw.Draw(image)
    random = np.random.default_rng(seed)
    draw.rectangle((0, (base + 1) * HEIGHT, WIDTH * 2, HEIGHT * 2), fill=255)
    for left in range(-20, WIDTH * 2 + 20, 26):
        height = random.uniform(0.4, 1) * tall * HEIGHT
        cx, foot = left + random.uniform(-8, 8), (base + 1) * HEIGHT + 6
        for part in range(5):
            top = foot - height * (1 - part * 0.19)
            wide = height * (0.05 + part * 0.038)
            low = top + height * 0.34
            draw.polygon([(cx, top), (cx - wide, low), (cx + wide, low)], fill=255)
    return np.asarray(image.reduce(2))


def aurora(frames: int) -> Iterator[Frame]:
    """Northern lights over a forest and its lake."""
    x, y = grid(180, 320)
    night = sky("#020617", "#06132b", "#0b2440", "#12384f")
    scatter_stars(night, 150, 14, 0.25)
    pines = _pines(3, 0.42, 0.34).astype(np.float32) / 255
    far = _pines(8, 0.36, 0.2).astype(np.float32) / 255
    bands = [(-0.38, 1, 0.0, "#35f2a1"), (-0.12, -1, 2.1, "#2fd3c0"), (-0.56, 1, 4.2, "#a06bff")]
    shore = int(HEIGHT * 0.72)
    rows = np.arange(HEIGHT - shore)
    for u in phases(frames):
        lights = np.zeros((320, 180, 3), np.float32)
        for middle, way, shift, tint in bands:
            phase = way * TAU * u + shift
            line = middle + 0.13 * np.sin(x * 4.2 + phase) + 0.06 * np.sin(x * 9.5 - phase)
            rays = 0.55 + 0.3 * np.sin(x * 31 + 3 * np.sin(x * 6 + phase) + phase) * np.sin(
                x * 13 - phase
            )
            above = line - y
            curtain = np.where(above > 0, np.exp(-above * 3.4), np.exp(above * 30))
            light = curtain * rays * (0.75 + 0.25 * np.sin(x * 3 + phase))
            lights += light[..., None] * (color(tint) * 0.62)
            lights += (light * np.clip(above * 2.2, 0, 1))[..., None] * (color("#7a4dff") * 0.3)
        large = Image.fromarray(to_frame(lights)).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
        canvas = night + np.asarray(large, np.float32) / 255
        cover(canvas, far, color("#06202b"))
        cover(canvas, pines, color("#030b12"))
        wave = np.sin(rows * 0.5 - TAU * 2 * u) * (1 + rows * 0.02)
        mirror = np.clip(shore - 1 - rows * 1.7 + wave, 0, shore - 1).astype(int)
        canvas[shore:] = canvas[mirror] * 0.55 + color("#03101a") * 0.5
        yield to_frame(canvas)


def blossom(frames: int) -> Iterator[Frame]:
    """Petals fall past the moon."""
    random = np.random.default_rng(18)
    backdrop = sky("#fbe4e6", "#f8cdd5", "#e9b4cb", "#b79ac8")
    radius, _ = polar(cx=-0.08, cy=-0.3)
    backdrop += np.exp(-radius * 3.5)[..., None] * 0.22
    cover(backdrop, np.clip((0.34 - radius) * 320, 0, 1), color("#fffaf2"))
    still = to_image(backdrop)
    draw = ImageDraw.Draw(still)
    _branch(draw, random, 740, 150, 3.35, 250, 17, 5)
    _branch(draw, random, 740, 520, 3.0, 190, 13, 4)
    petals = random.uniform((-0.6, 0, 0.014, 0, 1), (0.6, 1, 0.034, 1, 3), (58, 5))
    angle = np.linspace(0, TAU, 16)
    shape = np.stack([np.cos(angle) * (1 + 0.25 * np.cos(angle)), np.sin(angle) * 0.62], 1)
    for u in phases(frames):
        image = still.copy()
        draw = ImageDraw.Draw(image)
        for px, start, size, phase, pace in petals:
            fall = (start + round(pace) * u) % 1
            cx = px + 0.12 * np.sin(TAU * (u + phase)) + 0.25 * (0.5 - fall)
            spin, tilt = TAU * (u * 2 + phase), np.cos(TAU * (u * 3 + phase * 5))
            c, s = np.cos(spin), np.sin(spin)
            flat = shape * (1, 0.35 + 0.65 * abs(tilt))
            turned = np.stack([flat[:, 0] * c - flat[:, 1] * s, flat[:, 0] * s + flat[:, 1] * c], 1)
            spots = place(cx + turned[:, 0] * size, -1.1 + 2.2 * fall + turned[:, 1] * size, image)
            tint = ("#ffffff", "#ffe3ec", "#ffb7cd", "#f48fb1")[int(phase * 4) % 4]
            draw.polygon([tuple(p) for p in spots], fill=tint)
        yield np.asarray(image)


def _branch(
    draw: ImageDraw.ImageDraw, random: np.random.Generator, x: float, y: float,
    angle: float, length: float, width: float, depth: int,
) -> None:  # fmt: skip
    for _ in range(3):
        angle += random.uniform(-0.28, 0.28)
        nx, ny = x + np.cos(angle) * length / 3, y - np.sin(angle) * length / 3
        draw.line((x, y, nx, ny), fill="#5a3a46", width=max(2, int(width)))
        x, y, width = nx, ny, width * 0.86
        if depth <= 3:
            for _ in range(3):
                px, py = x + random.uniform(-26, 26), y + random.uniform(-26, 26)
                tint = str(random.choice(["#fff1f5", "#ffc6d9", "#f9a8c4"]))
                for k in range(5):
                    a = k * TAU / 5 + px
                    cx, cy = px + 9 * np.cos(a), py + 9 * np.sin(a)
                    draw.ellipse((cx - 8, cy - 8, cx + 8, cy + 8), fill=tint)
                draw.ellipse((px - 5, py - 5, px + 5, py + 5), fill="#e8638f")
    if depth:
        for turn in (-0.5, 0.45):
            _branch(draw, random, x, y, angle + turn, length * 0.68, width * 0.8, depth - 1)


def fireflies(frames: int) -> Iterator[Frame]:
    """A meadow at dusk."""
    random = np.random.default_rng(33)
    x, y = grid()
    dusk = sky("#0d1b3e", "#27406b", "#6d6a8f", "#d98f77", "#3b3a4a", "#14201c")
    scatter_stars(dusk, 60, 2, -0.4)
    for i, tint in enumerate(("#2c3f4c", "#1b2f33")):
        top = 0.12 + i * 0.14 + 0.04 * np.sin(x * (5 + i) + i * 3) + 0.012 * np.sin(x * 27 + i)
        cover(dusk, below(y, top), color(tint))
    blades = random.uniform((-0.6, 0.25, 0, 0.75), (0.6, 0.75, 1, 1.08), (90, 4))
    blades = blades[np.argsort(blades[:, 3])]
    flies = random.uniform((-0.5, -0.25, 0, 0), (0.5, 0.85, 1, 1), (34, 4))
    for u in phases(frames):
        canvas = dusk.copy()
        lights = []
        for fx, fy, phase, other in flies:
            cx = fx + 0.09 * np.sin(TAU * (u + phase)) + 0.03 * np.sin(TAU * (3 * u + other))
            cy = fy + 0.07 * np.sin(TAU * (u + other)) + 0.03 * np.cos(TAU * (2 * u + phase))
            shine = max(0.0, float(np.sin(TAU * (2 * u + other)))) ** 1.5
            lights.append((cx, cy, shine))
            glow(canvas, cx, cy, 0.13, color("#d8ff6a") * shine * 0.3)
        image = to_image(canvas)
        draw = ImageDraw.Draw(image)
        for bx, length, phase, foot in blades:
            sway = 0.05 * np.sin(TAU * (u + phase * 0.4) + bx * 4) + 0.1 * (phase - 0.5)
            edge = place(
                [bx - 0.014, bx + sway * 0.3, bx + sway, bx + sway * 0.3 + 0.016, bx + 0.014],
                [foot, foot - length * 0.6, foot - length, foot - length * 0.58, foot], image,
            )  # fmt: skip
            tint = ("#0f241f", "#143029", "#0a1a18")[int(phase * 3)]
            draw.polygon([tuple(p) for p in edge], fill=tint)
        canvas = np.asarray(image.reduce(2), np.float32) / 255
        for cx, cy, shine in lights:
            glow(canvas, cx, cy, 0.022, color("#f6ffb0") * shine * 1.6)
        yield to_frame(canvas)


def campfire(frames: int) -> Iterator[Frame]:
    """A fire that never burns down."""
    width, height = 180, 320
    x, y = grid(width, height)
    coarse, fine = clouds(width, height, 4, 5), clouds(width, height, 9, 6)
    palette = ramp("#0b0713", "#2a0a12", "#7a1408", "#e0430b", "#ff9a1f", "#ffe27a", "#fffbe6")
    random = np.random.default_rng(6)
    sparks = random.uniform((-0.2, 0, 0, 1), (0.2, 1, 1, 3), (30, 4))
    logs = Image.new("L", (width * 2, height * 2))
    draw = ImageDraw.Draw(logs)
    for ax, ay, bx, by in ((80, 560, 270, 520), (280, 566, 100, 512), (120, 574, 250, 580)):
        draw.line((ax, ay, bx, by), fill=255, width=30)
        for px, py in ((ax, ay), (bx, by)):
            draw.ellipse((px - 15, py - 15, px + 15, py + 15), fill=255)
    wood = np.asarray(logs.reduce(2), np.float32) / 255
    rise = np.clip((0.72 - y) / 1.25, 0, 1)
    for u in phases(frames):
        slow = np.roll(coarse, -round(u * height * 2), 0)
        quick = np.roll(fine, -round(u * height * 3), 0)
        bend = (slow - 0.5) * (0.1 + 0.5 * rise) + 0.04 * np.sin(TAU * 2 * u + y * 5) * rise
        wide = 0.34 * np.sqrt(np.clip(1 - rise, 0, 1)) * np.clip((0.85 - y) * 5, 0, 1) + 0.02
        heat = 1.25 - ((x + bend) / wide) ** 2 - rise * 1.05 + (quick - 0.5) * (0.5 + 0.8 * rise)
        heat = np.clip(heat, 0, 1) * np.clip((0.8 - y) * 6, 0, 1)
        canvas = shade(heat * 0.86 + 0.02, palette).astype(np.float32) / 255
        flicker = 0.85 + 0.1 * np.sin(TAU * 5 * u) + 0.05 * np.sin(TAU * 9 * u + 1)
        glow(canvas, 0, 0.45, 1.25, color("#ff6a1a") * 0.34 * flicker)
        cover(canvas, wood, color("#1c0d0a") + 0.1 * color("#ff7a2a") * flicker)
        glow(canvas, 0, 0.66, 0.42, color("#ff9a3a") * 0.42 * flicker)
        for sx, start, phase, pace in sparks:
            up = (start + round(pace) * u) % 1
            cx = sx * (1 + up) + 0.09 * np.sin(TAU * (up * 1.5 + phase))
            glow(canvas, cx, 0.55 - 1.6 * up, 0.02, color("#ffb84d") * 1.5 * (1 - up))
        yield to_frame(canvas)


def snowfall(frames: int) -> Iterator[Frame]:
    """Snow on a quiet forest, and one warm window."""
    random = np.random.default_rng(40)
    x, y = grid()
    scene = sky("#1d2b4f", "#3a4f7d", "#7f93b5", "#c9d3e0")
    for i, (base, tall, tint) in enumerate(
        ((0.2, 0.22, "#8496b3"), (0.32, 0.3, "#52688c"), (0.46, 0.38, "#2b3f63"))
    ):
        cover(scene, _pines(50 + i, base, tall).astype(np.float32) / 255, color(tint))
    ground = 0.5 + 0.05 * np.sin(x * 4 + 1) + 0.02 * np.sin(x * 9)
    cover(scene, below(y, ground), color("#e9eff7") - 0.28 * np.clip(y - ground, 0, 1)[..., None])
    image = to_image(scene)
    draw = ImageDraw.Draw(image)
    draw.rectangle((330, 925, 480, 1030), fill="#3d2a2e")
    draw.polygon([(305, 932), (405, 850), (505, 932)], fill="#f4f7fb")
    draw.polygon([(325, 932), (405, 866), (485, 932)], fill="#553a3c")
    draw.rectangle((440, 868, 462, 905), fill="#3d2a2e")
    draw.rectangle((362, 955, 400, 995), fill="#ffd27a")
    draw.rectangle((425, 962, 455, 1030), fill="#2a1c20")
    scene = np.asarray(image.reduce(2), np.float32) / 255
    flakes = random.uniform((-0.6, 0, 0.005, 0), (0.6, 1, 0.024, 1), (190, 4))
    for u in phases(frames):
        canvas = scene.copy()
        glow(canvas, 0.033, 0.52, 0.3, color("#ffb84d") * (0.4 + 0.04 * np.sin(TAU * 3 * u)))
        for k in range(6):
            up = (k / 6 + u) % 1
            puff = 0.1 * up * np.sin(TAU * (up + u * 0))
            glow(
                canvas,
                0.145 + puff,
                0.36 - 0.5 * up,
                0.04 + 0.09 * up,
                np.ones(3) * 0.16 * (1 - up),
            )
        for fx, start, size, phase in flakes:
            pace = 1 if size < 0.016 else 2
            fall = (start + pace * u) % 1
            cx = fx + 0.05 * np.sin(TAU * (u + phase)) + 0.02 * np.sin(TAU * (2 * u + start))
            glow(canvas, cx, -1.05 + 2.1 * fall, size, np.ones(3) * (0.5 + size * 22))
        yield to_frame(canvas)
