"""Run a program that reads what strangers sent, with limits on what it can use and see.

Each runs in a process group of its own, with a clean environment (no secrets), and dies
with the thread that waits for it.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

# What may be read: containers by name, and nothing but the file itself. The protocol alone is
# not enough: a playlist or an SVG that names a local file opens with it.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"
PROTOCOLS = "file"
MAX_PIXELS = 16_777_216

PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR", "LOOPY_RUN")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Limits:
    """What a child may use: address space and written files in bytes, CPU in seconds."""

    memory: int
    file_size: int
    cpu: int
    niceness: int = 0


def start(
    command: list[str], limits: Limits, *, environment: dict[str, str] | None = None, stderr: int
) -> subprocess.Popen[bytes]:
    """Start a child whose output is read from `stdout`."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=clean_environment() | (environment or {}),
        start_new_session=True,
        preexec_fn=_restrict(limits),
    )


def end(child: subprocess.Popen[bytes]) -> None:
    """Kill a child with all that it started, and wait for it."""
    if child.poll() is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            child.kill()
    child.wait()
    if child.stdout:
        child.stdout.close()


def clean_environment() -> dict[str, str]:
    """Our environment without what such a child need not know."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def _restrict(limits: Limits) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    caps = [
        (resource.RLIMIT_CPU, limits.cpu),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_CORE, 0),
    ]
    if sys.platform == "linux":  # elsewhere the limit of memory is refused or ignored
        caps.append((resource.RLIMIT_AS, limits.memory))

    def restrict() -> None:
        for kind, value in caps:
            _, hard = resource.getrlimit(kind)
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (most, most))
        if limits.niceness:
            os.nice(limits.niceness)
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return restrict
