"""PostgreSQL and Redis from Python wheels, for development and tests.

The servers are children of this process, listen on Unix sockets in a private folder only, keep
their files below one data folder and end with us, even when we are killed. Nothing is configured
or left behind anywhere else.

    with start_services(Path(".data")) as services:
        os.environ.update(services.environment())

`python -m tiktok_clone.embedded -- manage.py shell` runs one command with them.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import environ
import psycopg

from tiktok_clone.servers import (
    EmbeddedError,
    Place,
    Server,
    full_disk,
    postgres_url,
    redis_binary,
    redis_url,
    start_postgres,
    start_redis,
)
from tiktok_clone.unprivileged import give, is_root, service_uid, spare_capability

__all__ = [
    "EmbeddedError",
    "Services",
    "development_secret_key",
    "running_services",
    "start_services",
]

# A socket path may have 107 characters on Linux and 103 on macOS; Redis cuts a longer one silently.
MAX_SOCKET_PATH = 100
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - for where TMPDIR is too long; we make a 0700 folder in it
TEMPORARY_PREFIX = "loopy-"
NO_REDIS = (
    "No redis-server here (its wheel has one up to Python 3.12), so Redis is off: everything"
    " works, some pages are slower."
)


@dataclass
class Services:
    """Running services. `database_url` and `redis_url` are what the settings read."""

    database_url: str = ""
    redis_url: str | None = None
    note: str = ""
    _servers: list[Server] = field(default_factory=list)
    _cleanup: list[Path] = field(default_factory=list)
    _locks: list[IO[str]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """The environment variables that point the settings here."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url or ""}

    def revive(self) -> list[str]:
        """Start again what has ended by itself, at the same address; return the programs' names."""
        ended = [server for server in self._servers if not server.running()]
        for server in ended:
            server.start()
        return [Path(server.command[0]).name for server in ended]

    def stop(self) -> None:
        """Stop what we started and remove the temporary files. Safe to call twice."""
        while self._servers:
            self._servers.pop().end()
        for path in self._cleanup:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        self._cleanup.clear()
        while self._locks:
            self._locks.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def start_services(data_dir: Path | None = None, *, ephemeral: bool = False) -> Services:
    """Start PostgreSQL and Redis and return when both answer.

    Call it from the main thread: Linux ends the servers together with the thread that began them.

    Args:
        data_dir: where the data stays; created when missing. Not needed for an ephemeral start.
        ephemeral: for tests: all in a temporary folder that `stop()` removes, and no fsync.

    Raises:
        EmbeddedError: no binaries, the folder is in use by another copy, or a server failed.
    """
    _sweep_temporary_folders()
    temporary = _temporary_folder()
    services = Services(_cleanup=[temporary], _locks=[_lock(temporary / "lock")])
    try:
        data = temporary / "data" if ephemeral or data_dir is None else data_dir.absolute()
        data.mkdir(parents=True, exist_ok=True)
        services._locks.append(_lock_data(data))
        sockets = temporary / "s"
        sockets.mkdir()
        place = Place(data, sockets, service_uid(data), ephemeral)
        give(sockets, place.uid)
        services._servers.append(start_postgres(place))
        services.database_url = postgres_url(sockets)
        _add_redis(services, place)
        _write_state(services, data)
    except (OSError, EmbeddedError) as error:
        services.stop()
        raise _in_plain_words(error, data_dir or Path(tempfile.gettempdir())) from error
    except BaseException:
        services.stop()
        raise
    return services


def _in_plain_words(error: Exception, folder: Path) -> EmbeddedError:
    """The error as it is, but for a full disk, which servers call by many names."""
    full = full_disk(folder, str(error)) if folder.exists() else ""
    if full:
        return EmbeddedError(full)
    if isinstance(error, EmbeddedError):
        return error
    return EmbeddedError(f"The embedded services cannot start: {error}")


