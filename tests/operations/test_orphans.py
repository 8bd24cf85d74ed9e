"""From the store to the rows: what belongs to nobody is noticed, quarantined and removed."""

from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from accounts import avatars
from feeds.models import Export
from tests.factories import UserFactory, VideoFactory
from tests.operations.objects import age, buried, clip, grow_old, keep, names_of, put, sweep
from tests.videos.measuring import run_together
from tiktok_clone.common import keeping
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import incoming, ledger, local_store
from tiktok_clone.operations import orphans, sweeping
from tiktok_clone.operations.models import Orphan, Sweep
from videos import publication, tasks
from videos.models import Status, Tombstone, Video


def quarantined() -> set[str]:
    return set(Orphan.objects.in_quarantine().values_list("name", flat=True))


def test_what_belongs_to_somebody_is_left_alone() -> None:
    shown = clip(rungs=(360, 720))
    waiting = VideoFactory(draft=True)
    put(f"{waiting.folder}/original")
    put(f"{waiting.folder}/1/360.mp4")
    person = UserFactory(avatar=avatars.name_in("avatars/a1"))
    for size in avatars.SIZES:
        put(avatars.name_in("avatars/a1", size))
    put("exports/e1/export.zip")
    Export.objects.create(user=person, name="exports/e1/export.zip")
    put("videos/gone/1/360.mp4")
    publication.bury("videos/gone")
    found = sweep()
    assert (found.listed, found.orphans, found.young, found.foreign) == (11, 0, 0, 0)
    assert not Orphan.objects.exists()
    assert all(local_store().exists(name) for name in names_of(shown))


@pytest.mark.parametrize(
    "name",
    ["videos/a/1/360.mp4", "videos/a/original", "avatars/b/256.webp", "exports/c/export.zip"],
)
def test_an_orphan_is_noticed_quarantined_and_removed(name: str) -> None:
    put(name)
    keep("videos/a/1/360.mp4", UserFactory()) if name.endswith("360.mp4") else None
    first = sweep()
    assert (first.orphans, first.quarantined) == (1, 0)
    assert Orphan.objects.get().passes == 1
    second = sweep()
    assert (second.orphans, second.quarantined) == (1, 1)
    age(name, 29.9)
    assert sweep().removed == 0
    assert local_store().exists(name)
    age(name, 30.1)
    assert sweep().removed == 1
    assert buried() == {name}
    assert not Orphan.objects.exists()
    tasks.purge_tombstones(timestamp=0)
    assert not local_store().exists(name)
    assert not Tombstone.objects.exists()
    assert not StoredObject.objects.exists()
    assert sweep().orphans == 0


def test_a_young_object_is_no_orphan_yet() -> None:
    put("videos/a/1/360.mp4", hours=1.9)
    found = sweep()
    assert (found.orphans, found.young) == (0, 1)
    assert not Orphan.objects.exists()


def test_what_gets_a_row_meanwhile_is_forgotten() -> None:
    video = clip()
    grow_old(video.poster)
    Video.objects.filter(pk=video.pk).update(poster="")
    sweep()
    assert Orphan.objects.get().name == video.poster
    Video.objects.filter(pk=video.pk).update(poster=video.poster)
    assert orphans.remove(Orphan.objects.all()) == 0
    assert not Orphan.objects.exists()
    assert buried() == set()


def test_the_remains_of_a_killed_attempt_are_orphans_only_once_the_clip_is_ready() -> None:
    video = clip()
    left = keep(f"{video.folder}/2/720.mp4", video.author)
    put(left + "x")  # the same, without a row in the books
    grow_old(left)
    Video.objects.filter(pk=video.pk).update(status=Status.PROCESSING)
    assert sweep().orphans == 0
    Video.objects.filter(pk=video.pk).update(status=Status.READY)
    assert sweep().orphans == 2


def test_copies_of_a_killed_move_to_another_store_are_orphans() -> None:
    video = clip()
    Video.objects.filter(pk=video.pk).update(store="cloudinary")
    put(f"videos/{video.uuid}/7/360.mp4")
    assert sweep().orphans == 1


def test_files_of_somebody_else_and_on_their_way_in_are_not_ours() -> None:
    (local_store().root / "README.txt").write_text("mounted by hand")
    (incoming() / "upload-x").write_text("a piece")
    found = sweep()
    assert (found.listed, found.foreign, found.orphans) == (0, 1, 0)


