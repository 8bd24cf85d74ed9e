"""The demo's clips: drawn frame by frame and set to music, with nothing but this code."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from feeds.demo.art import city, geometry, nature, ocean, retro, space
from feeds.demo.art.paint import Frame
from feeds.demo.sound import Wave, bounces, compose, write_wav
from videos.media.ffmpeg import program

FPS = 24
SIZE = (540, 960)
# Below this width the pixels are part of the picture and stay square.
PIXEL_ART_WIDTH = 200
PRIVATE, FRIENDS, PUBLIC = "private", "friends", "public"


@dataclass(frozen=True)
class Clip:
    """One piece: what draws it, who posts it, and what they write."""

    name: str
    theme: str
    draw: Callable[[int], Iterator[Frame]]
    author: str
    caption: str
    seconds: int = 7
    visibility: str = PUBLIC
    rounds: int = 1  # how often its loop is shown
    tune: Callable[[float], Wave] | None = None  # instead of the theme's


def _polyrhythm_tune(seconds: float) -> Wave:
    return bounces(seconds, geometry.LANES, geometry.FEWEST_BOUNCES)


# The first ones are drawn quickly: a newcomer waits for them.
CLIPS = [
    Clip("golden_sea", "ocean", ocean.golden_sea, "marina", "Last light, no wind. #ocean #sunset"),
    Clip("outrun", "retro", retro.outrun, "kenji", "No speed limit in 1986 🌴 #retro #synthwave"),
    Clip("galaxy", "space", space.galaxy, "noor", "Two hundred billion suns in your pocket #space"),
    Clip("quilt", "geometry", geometry.quilt, "leo", "Every square takes its turn #geometry #loop"),
    Clip("blossom", "nature", nature.blossom, "hana", "桜 — one week a year #nature #spring"),
    Clip("skyline", "city", city.skyline, "zoe", "Counting windows until I fall asleep #city #night"),
    Clip("aquarium", "ocean", ocean.aquarium, "marina", "Feeding time 🐠 #ocean #fish", 8),
    Clip("kaleidoscope", "geometry", geometry.kaleidoscope, "leo", "Eight mirrors #geometry #color"),
    Clip("campfire", "nature", nature.campfire, "bjorn", "Stay a while. #nature #camping", 9),
    Clip("eclipse", "space", space.eclipse, "noor", "97 seconds that I will never forget #space"),
    Clip("night_train", "city", city.night_train, "zoe", "The 23:40 home #city #train"),
    Clip("plasma", "retro", retro.plasma, "pixelpia", "Eight colors are plenty #retro #pixelart", 6),
    Clip("tidepool", "ocean", ocean.tidepool, "kai", "Look down sometimes #ocean #light"),
    Clip("aurora", "nature", nature.aurora, "bjorn", "Minus twenty and worth it #nature #aurora", 8),
    Clip("lava_lamp", "geometry", geometry.lava_lamp, "sunny", "Oddly calming #geometry #calm", 9),
    Clip("orbits", "space", space.orbits, "tomas", "Kepler would have liked this #space #loop"),
    Clip("maze", "retro", retro.maze, "pixelpia", "Depth first, then color #retro #code", 8),
    Clip("highway", "city", city.highway, "zoe", "Out of town by nine #city #lights", 6),
    Clip("dots", "geometry", geometry.dots, "leo", "Breathe in, breathe out #geometry #loop", 6),
    Clip("jellyfish", "ocean", ocean.jellyfish, "kai", "Two hundred meters down #ocean #deep"),
    Clip("snowfall", "nature", nature.snowfall, "hana", "Somebody is home ❄️ #nature #winter", 8),
    Clip("terminal", "retro", retro.terminal, "kenji", "It still compiles #retro #code", 6),
    Clip("warp", "space", space.warp, "tomas", "Engage. #space #loop", 6),
    Clip("polyrhythm", "geometry", geometry.polyrhythm, "amara", "Wait for it… #geometry #rhythm", 12, tune=_polyrhythm_tune),
    Clip("fireflies", "nature", nature.fireflies, "amara", "July evenings at grandma's #nature", 8),
    Clip("lissajous", "geometry", geometry.lissajous, "demo", "My first loop! #geometry"),
    Clip("julia", "retro", retro.julia, "pixelpia", "A whole world in one line of code #code", 8),
    Clip("paper_waves", "ocean", ocean.paper_waves, "sunny", "Cut from paper, sort of #ocean #craft"),
    Clip("truchet", "geometry", geometry.truchet, "tomas", "Two arcs, endless paths #geometry #loop"),
    Clip("rain_window", "city", city.rain_window, "zoe", "Drip. Drip. Hello, Monday #city #rain", 8,
         rounds=2),
    Clip("planet", "space", space.planet, "noor", "Sixty moons and a hat #space"),
    Clip("misty_hills", "nature", nature.misty_hills, "demo", "For my friends: the way up #nature",
         7, FRIENDS),
    Clip("tunnel", "city", geometry.tunnel, "demo", "Draft, only I can see this #city", 6, PRIVATE),
]  # fmt: skip
CLIP_BY_NAME = {clip.name: clip for clip in CLIPS}


def render(clip: Clip, folder: Path) -> Path:
    """Draw a clip and set it to music.

    Returns:
        An MP4 (H.264, AAC) of 540×960 in the folder.

    Raises:
        subprocess.CalledProcessError: ffmpeg failed.
    """
    target = folder / f"{clip.name}.mp4"
    with tempfile.TemporaryDirectory(prefix="loopy-clip-") as scratch:
        sound = Path(scratch) / "sound.wav"
        seed = sum(clip.name.encode())
        tune = clip.tune(clip.seconds) if clip.tune else compose(clip.theme, clip.seconds, seed)
        write_wav(tune, sound)
        frames = clip.seconds * FPS // clip.rounds
        _encode(clip.draw(frames), sound, target, f"loop={clip.rounds - 1}:{frames}")
    return target


def _encode(frames: Iterator[Frame], sound: Path, target: Path, repeat: str) -> None:
    first = next(frames)
    height, width, _ = first.shape
    flags = "neighbor" if width < PIXEL_ART_WIDTH else "bicubic"
    command = [program(), "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(FPS)]
    command += ["-i", "pipe:0", "-i", str(sound)]
    command += ["-vf", f"scale={SIZE[0]}:{SIZE[1]}:flags={flags},format=yuv420p,{repeat}"]
    command += ["-c:v", "libx264", "-preset", "superfast", "-crf", "20"]
    command += ["-c:a", "aac", "-b:a", "128k", "-shortest", str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None  # noqa: S101 (a pipe was asked for)
        child.stdin.write(first.tobytes())
        for frame in frames:
            child.stdin.write(frame.tobytes())
        child.stdin.close()
        if child.wait():
            raise subprocess.CalledProcessError(child.returncode, command)
