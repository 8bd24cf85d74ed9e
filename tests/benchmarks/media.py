"""`python -m tests.benchmarks.media`: what it costs to make a clip playable.

- The ladder in one call of ffmpeg against one call for each rung, with the same settings.
- From the end of an upload to the first playable rung, and to all of them, in the running product.
- Memory of the web process while 200 MB come in, as one form and in pieces.
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
from typing import Any

import django
import psutil
import requests
from tqdm import tqdm

from tests.benchmarks.running import started

SECONDS = 15
ROUNDS = 2
LARGE = 200 * 2**20
PLOT = Path(__file__).resolve().parents[2] / "docs" / "img" / "media_cost.png"
BOUNDARY = "loopybenchmarkboundary"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
PERSON = {"email": "bench@example.org", "password": "correct horse battery", "handle": "bench"}


@dataclass
class Cost:
    """Processor and wall seconds, and bytes that came out."""

    cpu: float
    wall: float
    size: int


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
        bar = tqdm(total=2 * options.rounds + 3, desc="measuring")
        one, several = _ladders(clip, folder, options.rounds, bar)
        with started(folder / "data", DEMO="0") as (port, pid):
            site = Site(port)
            first, all_rungs, duration = site.time_to_playable(clip)
            bar.update()
            form = _memory(pid, lambda: site.post(_padded(clip, folder / "large.mp4")))
            bar.update()
            pieces = _memory(pid, lambda: site.post_in_pieces(folder / "large.mp4"))
            bar.update()
        bar.close()
    tqdm.write(_table(one, several, first, all_rungs, duration, form, pieces))
    _plot(one, several, first / duration, all_rungs / duration)


class Site:
    """A client of the running product."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = requests.Session()
        answer = self.http.post(f"{self.url}/user/signup", json=PERSON | {"name": "Bench"})
        self.http.headers["Authorization"] = f"Bearer {_checked(answer)['access']}"

    def post(self, path: Path) -> dict[str, Any]:
        """Send a file as one form."""
        form = path.with_suffix(".form")
        form.write_bytes(HEAD + path.read_bytes() + TAIL)
        with form.open("rb") as body:  # a file is streamed; `files=` would be held in memory
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            return _checked(self.http.post(f"{self.url}/video", data=body, headers=headers))

    def post_in_pieces(self, path: Path) -> dict[str, Any]:
        """Send a file in pieces, one after the other."""
        size = path.stat().st_size
        upload = _checked(self.http.post(f"{self.url}/video/upload", json={"size": size}))
        with path.open("rb") as file:
            for start in range(0, size, upload["chunk_bytes"]):
                piece = file.read(upload["chunk_bytes"])
                span = f"bytes {start}-{start + len(piece) - 1}/{size}"
                headers = {"Content-Range": span, "X-Unique-Upload-Id": upload["id"]}
                sent = self.http.post(upload["url"], files={"file": piece}, headers=headers)
                _checked(sent)
        return _checked(self.http.post(f"{self.url}/video", data={"upload": upload["id"]}))

    def time_to_playable(self, clip: Path) -> tuple[float, float, float]:
        """Return seconds to the first rung and to all of them, and the length of the clip."""
        video = self.post(clip)
        start = time.monotonic()
        first = 0.0
        while True:
            video = _checked(self.http.get(f"{self.url}/videos/{video['id']}"))
            passed = time.monotonic() - start
            if video["status"] not in ("stored", "processing", "ready") or passed > 600:
                raise SystemExit(f"The clip did not get ready: {video['status']}")
            if video["status"] == "ready" and not first:
                first = passed
            if len(video["sources"]) == 4:
                return first, passed, video["duration"]
            time.sleep(0.05)


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


def _checked(answer: requests.Response) -> dict[str, Any]:
    if answer.status_code >= 300:
        raise SystemExit(f"{answer.url}: {answer.status_code} {answer.text[:300]}")
    found: dict[str, Any] = answer.json()
    return found


def _table(
    one: Cost,
    several: Cost,
    first: float,
    whole: float,
    duration: float,
    form: float,
    pieces: float,
) -> str:
    load = " ".join(f"{each:.1f}" for each in psutil.getloadavg())
    return "\n".join(
        [
            "",
            f"The ladder of {SECONDS} s at 1080x1920, one call against one for each rung: "
            f"CPU {one.cpu / several.cpu:.2f}, wall {one.wall / several.wall:.2f}, "
            f"bytes {one.size / several.size:.2f}",
            f"From the end of the upload: first rung {first:.1f} s ({first / duration:.2f} of the "
            f"clip's length), all rungs {whole:.1f} s ({whole / duration:.2f})",
            f"The web server grew by {form:.0f} MB while 200 MB came as a form, "
            f"by {pieces:.0f} MB in pieces",
            f"Load of the machine: {load}",
        ]
    )


def _plot(one: Cost, several: Cost, first: float, whole: float) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    values = {
        "CPU": one.cpu / several.cpu,
        "wall time": one.wall / several.wall,
        "bytes": one.size / several.size,
        "first rung": first,
        "all rungs": whole,
    }
    figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    colors = ["#fe2c55"] * 3 + ["#25c4be"] * 2
    bars = axes.barh(list(values), list(values.values()), color=colors)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.6, linestyle=":")
    axes.set_xlabel(
        "red: one call, in calls for each rung · green: waiting, in lengths of the clip"
    )
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=130)


if __name__ == "__main__":
    main()
