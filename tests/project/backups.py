"""A second, empty site beside the one of the tests, and ways to compare the two."""

import hashlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
# What a restore means to change: sessions end, and tokens of before are refused.
CHANGED = {"django_session", "accounts_session", "common_signingepoch", "common_cachegeneration"}


def url_of(database: str) -> str:
    """The address of a database on the server of the tests."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{database}"))


def own_url() -> str:
    """The address of the database that the tests of this process use."""
    return url_of(str(connection.settings_dict["NAME"]))


@dataclass
class Site:
    """A database and a folder with a store."""

    url: str
    data: Path
    media: Path

    def environment(self) -> dict[str, str]:
        ours = {"DATABASE_URL": self.url, "DATA_DIR": str(self.data), "MEDIA_ROOT": str(self.media)}
        return {**os.environ, "DJANGO_SETTINGS_MODULE": "tiktok_clone.settings.test", **ours}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `manage.py` here; SIGINT ends it even where that of the tests is ignored."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def manage(self, *arguments: str, code: int = 0) -> str:
        """Run `manage.py` here; return what it said."""
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == code, said
        return said

    def ask(self, statement: str) -> list[tuple]:  # type: ignore[type-arg]
        with psycopg.connect(self.url) as database:
            return database.execute(statement).fetchall()


@contextmanager
def new_site(folder: Path) -> Iterator[Site]:
    """A site with a database that has no table; dropped afterwards."""
    name = f"site_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield Site(url_of(name), folder, folder / "media")
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def this_site() -> Site:
    """The one of the tests."""
    return Site(own_url(), Path(settings.DATA_DIR), Path(settings.MEDIA_ROOT))


def rows(url: str) -> dict[str, tuple[int, str | None]]:
    """How many rows each table has, and a checksum of them all; sequences by their last value."""
    with psycopg.connect(url) as database:
        tables = [
            name
            for (name,) in database.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            )
        ]
        found = {}
        for table in tables:
            row = database.execute(
                sql.SQL(
                    "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"
                ).format(sql.Identifier(table))
            ).fetchone()
            assert row
            found[table] = row
        sequences = database.execute(
            "SELECT sequencename, coalesce(last_value, 0)::int, '' FROM pg_sequences ORDER BY 1"
        )
        return found | {name: (value, text) for name, value, text in sequences}


def objects(media: Path) -> dict[str, str]:
    """The checksum of each object in a store."""
    return {
        path.relative_to(media).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in media.rglob("*")
        if path.is_file() and not path.is_relative_to(media / "incoming")
    }


def save(to: Path) -> None:
    """Back up the site of the tests."""
    call_command("backup", str(to), verbosity=0)
