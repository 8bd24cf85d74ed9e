"""Backups: made while the site is used, or not made at all."""

import errno
import json
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management.base import CommandError
from django.db import connection, transaction

from accounts.models import User
from accounts.tasks import sweep_avatar
from feeds import writeback
from tests.feeds.caching import connected
from tests.project.backups import (
    ROOT,
    Site,
    objects,
    own_url,
    save,
    this_site,
)
from tests.videos.clips import clip
from tiktok_clone.common.keeping import LOCK, objects_kept
from tiktok_clone.common.storage import incoming, local_store
from tiktok_clone.operations import backup, postgres
from videos.models import Tombstone, Video
from videos.publication import bury
from videos.services.comments import add_comment
from videos.services.publishing import create_video
from videos.tasks import purge_tombstones


def test_a_backup_of_a_site_that_is_written_to_is_of_one_moment(
    video: Video, empty: Site, saved: Path
) -> None:
    stop = threading.Event()
    acknowledged: list[int] = []

    def write() -> None:
        try:
            author = User.objects.get(handle="jonas")
            while not stop.is_set():
                mine = create_video(author, clip("180x320", 1.0), f"clip {time.time()}", "public")
                add_comment(author, video.pk, "once more")
                acknowledged.append(mine.pk)
                if len(acknowledged) % 3 == 0:
                    with transaction.atomic():
                        bury(mine.folder)
                        mine.delete()
                purge_tombstones(timestamp=0)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(acknowledged) < 3:
            time.sleep(0.01)
        done = list(acknowledged)
        this_site().manage("backup", str(saved))
        during = len(acknowledged) - len(done)
    finally:
        stop.set()
        writer.join()
    assert during > 0, "nothing was written meanwhile, so this proves nothing"
    said = empty.manage("restore", str(saved))
    assert "missing" not in said

    restored = {pk for (pk,) in empty.ask("SELECT id FROM videos_video")}
    deleted = {pk for number, pk in enumerate(acknowledged, 1) if number % 3 == 0}
    assert {*done} - deleted <= restored
    counted = "SELECT comments_count FROM videos_video WHERE id = {0}"
    rows_of = "SELECT count(*)::int FROM videos_comment WHERE video_id = {0}"
    assert empty.ask(counted.format(video.pk)) == empty.ask(rows_of.format(video.pk))
    stored = "SELECT uuid FROM videos_video WHERE status = 'stored'"
    folders = {f"videos/{uuid}/original" for (uuid,) in empty.ask(stored)}
    assert folders
    assert folders <= set(objects(empty.media))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_backup_leaves_no_file_that_looks_complete(
    stored: Video, saved: Path, how: signal.Signals
) -> None:
    with psycopg.connect(own_url(), autocommit=True) as other:
        # A deletion that is going on, for which the backup waits.
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        process = this_site().start("backup", str(saved))
        deadline = time.monotonic() + 60
        while not waiting_for_the_lock() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [path.name for path in saved.parent.iterdir()] == [".site.tar.loopy-backup"]
        process.send_signal(how)
        process.communicate(timeout=30)
        assert process.returncode != 0
    left = [path.name for path in saved.parent.iterdir()]
    assert left == ([".site.tar.loopy-backup"] if how == signal.SIGKILL else [])
    save(saved)
    assert [path.name for path in saved.parent.iterdir()] == ["site.tar"]
    assert saved.stat().st_mode & 0o777 == 0o600


def test_what_others_keep_beside_it_is_left_alone(stored: Video, saved: Path) -> None:
    theirs = saved.parent
    (theirs / ".download.partial").mkdir(parents=True)
    (theirs / ".download.partial" / "half").write_bytes(b"theirs")
    (theirs / ".notes.loopy-backup").write_bytes(b"a file")
    (theirs / ".link.loopy-backup").symlink_to(theirs / ".download.partial")
    (theirs / ".killed.tar.loopy-backup").mkdir()
    save(saved)
    left = {path.name for path in theirs.iterdir()}
    assert left == {".download.partial", ".notes.loopy-backup", ".link.loopy-backup", "site.tar"}
    assert (theirs / ".download.partial" / "half").read_bytes() == b"theirs"


def waiting_for_the_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(
    stored: Video, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup.Writer, "close", full)
    with pytest.raises(CommandError, match="No space left on device"):
        save(saved)
    assert list(saved.parent.iterdir()) == []


def test_too_little_room_is_said_before_anything_is_written(
    stored: Video, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "RESERVE_BYTES", 10**15)
    with pytest.raises(CommandError, match="MB free"):
        save(saved)
    assert list(saved.parent.iterdir()) == []