def running_services(data_dir: Path) -> Services | None:
    """The services that another process (`make run`) runs on `data_dir`; our stop() keeps them."""
    try:
        state = json.loads((data_dir / "services.json").read_text())
        services = Services(state["database_url"], state["redis_url"])
        with psycopg.connect(services.database_url, connect_timeout=3):
            return services
    except (OSError, ValueError, KeyError, psycopg.Error):
        return None


def development_secret_key(data_dir: Path) -> str:
    """The secret key that belongs to this data folder, made on the first start."""
    path = data_dir / "secret_key"
    if not path.exists():
        _write_private(path, secrets.token_urlsafe(50))
    return path.read_text().strip()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _add_redis(services: Services, place: Place) -> None:
    binary = redis_binary()
    if binary is None:
        services.note = NO_REDIS
        return
    try:
        services._servers.append(start_redis(binary, place))
        services.redis_url = redis_url(place.sockets)
    except EmbeddedError as error:
        services.note = f"{error}\nGoing on without Redis."


def _write_state(services: Services, data: Path) -> None:
    path = data / "services.json"
    urls = {"database_url": services.database_url, "redis_url": services.redis_url}
    _write_private(path, json.dumps(urls))
    services._cleanup.append(path)


def _temporary_folder() -> Path:
    folder = Path(tempfile.gettempdir()).resolve()
    if len(str(folder / f"{TEMPORARY_PREFIX}12345678" / "s" / ".s.PGSQL.5432")) > MAX_SOCKET_PATH:
        folder = SHORT_FOLDER
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=folder))
    if is_root() and spare_capability(Path(sys.executable)) is None:
        # The servers' uid has to pass through; what is inside stays closed to others.
        temporary.chmod(0o711)
    return temporary


def _lock(path: Path) -> IO[str]:
    """Hold `path` until the file is closed or this process ends; BlockingIOError when held."""
    handle = path.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise
    return handle


def _lock_data(data: Path) -> IO[str]:
    try:
        return _lock(data / "embedded.lock")
    except PermissionError as error:
        raise EmbeddedError(f"{data} belongs to another user of this machine.") from error
    except BlockingIOError as error:
        raise EmbeddedError(
            f"{data} is in use by another running copy. Stop that one, or set DATA_DIR to another"
            " folder to run a second one."
        ) from error


def _sweep_temporary_folders() -> None:
    """Remove the folders of processes that were killed: nobody holds their lock."""
    for parent in {Path(tempfile.gettempdir()).resolve(), SHORT_FOLDER}:
        for folder in parent.glob(f"{TEMPORARY_PREFIX}*"):
            lock = folder / "lock"
            try:
                if folder.stat().st_uid != os.geteuid() or not lock.is_file():
                    continue
                _lock(lock).close()
            except OSError:
                continue
            shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Run one command with the services: `python -m tiktok_clone.embedded -- manage.py shell`.

    With `--migrate` before the `--`, the database is brought up to date first.
    """
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options, command = arguments[:at], arguments[at + 1 :]
    if not command or set(options) - {"--migrate"}:
        sys.stderr.write("usage: python -m tiktok_clone.embedded [--migrate] -- COMMAND …\n")
        return 2
    environ.Env.read_env(Path(__file__).resolve().parent.parent / ".env")
    data_dir = Path(os.environ.get("DATA_DIR") or ".data").absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SECRET_KEY", development_secret_key(data_dir))
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    try:
        with _services_to_use(data_dir) as services:
            os.environ.update(services.environment() if services.database_url else {})
            migrate = ["manage.py", "migrate", "--verbosity", "0"]
            failed = _run(migrate) if options else 0
            return failed or _run(command)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _services_to_use(data_dir: Path) -> Services:
    if os.environ.get("DATABASE_URL"):
        return Services()
    return running_services(data_dir) or start_services(data_dir)


def _run(command: list[str]) -> int:
    if command[0] == "-m" or command[0].endswith(".py"):
        command = [sys.executable, *command]
    child = subprocess.Popen(command)
    # Ctrl-C reaches the command by itself; we wait for its end and then stop the services.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
