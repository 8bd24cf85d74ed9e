"""From the rows to the store: what is missing, damaged, found again, never came, or unbooked."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import avatars
from feeds.models import Export
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import UserFactory, VideoFactory
from tests.operations.objects import buried, clip, keep, lose, missing, names_of, put, sweep
from tests.videos.clips import clip as file_of_clip
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import ledger, local_store
from tiktok_clone.common.storage.listing import etag_of
from tiktok_clone.operations.models import Orphan
from videos import publication, tasks
from videos.models import MEDIA_MISSING, Status, Video
from videos.services import publishing, uploads


def state(video: Video) -> tuple[str, str]:
    video.refresh_from_db()
    return video.status, video.reason_code


def waiting_jobs() -> set[str]:
    names = ProcrastinateJob.objects.values_list("task_name", flat=True)
    return {name.rpartition(".")[2] for name in names}


def test_a_clip_without_anything_to_play_is_off_the_site_until_it_is_found(tmp_path: Path) -> None:
    video = clip(rungs=(360, 720), caption="#waves")
    tag_count = publication.link_caption
    tag_count(video)
    publication.recount_videos(video.author_id)
    media = [names_of(video)[at] for at in (0, 1)]
    for name in media:
        shutil.move(local_store().path(name), tmp_path / name.rpartition("/")[2])
    found = sweep()
    assert (found.missing, found.lost, found.mended) == (2, 1, 0)
    assert missing() == set(media)
    assert state(video) == (Status.FAILED, MEDIA_MISSING)
    assert "missing on our side" in video.reason
    ApiClient().get(f"/videos/{video.pk}", expect=404)
    video.author.refresh_from_db()
    assert video.author.videos_count == 0
    assert video.hashtags.get().videos_count == 0
    mine = ApiClient(video.author).get(f"/videos/{video.pk}")
    assert (mine["status"], mine["reason_code"]) == ("failed", "media_missing")
    # Again: nothing new. The author cannot have it processed of nothing, which would reject it.
    assert sweep().lost == 0
    retried = ApiClient(video.author).post(f"/videos/{video.pk}/retry", expect=409)
    assert retried["code"] == "cannot_retry"
    assert state(video) == (Status.FAILED, MEDIA_MISSING)

    slot, published = video.slot, video.published_at
    for name in media:
        shutil.move(tmp_path / name.rpartition("/")[2], local_store().path(name))
    found = sweep()
    assert (found.found_again, found.regained, found.missing) == (2, 1, 0)
    assert state(video) == (Status.READY, "")
    assert (video.slot, video.published_at) == (slot, published)
    assert missing() == set()
    ApiClient().get(f"/videos/{video.pk}")
    video.author.refresh_from_db()
    assert video.author.videos_count == 1
    assert video.hashtags.get().videos_count == 1
    assert buried() == set()


def test_a_late_attempt_cannot_publish_or_fail_what_is_lost_or_ready() -> None:
    video = clip()
    lose(names_of(video)[0])
    sweep()
    made = Video.objects.get(pk=video.pk)
    assert not made.advance(Status.READY)
    assert not publication.publish(made, [])
    assert state(video) == (Status.FAILED, MEDIA_MISSING)
    other = clip()
    assert not Video.objects.get(pk=other.pk).advance(Status.FAILED)
    assert not Video.objects.get(pk=other.pk).regain_media()
    failed = VideoFactory(status=Status.FAILED)
    assert not failed.regain_media()


def test_a_damaged_file_is_missing_too() -> None:
    video = clip()
    path = local_store().path(names_of(video)[0])
    path.write_bytes(b"longer than before")
    assert sweep().lost == 1
    path.write_bytes(b"BYTES")  # of the right size
    assert sweep().regained == 1
    assert sweep(checksums=True).lost == 1
    path.write_bytes(b"bytes")
    assert sweep(checksums=True).regained == 1


def test_a_larger_rendition_alone_is_given_up_and_pictures_are_made_again() -> None:
    video = clip(rungs=(360, 720))
    small, large, poster, preview, sprite = names_of(video)
    lose(large, poster, sprite)
    found = sweep()
    assert (found.missing, found.lost, found.mended) == (3, 0, 1)
    video.refresh_from_db()
    assert video.status == Status.READY
    assert [each.name for each in video.renditions.all()] == [small]
    assert (video.preview, video.sprite, video.poster) == ("", "", poster)
    assert waiting_jobs() >= {"make_larger_renditions", "make_stills", "change_cover"}
    assert buried() == {large, preview, sprite}


def test_lost_pictures_come_back_by_the_usual_jobs(
    transactional_db: None, run_jobs: RunJobs
) -> None:
    video = publishing.create_video(UserFactory(), file_of_clip("180x320", 1.0), "", "public")
    run_jobs()
    tasks.purge_tombstones(timestamp=0)
    video.refresh_from_db()
    before = names_of(video)
    lose(video.poster, video.sprite)
    assert sweep().mended == 1
    run_jobs()
    tasks.purge_tombstones(timestamp=0)
    video.refresh_from_db()
    assert video.status == Status.READY
    assert not {video.poster, video.preview, video.sprite} & set(before)
    found = sweep()
    assert (found.missing, found.orphans, found.expired) == (0, 0, 0)
    assert all(local_store().exists(name) for name in names_of(video))


def test_when_much_is_missing_nothing_is_given_up() -> None:
    """A disk that is not mounted: clips go off the site, which the next sweep takes back."""
    clips = [clip(rungs=(360, 720)) for _ in range(5)]
    for video in clips:
        lose(*names_of(video)[1:])
    found = sweep()
    assert (found.missing, found.mended, found.lost) == (20, 0, 0)
    assert all(video.renditions.count() == 2 for video in clips)
    assert all(state(video) == (Status.READY, "") for video in clips)


def test_the_other_objects_of_people_are_missed_but_nothing_is_taken_from_them() -> None:
    person = UserFactory(avatar=avatars.name_in("avatars/a1"))
    for size in avatars.SIZES:
        keep(avatars.name_in("avatars/a1", size), person)
    keep("exports/e1/export.zip", person)
    Export.objects.create(user=person, name="exports/e1/export.zip", ready_at=timezone.now())
    lose(person.avatar, "exports/e1/export.zip")
    assert sweep().missing == 2
    assert missing() == {person.avatar, "exports/e1/export.zip"}
    assert buried() == set()


def test_a_site_from_before_the_books_is_taken_into_them() -> None:
    video = clip(rungs=(360, 720), booked=False)
    person = UserFactory(avatar=avatars.name_in("avatars/a1"))
    for size in avatars.SIZES:
        put(avatars.name_in("avatars/a1", size))
    draft = VideoFactory(draft=True)
    put(f"{draft.folder}/original", b"an original")
    found = sweep()
    assert (found.adopted, found.checked, found.missing, found.orphans) == (8, 8, 0, 0)
    row = StoredObject.objects.get(name=names_of(video)[0])
    assert (row.owner_id, row.size_bytes) == (video.author_id, 5)
    assert row.etag == etag_of(local_store().path(row.name))
    assert abs(row.kept_at - (timezone.now() - timedelta(hours=3))) < timedelta(minutes=1)
    original = StoredObject.objects.get(name=f"{draft.folder}/original")
    assert (original.owner_id, original.size_bytes) == (draft.author_id, 11)
    assert StoredObject.objects.filter(owner_id=person.pk).count() == 2
    assert sweep().adopted == 0


def test_what_is_missed_before_it_is_in_the_books_can_be_found_again() -> None:
    video = clip(booked=False)
    lose(names_of(video)[0])
    assert sweep().lost == 1
    put(names_of(video)[0])
    assert sweep().regained == 1
    assert StoredObject.objects.get(name=names_of(video)[0]).size_bytes == 5


def expected(name: str, days: float, size: int = 5, etag: str = "") -> StoredObject:
    """A row made before an object that may have come since."""
    row = ledger.expect(name, UserFactory().pk, size, etag)
    StoredObject.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(days=days))
    return row


def test_what_never_came_is_let_go_when_no_upload_can_bring_it_any_more() -> None:
    old, young = expected("videos/a/2/720.mp4", 1.2), expected("videos/b/2/720.mp4", 1)
    upload = uploads.reserve_upload(UserFactory(), 1000)
    reserved = StoredObject.objects.get(name=f"{upload.video.folder}/original")
    StoredObject.objects.filter(pk=reserved.pk).update(created_at=old.created_at)
    assert sweep().expired == 1
    assert StoredObject.objects.filter(pk=old.pk).exists()  # until its name is empty
    assert buried() == {old.name}
    tasks.purge_tombstones(timestamp=0)
    assert not StoredObject.objects.filter(pk=old.pk).exists()
    assert StoredObject.objects.filter(pk__in=[young.pk, reserved.pk]).count() == 2


def test_what_was_stored_before_a_crash_goes_with_its_row() -> None:
    """Between the object and the row that says so: a killed attempt, or a lost answer."""
    row = expected("videos/a/2/720.mp4", 2)
    put(row.name)
    assert sweep().expired == 1
    tasks.purge_tombstones(timestamp=0)
    assert not local_store().exists(row.name)


@pytest.mark.parametrize(
    ("content", "confirmed"), [(b"bytes", 1), (b"BYTES", 0), (b"more bytes", 0)]
)
def test_what_came_unnoticed_is_confirmed_if_it_is_the_same(
    content: bytes, confirmed: int, tmp_path: Path
) -> None:
    (tmp_path / "as announced").write_bytes(b"bytes")
    draft = VideoFactory(draft=True)
    row = expected(f"{draft.folder}/original", 2, etag=etag_of(tmp_path / "as announced"))
    put(row.name, content)
    assert sweep().confirmed == confirmed
    row.refresh_from_db()
    assert (row.kept_at is not None) == bool(confirmed)
    assert buried() == set()


def test_rows_of_the_books_that_nobody_needs_go_with_what_is_gone() -> None:
    name = keep("videos/a/2/720.mp4", UserFactory())
    lose(name)
    assert sweep().expired == 0  # of a moment ago
    old = timezone.now() - timedelta(hours=3)
    StoredObject.objects.update(created_at=old)
    assert sweep().expired == 1
    tasks.purge_tombstones(timestamp=0)
    assert not StoredObject.objects.exists()


def test_what_waits_to_be_removed_is_not_missed() -> None:
    video = clip()
    name = video.poster
    publication.bury(name)
    lose(name)
    found = sweep()
    assert (found.missing, found.expired) == (0, 0)


def test_a_deleted_clip_leaves_nothing_to_find() -> None:
    video = clip()
    publishing.delete_video(video.author, video.pk)
    tasks.purge_tombstones(timestamp=0)
    found = sweep()
    assert (found.listed, found.orphans, found.checked, found.missing) == (0, 0, 0, 0)
    assert not Orphan.objects.exists()
    assert not StoredObject.objects.exists()


def test_a_store_that_cannot_be_read_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    video = clip()

    def broken(store: object, names: object) -> None:
        raise PermissionError(13, "not mounted")

    with monkeypatch.context() as patch:
        patch.setattr("tiktok_clone.common.storage.LocalStore.facts", broken)
        found = sweep()
    assert "not mounted" in found.last_error
    assert found.ended_at is None
    assert state(video) == (Status.READY, "")
    again = sweep()
    assert (again.pk, again.runs, again.listed, again.checked) == (found.pk, 2, 4, 4)
    assert again.ended_at is not None


def test_an_hour_of_totals_is_what_the_books_keep() -> None:
    clip()
    lose(names_of(clip())[0])
    found = sweep()
    assert (found.kept_objects, found.kept_bytes) == (7, 35)