def test_when_much_belongs_to_nobody_nothing_is_done(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(9):
        clip()  # four objects each
    names = {put() for _ in range(10)}
    old = put()
    sweep()
    sweep()
    assert quarantined() == set()
    last = Sweep.objects.latest("pk")
    assert (last.held_back, last.orphans) == (True, 11)
    assert "is the database an old one?" in caplog.text
    # Also what was in quarantine before stays where it is.
    Orphan.objects.filter(name=old).update(quarantined_at=timezone.now() - timedelta(days=60))
    assert sweep().removed == 0
    for _ in range(4):
        clip()
    sweep()  # 10 of 63
    assert names <= quarantined()


def test_a_run_removes_only_so_many(settings: Settings) -> None:
    settings.ORPHAN_DELETIONS_PER_RUN = 2
    names = [put() for _ in range(5)]
    sweep()
    sweep()
    Orphan.objects.update(quarantined_at=timezone.now() - timedelta(days=31))
    assert [sweep().removed for _ in range(4)] == [2, 2, 1, 0]
    assert buried() == set(names)


def test_the_days_of_quarantine_are_a_setting(settings: Settings) -> None:
    settings.ORPHAN_QUARANTINE_DAYS = 3
    name = put()
    sweep()
    sweep()
    age(name, 3.1)
    assert sweep().removed == 1


def test_what_somebody_keeps_stays_for_good() -> None:
    name = put()
    sweep()
    sweep()
    assert orphans.keep(Orphan.objects.all()) == 1
    for _ in range(2):
        found = sweep()
        assert (found.orphans, found.quarantined, found.removed) == (0, 0, 0)
    assert Orphan.objects.get().quarantined_at is None
    assert local_store().exists(name)


def test_one_that_goes_and_comes_back_begins_anew() -> None:
    name = put()
    sweep()
    sweep()
    assert quarantined() == {name}
    local_store().delete_prefix(name)
    sweep()
    assert not Orphan.objects.exists()
    put(name)
    sweep()
    assert Orphan.objects.get().passes == 1


def test_a_dry_run_changes_nothing() -> None:
    video = clip()
    local_store().path(video.poster).unlink()
    clip(booked=False)
    name = put()
    sweep()
    sweep()
    Orphan.objects.update(quarantined_at=timezone.now() - timedelta(days=31))
    keep("videos/stale/1/x.mp4", video.author)
    put()
    tables = (Orphan, Sweep, StoredObject, Tombstone, Video, ProcrastinateJob)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    (report,) = sweeping.sweep_all(write=False)
    assert name in report.orphans
    assert len(report.orphans) == 2
    assert len(report.young) == 1
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


@pytest.mark.django_db(transaction=True)
def test_nothing_goes_while_a_backup_copies() -> None:
    """The sweep may bury meanwhile; the object stays until the backup is done."""
    name = put()
    sweep()
    sweep()
    age(name, 31)
    with keeping.objects_kept():
        assert sweep().removed == 1
        # In a connection of its own, as the worker has.
        run_together(lambda _: tasks.purge_tombstones(timestamp=0), 1)
        assert local_store().exists(name)
    run_together(lambda _: tasks.purge_tombstones(timestamp=0), 1)
    assert not local_store().exists(name)


def test_two_sweeps_never_run_together() -> None:
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [sweeping.LOCK])
        with pytest.raises(sweeping.BusyError):
            sweep()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [sweeping.LOCK])
    other.close()
    sweep()


def test_sweeps_of_long_ago_are_forgotten() -> None:
    first = sweep()
    Sweep.objects.filter(pk=first.pk).update(ended_at=timezone.now() - timedelta(days=91))
    sweep()
    assert not Sweep.objects.filter(pk=first.pk).exists()
    assert Sweep.objects.count() == 1


def test_names_in_the_books_that_nobody_claims_are_no_excuse() -> None:
    """A purge that was killed before its tombstone would leave such a row."""
    name = keep("avatars/lost/256.webp", UserFactory())
    grow_old(name)
    assert sweep().orphans == 1
    assert ledger.below("avatars/lost").count() == 1
