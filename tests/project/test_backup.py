"""Backup and restore, with a site that is filled, read and written to for real."""

import errno
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from accounts.models import User
from accounts.tasks import sweep_avatar
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import PASSWORD, UserFactory
from tests.project.backups import CHANGED, ROOT, Site, new_site, objects, own_url, rows, this_site
from tests.videos.clips import clip
from tiktok_clone.common.keeping import LOCK, objects_kept
from tiktok_clone.common.storage import incoming, store
from tiktok_clone.operations import backup, postgres
from videos.models import Status, Tombstone, Video
from videos.publication import bury
from videos.services.comments import add_comment
from videos.services.engagement import like_video
from videos.services.publishing import create_video
from videos.tasks import purge_tombstones

# Prints what a client of the restored site gets: the clip's bytes, or the answer to an old token.
PLAY = """
import django, sys
django.setup()
from django.test import Client
client = Client()
video = client.get(f"/videos/{sys.argv[1]}").json()
assert client.get(video["poster"]).status_code == 200
author = client.get(f"/users/@{video['author']['handle']}").json()
assert author["videos_count"] == 1
if sys.argv[2]:
    answer = client.get("/user/me", headers={"Authorization": f"Bearer {sys.argv[2]}"})
    sys.stdout.write(str(answer.status_code))
else:
    sys.stdout.buffer.write(b"".join(client.get(video["sources"][0]["url"])))
"""