def test_a_backup_that_lost_the_database_on_the_way_is_none(
    stored: Video, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = backup._write

    def write(*arguments: Any, **options: Any) -> int:
        count = written(*arguments, **options)
        with psycopg.connect(own_url(), autocommit=True) as other, connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            other.execute("SELECT pg_terminate_backend(%s)", [cursor.fetchone()[0]])
        return count

    monkeypatch.setattr(backup, "_write", write)
    try:
        with pytest.raises(CommandError, match="connection to the database broke"):
            save(saved)
    finally:
        connection.close()
    assert list(saved.parent.iterdir()) == []


def test_views_that_are_counted_and_not_written_yet_come_along(stored: Video, saved: Path) -> None:
    connected().hset(writeback.HASH, f"{stored.pk}:views", 3)
    save(saved)
    assert Video.objects.get(pk=stored.pk).views_count == 3


def test_an_existing_file_is_not_written_over(stored: Video, saved: Path) -> None:
    saved.parent.mkdir()
    saved.write_text("something else")
    with pytest.raises(CommandError, match="exists already"):
        save(saved)
    assert saved.read_text() == "something else"


def test_common_tools_can_check_a_backup(stored: Video, saved: Path, tmp_path: Path) -> None:
    save(saved)
    script = f"tar xf '{saved}' && sha256sum --check --quiet SHA256SUMS"
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["postgres"] == 18
    assert manifest["migrations"]["videos"] > "0001"


def test_deletions_wait_until_the_backup_is_done(user: User) -> None:
    source = incoming() / "a.webp"
    source.write_bytes(b"x")
    for name in ("videos/gone/a.webp", "avatars/old/256.webp"):
        local_store().save(name, source)
    bury("videos/gone")
    with objects_kept(), psycopg.connect(own_url(), autocommit=True) as backup_of_another:
        backup_of_another.execute("SELECT pg_advisory_lock_shared(%s)", [LOCK])
        in_another_connection(purge_tombstones, timestamp=0)
        in_another_connection(sweep_avatar, folder="avatars/old")
        assert local_store().exists("videos/gone/a.webp")
        assert local_store().exists("avatars/old/256.webp")
        assert Tombstone.objects.count() == 1
        with connection.cursor() as cursor:
            cursor.execute("SELECT args FROM procrastinate_jobs WHERE scheduled_at > now()")
            assert [json.loads(args) if isinstance(args, str) else args for (args,) in cursor] == [
                {"folder": "avatars/old"}
            ]
        # A server lets go of a closed connection's locks a moment later.
        backup_of_another.execute("SELECT pg_advisory_unlock_shared(%s)", [LOCK])
    purge_tombstones(timestamp=0)
    sweep_avatar(folder="avatars/old")
    assert list(local_store().names("videos/gone")) == []
    assert not local_store().exists("avatars/old/256.webp")
    assert not Tombstone.objects.exists()


def in_another_connection(task: object, **arguments: object) -> None:
    def work() -> None:
        try:
            task(**arguments)  # type: ignore[operator]
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def fake_tools(folder: Path, version: str) -> None:
    folder.mkdir()
    for tool in postgres.TOOLS:
        (folder / tool).write_text(f"#!/bin/sh\necho '{tool} (PostgreSQL) {version}'\n")
        (folder / tool).chmod(0o755)


def test_tools_that_are_too_old_or_missing_are_named(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "in_package", lambda *_: None)
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(postgres.ToolError, match=r"are needed, version 18 or newer: install"):
        postgres.tools()
    fake_tools(tmp_path / "old", "15.18 (Debian 15.18-0+deb12u1)")
    monkeypatch.setenv("PATH", str(tmp_path / "old"))
    with pytest.raises(postgres.ToolError, match=r"too old here: version 15 in .*old\. Install"):
        postgres.tools()
    fake_tools(tmp_path / "new", "19.1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'old'}:{tmp_path / 'new'}")
    assert postgres.tools() == tmp_path / "new"


def test_the_password_is_passed_in_the_environment_and_not_on_a_command_line(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "very secret")
    monkeypatch.setenv("PGUSER", "of somebody else")
    found = postgres._environment()
    assert found["PGPASSWORD"] == "very secret"
    assert found["PGUSER"] == "loopy"
    assert found["PGDATABASE"] == connection.settings_dict["NAME"]


def test_the_make_targets_pass_the_file_on() -> None:
    def said(*arguments: str) -> str:
        done = subprocess.run(
            ["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    assert 'manage.py backup "/tmp/a b.tar"' in said("backup", "FILE=/tmp/a b.tar")
    restore = said("restore", "FILE=/tmp/a b.tar", "OVERWRITE=1")
    assert 'manage.py restore "/tmp/a b.tar" \\\n\t--overwrite' in restore
    assert "--overwrite" not in said("restore", "FILE=x")
