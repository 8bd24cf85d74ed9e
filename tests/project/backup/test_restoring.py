"""Restores: into an empty site, over a filled one, and what they refuse."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from feeds import writeback
from tests.api_client import ApiClient
from tests.factories import PASSWORD
from tests.feeds.caching import connected
from tests.project.backups import CHANGED, ROOT, Site, objects, own_url, rows, save
from tiktok_clone.common.storage import local_store
from tiktok_clone.operations import backup, postgres
from videos.models import Video

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

    assert play(empty, video) == local_store().path(video.renditions.get().name).read_bytes()

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

    connected().hset(writeback.HASH, f"{video.pk}:views", 3)  # of a row that goes
    said = empty.manage("restore", str(saved), "--overwrite")
    assert empty.ask("SELECT caption FROM videos_video") == [("Waves #ocean",)]
    assert not connected().exists(writeback.HASH)
    assert "0 objects were written" in said
    assert "1 objects are newer than the backup or of nobody" in said
    assert re.search(r"1 of nobody yet", empty.manage("reconcile_media", "--dry-run"))


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


def test_clips_of_after_the_backup_are_quarantined_and_those_of_before_are_whole(
    video: Video, empty: Site, saved: Path
) -> None:
    """Rows that are older than the objects, and objects deleted since that the backup has."""
    save(saved)
    empty.manage("restore", str(saved))
    later = empty.media / "videos" / "0e0f" / "1" / "360.mp4"
    later.parent.mkdir(parents=True)
    later.write_bytes(b"posted after the backup")
    os.utime(later, (1, 1))
    lost = video.renditions.get().name
    (empty.media / lost).unlink()
    said = empty.manage("restore", str(saved), "--overwrite")
    assert "1 objects were written" in said
    assert "1 objects are newer than the backup or of nobody" in said
    said = empty.manage("reconcile_media", "--dry-run")
    assert "orphan videos/0e0f/1/360.mp4" in said
    assert "missing" not in said.partition("Local disk")[0]
    assert "Nothing was changed." in said
    assert empty.ask("SELECT count(*) FROM operations_orphan") == [(0,)]
    empty.manage("reconcile_media")
    empty.manage("reconcile_media")
    assert empty.ask("SELECT passes, quarantined_at IS NULL FROM operations_orphan") == [(2, False)]
    assert empty.ask("SELECT status FROM videos_video") == [("ready",)]
    assert later.exists()


def test_rows_that_are_newer_than_the_objects_are_missed(
    video: Video, empty: Site, saved: Path
) -> None:
    """A database restored without its media."""
    save(saved)
    empty.manage("restore", str(saved))
    lost = video.renditions.get().name
    (empty.media / lost).unlink()
    said = empty.manage("reconcile_media")
    assert f"missing {lost}" in said
    assert empty.ask("SELECT status, reason_code FROM videos_video") == [
        ("failed", "media_missing")
    ]
    assert "clips taken off the site" in said
