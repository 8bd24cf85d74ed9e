"""The processes of one `make run`: started together, ended together, none forgotten."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tiktok_clone.embedded import Services
from tiktok_clone.unprivileged import child_setup

ROOT = Path(__file__).resolve().parent.parent
GRACE = 10.0
# Marks every process of this run, so that orphans of a killed worker are found as well.
RUN_VARIABLE = "LOOPY_RUN"

# Each lane is a worker of its own, or two long transcodes would hold up every e-mail, deletion and
# count. `None` leaves the number of jobs at the same time to WORKER_CONCURRENCY.
LANES: dict[str, tuple[tuple[str, ...], int | None]] = {
    "worker": (("default",), 4),
    "media": (("media",), None),
}


def worker_arguments(lane: str, grace: int) -> list[str]:
    """What `manage.py` is told to run a lane's worker.

    Args:
        lane: a name in LANES.
        grace: seconds that its jobs have when it is told to stop.
    """
    queues, concurrency = LANES[lane]
    arguments = ["procrastinate", "worker", "--queues", ",".join(queues)]
    arguments += ["--concurrency", str(concurrency)] if concurrency else []
    return [*arguments, "--shutdown-graceful-timeout", str(grace)]


class LaunchError(Exception):
    """The product cannot start; the message is for people."""


@dataclass
class Product:
    """The running processes, and the environment that they get."""

    environment: dict[str, str] = field(default_factory=dict)
    services: Services | None = None
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment[RUN_VARIABLE] = secrets.token_hex(8)

    def start(
        self, name: str, command: list[str], death_signal: int = signal.SIGKILL
    ) -> subprocess.Popen[bytes]:
        """Start a child in a session of its own, which gets `death_signal` when we are killed.

        A worker that is asked politely then waits for the database, which is gone as well.
        """
        self.children[name] = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=child_setup(os.geteuid(), Path(sys.executable), death_signal),
        )
        return self.children[name]

    def run(self, name: str, command: list[str]) -> None:
        """Run a child to its end; LaunchError when it fails."""
        code = self.start(name, command).wait()
        del self.children[name]
        if code != 0:
            raise LaunchError(f"{name} failed; its messages are above.")

    def stop(self) -> None:
        """End everything: children and their ffmpeg first, the database last."""
        for child in self.children.values():
            child.terminate()
        deadline = time.monotonic() + GRACE
        while self._running() and time.monotonic() < deadline:
            # A job that waits for ffmpeg would use up the time; it is tried again at next start.
            _kill(process for process in self._marked() if _is_ffmpeg(process))
            time.sleep(0.1)
        _kill(self._marked())
        for child in self.children.values():
            child.wait()
        self.children.clear()
        if self.services:
            self.services.stop()

    def _running(self) -> bool:
        return any(child.poll() is None for child in self.children.values())

    def _marked(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(RUN_VARIABLE) == self.environment[RUN_VARIABLE]
        except psutil.Error:
            return False


def _is_ffmpeg(process: psutil.Process) -> bool:
    try:
        return process.name().startswith(("ffmpeg", "ffprobe"))
    except psutil.Error:
        return False


def _kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.Error:
            continue
