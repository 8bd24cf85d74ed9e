"""What a page of the feed costs over HTTP, against a view that answers from memory.

The product runs as `make run` starts it, with everything on: tokens, throttles, visibility, pages
prepared. Readers scroll as quickly as they are answered, each with a connection of their own. The
view that it is compared with authenticates in the same way and returns the bytes of a page. The two
take turns in one run, so that what else the machine does weighs on both alike.
"""

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import psutil
from tqdm import tqdm

from tests.benchmarks.running import started, use_database_of

SETTINGS = "tests.benchmarks.hot_settings"
PLOT = Path(__file__).resolve().parents[2] / "docs" / "img" / "hot_page.png"
FEED = "/videos/feed?mode=all"
VIDEOS, READERS = 1_000, 4
SECONDS, ROUNDS = 4.0, 4
HITS = re.compile(rb'^loopy_feed_prepared_total\{result="hit"\} (\S+)', re.MULTILINE)
NEXT = re.compile(rb'"next": "https?://[^/]+([^"]+)"')


@dataclass
class Load:
    """What readers got in a while: seconds that each answer took, and processor seconds.

    `hits` counts the answers that had been prepared.
    """

    times: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    refused: int = 0
    hits: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    @property
    def cost(self) -> float:
        """Milliseconds of the web server's processor time for an answer."""
        return self.cpu / max(len(self.times), 1) * 1000

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        return sorted(self.times)[int(share * (len(self.times) - 1))] * 1000

    def __iadd__(self, other: "Load") -> "Load":
        self.times += other.times
        self.seconds += other.seconds
        self.cpu += other.cpu
        self.refused += other.refused
        self.hits += other.hits
        return self


class Reader:
    """Somebody with a token and a connection, and a place in the feed."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._path = FEED
        self._socket = socket.create_connection(("127.0.0.1", port))

    def hits(self) -> float:
        """Return how many prepared pages were used so far, as the product counts them."""
        _, body = self._ask("/metrics")
        found = HITS.search(body)
        return float(found[1]) if found else 0.0

    def memory(self) -> bool:
        """Ask the view that it is compared with."""
        return self._ask("/bench/memory")[0] == 200

    def feed(self) -> bool:
        """Ask for the next page; after the last one begin anew."""
        status, body = self._ask(self._path)
        found = NEXT.search(body[:2000])
        self._path = found[1].decode() if found else FEED
        return status == 200

    def _ask(self, path: str) -> tuple[int, bytes]:
        request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Authorization: Bearer {self._token}\r\nAccept: application/json\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        parts, have = [body], len(body)
        while length and have < int(length[1]):
            parts.append(self._receive())
            have += len(parts[-1])
        return int(head[9:12]), b"".join(parts)

    def _receive(self) -> bytes:
        received = self._socket.recv(1 << 18)
        if not received:
            raise SystemExit("The server closed a connection.")
        return received


def run(data: Path) -> None:
    """Measure, print the figures, draw the plot."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    before = os.getloadavg()[0]  # of others, before this adds to it
    with started(data, DEMO="0", DJANGO_SETTINGS_MODULE=SETTINGS) as (port, launcher):
        readers = [Reader(port, token) for token in _people(data, READERS)]
        _keep_a_page(port, readers[0])
        web = [one for one in psutil.Process(launcher).children(recursive=True) if _is_web(one)]
        measured = _measure(readers, web, _redis_of(launcher))
    tqdm.write(_table(measured, before))
    _draw(measured)
    refused = sum(load.refused for load in measured.values())
    if refused:
        raise SystemExit(f"{refused} answers were not 200.")


def _measure(
    readers: list[Reader], web: list[psutil.Process], redis: psutil.Process
) -> dict[str, Load]:
    found = {name: Load() for name in ("memory", "hot", "half", "up", "frozen")}
    steps = tqdm(total=4 * ROUNDS + 2, desc="measuring")
    _scroll(readers, web, "feed", SECONDS)  # fills the caches
    steps.update()
    for _ in range(ROUNDS):
        for name, what in (("memory", "memory"), ("hot", "feed")):
            found[name] += _scroll(readers, web, what, SECONDS)
            steps.update()
    pause = len(readers) / (found["hot"].rate / 2)
    found["half"] = _scroll(readers, web, "feed", SECONDS, every=pause)
    steps.update()
    for _ in range(ROUNDS):
        found["up"] += _scroll(readers, web, "feed", SECONDS)
        steps.update()
        with _frozen(redis):
            found["frozen"] += _scroll(readers, web, "feed", SECONDS)
        steps.update()
    steps.close()
    return found


