"""`python -m tests.benchmarks.media`: what it costs to make a clip playable.

- The ladder in one call of ffmpeg against one call for each rung, with the same settings.
- From the last byte of an upload to the first playable rung, and to all of them, in the running
  product.
- Memory of the web processes while 200 MB come in: as one form, in pieces, and as a form that is
  passed on to Cloudinary (the emulator of the tests).

Each figure is printed beside its target, as a row of the table in decision 31; ✗ marks what falls
short.
"""

import argparse
import resource
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import django
import psutil
from tqdm import tqdm

from tests.benchmarks.running import started
from tests.benchmarks.uploading import Site
from tests.cloudinary import Emulator

SECONDS = 15
ROUNDS = 2
LARGE = 200 * 2**20
MOST_MB = 32
PLOT = Path(__file__).resolve().parents[2] / "docs" / "img" / "media_cost.png"


@dataclass
class Cost:
    """Processor and wall seconds, and bytes that came out."""

    cpu: float
    wall: float
    size: int


@dataclass
class Figure:
    """What was measured, and the most that it should be."""

    what: str
    value: float
    target: float
    unit: str = ""

    def row(self) -> str:
        """It as a row of a table."""
        mark = "" if self.value <= self.target else " ✗"
        digits = 0 if self.unit == "MB" else 2
        value = f"{self.value:.{digits}f} {self.unit}".strip()
        return f"| {self.what} | {value}{mark} | {self.target:g} {self.unit}".rstrip() + " |"


def main() -> None:
    """Measure, print a table, draw the plot."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.media", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the ladder; the best counts")
    parser.add_argument("--clip", type=Path, help="a video of 1080x1920; one is drawn otherwise")
    options = parser.parse_args()
    _set_up()
    with tempfile.TemporaryDirectory(prefix="loopy-media-") as temporary:
        folder = Path(temporary)
        clip = options.clip or _draw_clip(folder / "clip.mp4")
        with tqdm(total=2 * options.rounds + 4, desc="measuring") as bar:
            figures = _compare(*_ladders(clip, folder, options.rounds, bar))
            figures += _in_the_product(clip, folder, bar)
            figures += _passed_on(clip, folder, bar)
    load = " ".join(f"{each:.1f}" for each in psutil.getloadavg())
    tqdm.write("\n".join(["", *(figure.row() for figure in figures), f"load {load}"]))
    _plot(figures)


def _compare(one: Cost, several: Cost) -> list[Figure]:
    return [
        Figure("one call, in parts of one for each rung: CPU", one.cpu / several.cpu, 0.7),
        Figure("one call, in parts of one for each rung: wall time", one.wall / several.wall, 0.8),
        Figure("one call, in parts of one for each rung: bytes", one.size / several.size, 1.0),
    ]


def _in_the_product(clip: Path, folder: Path, bar: "tqdm[None]") -> list[Figure]:
    with started(folder / "data", DEMO="0") as (port, pid):
        site = Site(port)
        rounds = [site.time_to_playable(clip) for _ in range(3)]
        first, whole, duration = map(median, zip(*rounds, strict=True))
        bar.update()
        large = _padded(clip, folder / "large.mp4")
        form = _memory(pid, lambda: site.post(large))
        bar.update()
        pieces = _memory(pid, lambda: site.post_in_pieces(large))
        bar.update()
    return [
        Figure("last byte to first rung, in lengths of the clip", first / duration, 0.4),
        Figure("last byte to all rungs, in lengths of the clip", whole / duration, 1.0),
        Figure("web server grows by, for 200 MB: as a form", form, MOST_MB, "MB"),
        Figure("web server grows by, for 200 MB: in pieces", pieces, MOST_MB, "MB"),
    ]


def _passed_on(clip: Path, folder: Path, bar: "tqdm[None]") -> list[Figure]:
    """A form for a site whose media are at Cloudinary; pieces go past it."""
    with Emulator(fake=True) as emulator:
        url = f"{emulator.url}&secure=false"
        with started(folder / "hosted", DEMO="0", CLOUDINARY_URL=url) as (port, pid):
            site = Site(port)
            site.post(clip)
            grown = _memory(pid, lambda: site.post(folder / "large.mp4"))
    bar.update()
    return [
        Figure("web server grows by, for 200 MB: passed on to Cloudinary", grown, MOST_MB, "MB")
    ]


def _set_up() -> None:
    import os

    os.environ.setdefault("SECRET_KEY", "benchmarks-only-" + "x" * 40)
    os.environ.setdefault("DATABASE_URL", "postgres://offline@127.0.0.1:9/offline")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.dev")
    django.setup()


def _draw_clip(path: Path) -> Path:
    """Draw something with motion and grain, as a phone's clip has."""
    from videos.media import ffmpeg

    picture = f"mandelbrot=s=1080x1920:r=30,noise=alls=8:allf=t,trim=duration={SECONDS}"
    command = [ffmpeg.program(), "-v", "error", "-y", "-f", "lavfi", "-i", picture]
    command += ["-f", "lavfi", "-i", f"sine=d={SECONDS}", "-c:v", "libx264", "-preset", "veryfast"]
    command += ["-crf", "20", "-pix_fmt", "yuv420p", "-shortest", str(path)]
    subprocess.run(command, check=True)
    return path