def play(site: Site, video: Video, token: str = "") -> bytes | str:
    """The first rendition's bytes, or the status that an access token of before gets."""
    command = [sys.executable, "-c", PLAY, str(video.pk), token]
    done = subprocess.run(
        command, cwd=ROOT, env=site.environment(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode() if token else done.stdout


@pytest.fixture(autouse=True)
def _empty_store(transactional_db: None) -> None:
    """No objects of other tests."""
    for name in list(store().names()):
        if not name.startswith("incoming/"):
            store().delete_prefix(name)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    with new_site(tmp_path / "second") as site:
        yield site


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "site.tar"


@pytest.fixture
def video(run_jobs: RunJobs) -> Video:
    """A ready clip with a comment and a like, of somebody who is signed in."""
    author, fan = UserFactory(handle="maya"), UserFactory(handle="jonas")
    made = create_video(author, clip("180x320", 1.0), "Waves #ocean", "public")
    run_jobs()
    add_comment(fan, made.pk, "Lovely!")
    like_video(fan, made.pk)
    made.refresh_from_db()
    assert made.status == Status.READY
    return made


@pytest.fixture
def stored(user: User) -> Video:
    """A clip that is not prepared yet."""
    return create_video(user, clip("180x320", 1.0), "Waves #ocean", "public")


def save(to: Path) -> None:
    call_command("backup", str(to), verbosity=0)


def test_a_restored_site_has_the_same_rows_and_objects_and_its_clip_plays(
    video: Video, empty: Site, saved: Path
) -> None:
    body = {"email": video.author.email, "password": PASSWORD}
    token = ApiClient().post("/user/signin", body)["access"]
    save(saved)
    before, kept = rows(own_url()), objects(Path(settings.MEDIA_ROOT))
    said = empty.manage("restore", str(saved))
    assert f"{len(kept)} objects were written" in said
    assert "missing" not in said
    assert "of nobody" not in said

    after = rows(empty.url)
    assert {name for name in before if before[name] != after.get(name)} <= CHANGED
    assert before["videos_video"][0] == 1
    assert before["accounts_user"][0] == 2
    assert objects(empty.media) == kept
    assert len(kept) > 2

    assert play(empty, video) == store().path(video.renditions.get().name).read_bytes()

    # Sign-ins of before are over, and tokens of before name rows of another epoch.
    assert empty.ask("SELECT count(*) FROM accounts_session WHERE ended_at IS NULL") == [(0,)]
    assert empty.ask("SELECT count(*) FROM django_session") == [(0,)]
    assert play(empty, video, token) == "401"
    assert empty.manage("migrate", "--check") == ""


def test_a_filled_site_is_replaced_only_when_told_and_newer_objects_are_reported(
    video: Video, empty: Site, saved: Path, tmp_path: Path
) -> None:
    save(saved)
    empty.manage("restore", str(saved))
    newer = tmp_path / "newer"
    newer.write_bytes(b"posted after the backup")
    (empty.media / "videos" / "newer").mkdir()
    newer.rename(empty.media / "videos" / "newer" / "360.mp4")
    with psycopg.connect(empty.url) as database:
        database.execute("UPDATE videos_video SET caption = 'changed since'")

    said = empty.manage("restore", str(saved), code=1)
    assert "not empty (2 accounts, 1 videos)" in said
    assert "--overwrite" in said
    assert empty.ask("SELECT caption FROM videos_video") == [("changed since",)]

    said = empty.manage("restore", str(saved), "--overwrite")
    assert empty.ask("SELECT caption FROM videos_video") == [("Waves #ocean",)]
    assert "0 objects were written" in said
    assert "1 objects are newer than the backup or of nobody" in said
    assert "unknown videos/newer/360.mp4" in empty.manage("check_media")


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
        assert [path.name for path in saved.parent.iterdir()] == [".site.tar.partial"]
        process.send_signal(how)
        process.communicate(timeout=30)
        assert process.returncode != 0
    left = [path.name for path in saved.parent.iterdir()]
    assert left == ([".site.tar.partial"] if how == signal.SIGKILL else [])
    save(saved)
    assert [path.name for path in saved.parent.iterdir()] == ["site.tar"]
    assert saved.stat().st_mode & 0o777 == 0o600


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


def test_without_a_database_it_is_one_sentence(empty: Site, saved: Path) -> None:
    away = Site("postgres://loopy@127.0.0.1:9/nowhere", empty.data, empty.media)
    for command in ("backup", "restore"):
        save(saved) if command == "restore" else None
        said = away.manage(command, str(saved), code=1)
        assert "The database does not answer" in said
        assert "Traceback" not in said


def test_the_owner_of_the_database_may_restore_without_being_superuser(
    stored: Video, empty: Site, saved: Path
) -> None:
    save(saved)
    name = empty.url.split("?")[0].rpartition("/")[2]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE ROLE {name} LOGIN")
        server.execute(f"ALTER DATABASE {name} OWNER TO {name}")
        try:
            owner = Site(empty.url.replace("loopy@", f"{name}@"), empty.data, empty.media)
            owner.manage("migrate", "--verbosity", "0")
            owner.manage("restore", str(saved))
            owner.manage("restore", str(saved), "--overwrite")
            assert owner.ask("SELECT count(*) FROM videos_video") == [(1,)]
            with psycopg.connect(empty.url) as database:
                database.execute(f"REASSIGN OWNED BY {name} TO loopy")
        finally:
            server.execute(f"ALTER DATABASE {name} OWNER TO loopy")
            server.execute(f"DROP ROLE IF EXISTS {name}")


def test_an_existing_file_is_not_written_over(stored: Video, saved: Path) -> None:
    saved.parent.mkdir()
    saved.write_text("something else")
    with pytest.raises(CommandError, match="exists already"):
        save(saved)
    assert saved.read_text() == "something else"


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("member", ["database.dump", "media/videos/", "manifest.json"])
def test_a_damaged_backup_is_refused_and_names_what_is_damaged(
    stored: Video, empty: Site, saved: Path, member: str
) -> None:
    save(saved)
    with tarfile.open(saved) as tar:
        found = next(m for m in tar if m.name.startswith(member))
    # In the manifest: a letter within the site's name, which is still JSON.
    flip(saved, found.offset_data + (60 if member == "manifest.json" else found.size // 2))
    said = empty.manage("restore", str(saved), code=1)
    assert f"damaged: {found.name}" in said
    assert empty.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert objects(empty.media) == {}


def test_a_backup_that_ends_too_early_is_refused(stored: Video, empty: Site, saved: Path) -> None:
    save(saved)
    with tarfile.open(saved) as tar:
        sums = tar.getmember("SHA256SUMS")
    for size in (saved.stat().st_size // 2, sums.offset):
        with saved.open("r+b") as file:
            file.truncate(size)
        said = empty.manage("restore", str(saved), code=1)
        assert "not complete" in said or "cannot be read to its end" in said
    assert empty.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_any_other_file_is_no_backup(empty: Site, tmp_path: Path) -> None:
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as tar:
        tar.add(ROOT / "README.md", "README.md")
    assert "is no backup" in empty.manage("restore", str(other), code=1)
    assert "cannot be read" in empty.manage("restore", str(ROOT / "README.md"), code=1)
    assert "No such file" in empty.manage("restore", str(tmp_path / "nowhere"), code=1)


def test_common_tools_can_check_a_backup(stored: Video, saved: Path, tmp_path: Path) -> None:
    save(saved)
    script = f"tar xf '{saved}' && sha256sum --check --quiet SHA256SUMS"
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["postgres"] == 18
    assert manifest["migrations"]["videos"] > "0001"


def test_a_backup_of_a_newer_version_is_refused(
    empty: Site, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = backup.describe()
    described.migrations["videos"] = "9999_from_the_future"
    monkeypatch.setattr(backup, "describe", lambda: described)
    save(saved)
    said = empty.manage("restore", str(saved), code=1)
    assert "newer version, with videos.9999_from_the_future" in said


def test_a_restore_is_refused_while_somebody_uses_the_database(
    stored: Video, empty: Site, saved: Path
) -> None:
    save(saved)
    with psycopg.connect(empty.url):
        said = empty.manage("restore", str(saved), code=1)
    assert "1 other connections. Stop web servers and workers first." in said


def test_a_database_that_cannot_be_restored_stays_as_it_was(
    stored: Video, empty: Site, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.manage("migrate", "--verbosity", "0")
    before = rows(empty.url)
    # A dump that ends in the middle of its commands, and whose checksum says so truly.
    real = postgres.dump

    def half(folder: Path, target: Path) -> None:
        real(folder, target)
        with target.open("r+b") as file:
            file.truncate(target.stat().st_size * 3 // 4)

    monkeypatch.setattr(postgres, "dump", half)
    save(saved)
    said = empty.manage("restore", str(saved), code=1)
    assert "could not be restored and is as before" in said
    assert rows(empty.url) == before


def test_deletions_wait_until_the_backup_is_done(user: User) -> None:
    source = incoming() / "a.webp"
    source.write_bytes(b"x")
    for name in ("videos/gone/a.webp", "avatars/old/256.webp"):
        store().save(name, source)
    bury("videos/gone")
    with objects_kept(), psycopg.connect(own_url(), autocommit=True) as backup_of_another:
        backup_of_another.execute("SELECT pg_advisory_lock_shared(%s)", [LOCK])
        in_another_connection(purge_tombstones, timestamp=0)
        in_another_connection(sweep_avatar, folder="avatars/old")
        assert store().exists("videos/gone/a.webp")
        assert store().exists("avatars/old/256.webp")
        assert Tombstone.objects.count() == 1
        with connection.cursor() as cursor:
            cursor.execute("SELECT args FROM procrastinate_jobs WHERE scheduled_at > now()")
            assert [json.loads(args) if isinstance(args, str) else args for (args,) in cursor] == [
                {"folder": "avatars/old"}
            ]
    purge_tombstones(timestamp=0)
    sweep_avatar(folder="avatars/old")
    assert list(store().names("videos/gone")) == []
    assert not store().exists("avatars/old/256.webp")
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


def test_objects_of_nobody_are_removed_when_told_but_not_young_ones(
    video: Video, run_jobs: RunJobs
) -> None:
    source = incoming() / "orphan"
    source.write_bytes(b"x")
    for name in ("videos/old/360.mp4", "avatars/young/256.webp"):
        store().save(name, source)
        source.unlink()
        source.write_bytes(b"x")
    os.utime(store().path("videos/old/360.mp4"), (1, 1))
    call_command("check_media", remove=True)
    buried = set(Tombstone.objects.values_list("name", flat=True))
    assert "videos/old/360.mp4" in buried
    assert "avatars/young/256.webp" not in buried
    purge_tombstones(timestamp=0)
    assert not store().exists("videos/old/360.mp4")
    assert store().exists("avatars/young/256.webp")
    assert store().exists(video.renditions.get().name)


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