def _scroll(
    readers: list[Reader], web: list[psutil.Process], what: str, seconds: float, every: float = 0.0
) -> Load:
    """Have all readers ask for so long, each again at once or at intervals."""
    load = Load()
    hits, before, began = readers[0].hits(), _cpu(web), time.perf_counter()
    until = began + seconds

    def read(reader: Reader) -> None:
        due = time.perf_counter()
        while (start := time.perf_counter()) < until:
            good = getattr(reader, what)()
            load.times.append(time.perf_counter() - start)
            load.refused += not good
            due += every
            time.sleep(max(0.0, due - time.perf_counter()) if every else 0.0)

    threads = [threading.Thread(target=read, args=[reader]) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.seconds = time.perf_counter() - began
    load.cpu = _cpu(web) - before
    load.hits = readers[0].hits() - hits
    return load


@contextmanager
def _frozen(process: psutil.Process) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def _people(data: Path, count: int) -> list[str]:
    """Fill the database, and return tokens of so many people."""
    use_database_of(data)
    from accounts.api.tokens import token_pair
    from accounts.clients import Client
    from accounts.models import User
    from accounts.services.sessions import open_api_session
    from tests.benchmarks import scratch

    scratch.make_people()
    for _ in scratch.grow_to(VIDEOS):
        pass
    client = Client("127.0.0.1", "benchmark")
    return [
        token_pair(open_api_session(person, client))["access"]
        for person in User.objects.order_by("pk")[:count]
    ]


def _keep_a_page(port: int, reader: Reader) -> None:
    _, body = reader._ask(FEED)
    connection = HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {reader._token}"}
    connection.request("PUT", "/bench/memory", body, headers)
    assert connection.getresponse().status == 204
    assert json.loads(body)["count"] == 20


def _is_web(process: psutil.Process) -> bool:
    return any("granian" in word for word in process.cmdline())


def _redis_of(launcher: int) -> psutil.Process:
    found = psutil.Process(launcher).children(recursive=True)
    return next(one for one in found if "redis-server" in " ".join(one.cmdline()))


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def _table(measured: dict[str, Load], before: float) -> str:
    memory, hot, half = measured["memory"], measured["hot"], measured["half"]
    up, frozen = measured["up"], measured["frozen"]
    lines = [
        "",
        f"Pages of 20 for {READERS} readers at once (load before it {before:.1f})",
        f"{'':28} {'a second':>9} {'of it':>6} {'CPU ms':>7} {'p50 ms':>7} {'p95 ms':>7}"
        f" {'hits':>5}",
    ]
    for name, load, base in (
        ("a view that answers from memory", memory, memory),
        ("the feed, Redis up", hot, memory),
        ("… at half of that", half, memory),
        ("… Redis frozen", frozen, up),
    ):
        lines.append(
            f"{name:31} {load.rate:>6.0f} {load.rate / base.rate:>6.2f} {load.cost:>7.2f}"
            f" {load.percentile(0.5):>7.1f} {load.percentile(0.95):>7.1f}"
            f" {load.hits / len(load.times):>5.0%}"
        )
    return "\n".join(lines)


def _draw(measured: dict[str, Load]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    bars = {
        "from memory": (measured["memory"], "#8a8f98"),
        "feed": (measured["hot"], "#fe2c55"),
        "feed,\nRedis frozen": (measured["frozen"], "#25b7b0"),
    }
    figure, (rates, times) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
    colors = [color for _, color in bars.values()]
    drawn = rates.bar([*bars], [load.rate for load, _ in bars.values()], color=colors)
    rates.bar_label(drawn, fmt="%.0f")
    rates.set_ylabel("pages a second")
    for name, (load, color) in bars.items():
        shares = [n / 200 for n in range(1, 200)]
        label = name.replace("\n", " ")
        times.plot([load.percentile(share) for share in shares], shares, color=color, label=label)
    times.set(xscale="log", xlabel="milliseconds until the answer", ylabel="share of the answers")
    times.legend(fontsize=8)
    times.grid(alpha=0.25)
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=130)