def _ladders(clip: Path, folder: Path, rounds: int, bar: "tqdm[None]") -> tuple[Cost, Cost]:
    from videos.media import ladder
    from videos.media.probe import probe

    found = probe(clip)
    rungs = ladder.rungs(found.width, found.height)
    one, several = [], []
    for _ in range(rounds):
        one.append(_run([ladder.ladder_command(clip, found, rungs, folder)], folder))
        bar.update()
        each = [ladder.ladder_command(clip, found, [rung], folder) for rung in rungs]
        several.append(_run(each, folder))
        bar.update()
    return min(one, key=lambda cost: cost.cpu), min(several, key=lambda cost: cost.cpu)


def _run(commands: list[list[str]], folder: Path) -> Cost:
    from videos.media import ffmpeg

    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for command in commands:
        ffmpeg.run(command)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    size = sum((folder / f"{side}.mp4").stat().st_size for side in (360, 540, 720, 1080))
    return Cost(cpu, wall, size)


def _padded(clip: Path, target: Path) -> Path:
    """Make a clip large by a box of MP4 that players skip."""
    content = clip.read_bytes()
    rest = LARGE - len(content) - 1024
    with target.open("wb") as file:
        file.write(content)
        file.write(struct.pack(">I4s", rest, b"free"))
        file.truncate(len(content) + rest)
    return target


def _memory(launcher: int, act: Any) -> float:
    """Return by how many MB the web server's processes grew at most while something happens."""
    web = [each for each in psutil.Process(launcher).children(True) if _is_web(each)]
    with _watching(web) as peaks:
        before = sum(each.memory_info().rss for each in web)
        act()
    return (max(peaks) - before) / 2**20


def _is_web(process: psutil.Process) -> bool:
    return any("granian" in word for word in process.cmdline())


@contextmanager
def _watching(processes: list[psutil.Process]) -> Iterator[list[int]]:
    peaks, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peaks.append(sum(each.memory_info().rss for each in processes))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def _plot(figures: list[Figure]) -> None:
    """Draw each figure in parts of its target."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    values = {each.what: each.value / each.target for each in figures}
    colors = ["#25c4be" if value <= 1 else "#fe2c55" for value in values.values()]
    figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
    bars = axes.barh(list(values), list(values.values()), color=colors)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.axvline(1, color="black", linewidth=0.6, linestyle=":")
    axes.set_xlabel("in parts of the target")
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=130)


if __name__ == "__main__":
    main()
