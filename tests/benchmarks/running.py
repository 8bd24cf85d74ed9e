"""The product as `make run` starts it, for measurements over HTTP."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import django

from tiktok_clone.embedded import development_secret_key, running_services
from tiktok_clone.processes import ROOT


@contextmanager
def started(data: Path, **environment: str) -> Iterator[tuple[int, int]]:
    """Start the product on a folder of data, and stop it afterwards.

    Args:
        data: keeps its database and media.
        environment: settings of it, beside those of this process.

    Yields:
        The port that it listens on, and the id of the process that started all the others.
    """
    port = free_port()
    launcher = subprocess.Popen(
        [sys.executable, "-m", "tiktok_clone.launch"],
        cwd=ROOT,
        env=_clean(os.environ) | environment | {"PORT": str(port), "DATA_DIR": str(data)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_until_ready(launcher)
        yield port, launcher.pid
    finally:
        launcher.send_signal(signal.SIGTERM)
        launcher.wait()


def use_database_of(data: Path, **environment: str) -> None:
    """Let this process read and write the rows of the product that was started on a folder.

    Args:
        environment: settings of this process, DJANGO_SETTINGS_MODULE if it is not set yet.
    """
    services = running_services(data)
    assert services is not None, "the product's database was not found"
    key = development_secret_key(data)
    os.environ |= services.environment() | {"SECRET_KEY": key, "DATA_DIR": str(data)} | environment
    django.setup()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Without services and the key of others: it starts and makes its own."""
    others = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
    return {name: value for name, value in environment.items() if name not in others}


def _wait_until_ready(launcher: "subprocess.Popen[str]") -> None:
    assert launcher.stdout is not None
    for line in launcher.stdout:
        if "Ctrl-C" in line:
            return
        if line.strip():
            sys.stderr.write(line)
    raise SystemExit("The product did not start; its messages are above.")
