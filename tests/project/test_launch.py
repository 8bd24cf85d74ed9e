"""`make run`: what it says, what it keeps, and that it leaves nothing behind."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import psutil
import pytest

from tests.project.test_slow_clients import free_port
from tiktok_clone.embedded import running_services
from tiktok_clone.launch import Options, check_port, child_environment, read_options
from tiktok_clone.processes import LANES, RUN_VARIABLE, LaunchError

ROOT = Path(__file__).resolve().parents[2]


def test_the_defaults_are_those_of_the_documentation() -> None:
    options = read_options({})
    assert options == Options("127.0.0.1", 8000, ROOT / ".data", demo=True)
    assert options.url == "http://127.0.0.1:8000"


@pytest.mark.parametrize("value", ["0", "no", "FALSE", "off"])
def test_demo_data_can_be_switched_off(value: str) -> None:
    assert read_options({"DEMO": value}).demo is False


@pytest.mark.parametrize("value", ["x", "0", "65536", "-1"])
def test_a_port_that_makes_no_sense_is_refused(value: str) -> None:
    with pytest.raises(LaunchError, match="PORT must be a number"):
        read_options({"PORT": value})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - the address itself is tested
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("example.com", "http://example.com:8000"),
    ],
)
def test_the_printed_address_is_one_that_a_browser_can_open(host: str, url: str) -> None:
    assert read_options({"HOST": host}).url == url


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError) as refused:
            check_port(Options("127.0.0.1", port, Path(), demo=False))
    assert str(port) in str(refused.value)
    assert f"make run PORT={port + 1}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    options = Options("127.0.0.1", 8000, tmp_path, demo=False)
    first = child_environment(options, None)["SECRET_KEY"]
    assert len(first) >= 50
    assert child_environment(options, None)["SECRET_KEY"] == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


class Launched:
    """A running `make run`, and what it prints."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.port, self.data_dir = port, data_dir
        unset = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tiktok_clone.launch"],
            cwd=ROOT,
            env={
                **{name: value for name, value in os.environ.items() if name not in unset},
                "DATA_DIR": str(data_dir),
                "PORT": str(port),
                "DEMO": "0",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: Queue[str] = Queue()
        self.printed = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Return when a line with the text is printed."""
        deadline = time.monotonic() + seconds
        while text not in self.printed:
            ended = self.process.poll() is not None and self.lines.empty()
            if ended or time.monotonic() > deadline:
                pytest.fail(f"{text!r} was not printed, but:\n{self.printed}")
            with contextlib.suppress(Empty):
                self.printed += self.lines.get(timeout=0.2)

    def family(self) -> list[psutil.Process]:
        """Every process of this run."""
        mark = next(
            _environ(child)[RUN_VARIABLE]
            for child in psutil.Process(self.process.pid).children()
            if RUN_VARIABLE in _environ(child)
        )
        return [p for p in psutil.process_iter() if _environ(p).get(RUN_VARIABLE) == mark]

    def named(self, word: str) -> list[psutil.Process]:
        """The processes of this run whose command line has the word."""
        return [process for process in self.family() if word in process.cmdline()]

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(30)

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().status


def _environ(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except psutil.Error:
        return {}


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[[], Launched]]:
    started: list[Launched] = []

    def start() -> Launched:
        started.append(Launched(tmp_path / "my data", free_port()))
        started[-1].wait_for("Ctrl-C stops everything")
        return started[-1]

    yield start
    for launched in started:
        if launched.process.poll() is None:
            launched.process.kill()
            launched.process.wait()


def left(processes: list[psutil.Process]) -> list[list[str]]:
    """The command lines of those that do not end within ten seconds."""
    return [process.cmdline() for process in psutil.wait_procs(processes, timeout=10)[1]]


def test_a_run_starts_heals_stops_cleanly_and_starts_again_with_its_data(
    launch: Callable[[], Launched],
) -> None:
    first = launch()
    assert first.get("/readyz") == 200
    login = json.loads((first.data_dir / "administrator.json").read_text())
    assert login["password"] in first.printed
    assert (first.data_dir / "administrator.json").stat().st_mode & 0o777 == 0o600

    workers = first.named("worker")
    assert len(workers) == len(LANES)
    for worker in workers:
        worker.kill()
    for lane in LANES:
        first.wait_for(f"The worker ({lane}) ended and is started again")
    services = running_services(first.data_dir)
    assert services

    family, children = first.family(), psutil.Process(first.process.pid).children(recursive=True)
    assert first.stop(signal.SIGINT) == 0
    assert left([*family, *children]) == []
    assert not (first.data_dir / "services.json").exists()

    second = launch()
    assert login["password"] in second.printed
    family, children = second.family(), psutil.Process(second.process.pid).children(recursive=True)
    second.process.kill()
    assert left([*family, *children]) == []


def test_a_second_run_on_the_same_data_and_a_taken_port_are_refused(
    launch: Callable[[], Launched],
) -> None:
    first = launch()
    same_data = Launched(first.data_dir, free_port())
    same_data.wait_for("in use by another running copy")
    assert same_data.process.wait(20) == 1
    same_port = Launched(first.data_dir.parent / "other", first.port)
    same_port.wait_for(f"Cannot listen on 127.0.0.1 port {first.port}")
    assert same_port.process.wait(20) == 1
    assert first.get("/healthz") == 200
    assert first.stop() == 0
    assert not re.search(r"Traceback", first.printed)
