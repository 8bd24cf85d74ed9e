"""The sweep of Cloudinary: within its rate, going on where it was, and what is derived there."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from accounts.models import User
from tests.cloudinary import Emulator
from tests.factories import UserFactory, VideoFactory
from tests.operations.hosted import Account, open_account
from tests.operations.objects import age, buried, missing
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import CLOUDINARY, cloudinary_store
from tiktok_clone.operations import sweeping
from tiktok_clone.operations.models import Orphan, Sweep
from videos import tasks
from videos.models import MEDIA_MISSING, Rendition, Status, Video


@pytest.fixture
def account(
    cloudinary_emulator: Emulator, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Account:
    return open_account(cloudinary_emulator, settings, monkeypatch)


def sweep() -> Sweep:
    """Of Cloudinary; the disk comes first."""
    return sweeping.sweep_all()[1].sweep


def book(account: Account, name: str, owner: User, *, derived: bool = False) -> str:
    """An object at Cloudinary that is in the books."""
    etag = "" if derived else account.add(name).etag
    StoredObject.objects.create(
        name=name, owner_id=owner.pk, size_bytes=777 if derived else 5,
        etag=etag, kept_at=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    return name


def clip(account: Account) -> Video:
    """A ready clip: an original, what is derived of it, and a preview of ours."""
    video: Video = VideoFactory(status=Status.PROCESSING, store=CLOUDINARY)
    base = f"{video.folder}/original"
    book(account, base, video.author)
    for rung in (360, 720):
        name = book(account, f"{base}/{rung}x{rung * 16 // 9}.mp4", video.author, derived=True)
        Rendition.objects.create(
            video=video, rung=rung, width=rung, height=1, bitrate=1, size_bytes=777, name=name
        )
    video.poster = book(account, f"{base}/540x960.webp", video.author, derived=True)
    video.preview = book(account, f"{video.folder}/2/preview.webp", video.author)
    video.sprite = book(account, f"{video.folder}/2/sprite.webp", video.author)
    video.status = Status.READY
    video.published_at = datetime.now(UTC)
    video.save()
    return video


def test_a_clip_there_is_as_the_books_have_it(account: Account) -> None:
    clip(account)
    found = sweep()
    assert (found.listed, found.checked) == (3, 6)
    assert (found.orphans, found.missing, found.expired) == (0, 0, 0)
    assert (found.kept_objects, found.kept_bytes) == (6, 3 * 5 + 3 * 777)


def test_orphans_there_are_quarantined_and_destroyed(account: Account) -> None:
    names = {
        "cloudinary/videos/a/original",
        "cloudinary/videos/a/3/preview.webp",
        "cloudinary/avatars/b/256.webp",
    }
    for name in (*names, "cloudinary/somebody/elses.mp4"):
        account.add(name)
    account.add("cloudinary/videos/young/original", since=datetime.now(UTC))
    found = sweep()
    assert (found.listed, found.orphans, found.young, found.foreign) == (4, 3, 1, 1)
    assert sweep().quarantined == 3
    for name in names:
        age(name, 31)
    assert sweep().removed == 3
    assert buried() == names
    tasks.purge_tombstones(timestamp=0)
    assert account.assets == ["somebody/elses", "videos/young/original"]


def test_what_is_derived_is_there_as_long_as_its_original(account: Account) -> None:
    video = clip(account)
    account.lose(f"{video.folder}/original")
    found = sweep()
    assert (found.missing, found.lost) == (4, 1)
    assert missing() == {
        f"{video.folder}/original", video.poster,
        *video.renditions.values_list("name", flat=True),
    }  # fmt: skip
    video.refresh_from_db()
    assert (video.status, video.reason_code) == (Status.FAILED, MEDIA_MISSING)
    account.add(f"{video.folder}/original")
    assert sweep().regained == 1
    assert missing() == set()


def test_other_bytes_there_are_missing(account: Account) -> None:
    video = clip(account)
    account.add(video.preview, b"BYTES")
    found = sweep()
    assert (found.missing, found.mended, found.lost) == (1, 1, 0)
    assert buried() == {video.preview, video.sprite}


def test_a_sweep_stays_within_the_rate_and_goes_on(account: Account, settings: Settings) -> None:
    settings.RECONCILE_CALLS = 4
    account.list_at_once(2)
    videos = [clip(account) for _ in range(3)]
    for number in range(7):
        account.add(f"cloudinary/videos/x{number}/original")
    runs = []
    while not runs or runs[-1].ended_at is None:
        account.calls.clear()
        runs.append(sweep())
        assert len(account.calls) <= 4
    assert len({run.pk for run in runs}) == 1
    last = runs[-1]
    # 9 pages (10 videos, 6 pictures, nothing else), then the books.
    assert (last.runs, last.listed, last.orphans, last.checked) == (4, 16, 7, 18)
    assert set(Orphan.objects.values_list("passes", flat=True)) == {1}
    assert {video.pk for video in videos} == set(
        Video.objects.filter(status=Status.READY).values_list("pk", flat=True)
    )


def test_asking_too_often_ends_a_run_and_the_next_goes_on(account: Account) -> None:
    account.list_at_once(2)
    for number in range(5):
        account.add(f"cloudinary/videos/x{number}/original")
    sweep()
    account.faults.limit("resources", skip=2)
    stopped = sweep()
    assert "Rate Limit" in stopped.last_error
    assert (stopped.ended_at, stopped.listed) == (None, 4)
    assert not Orphan.objects.in_quarantine().exists()
    ended = sweep()
    assert (ended.pk, ended.listed, ended.runs, ended.quarantined) == (stopped.pk, 5, 2, 5)
    assert set(Orphan.objects.values_list("passes", flat=True)) == {2}


def test_a_cursor_that_leads_nowhere_is_given_up(account: Account) -> None:
    account.list_at_once(1)
    for number in range(3):
        account.add(f"cloudinary/videos/x{number}/original")
    Sweep.objects.create(store=CLOUDINARY, cursor="video:expired", listed=1)
    broken = sweep()
    assert "next_cursor" in broken.last_error
    assert (broken.cursor, broken.ended_at) == ("", None)
    found = sweep()
    assert (found.pk, found.listed) == (broken.pk, 3)
    assert found.ended_at is not None


def test_the_fault_of_one_store_does_not_hold_up_the_other(account: Account) -> None:
    account.faults.page("resources", 502)
    disk, hosted = (report.sweep for report in sweeping.sweep_all())
    assert disk.ended_at is not None
    assert "502" in hosted.last_error


def test_a_dry_run_looks_from_the_beginning_and_leaves_the_cursor(account: Account) -> None:
    account.list_at_once(1)
    for number in range(3):
        account.add(f"cloudinary/videos/x{number}/original")
    Sweep.objects.create(store=CLOUDINARY, cursor="video:videos/x1/original")
    report = sweeping.sweep_all(write=False)[1]
    assert len(report.orphans) == 3
    assert Sweep.objects.get().cursor == "video:videos/x1/original"
    assert not Orphan.objects.exists()


def test_pages_begin_behind_a_cursor_and_facts_are_asked_by_the_hundred(account: Account) -> None:
    account.list_at_once(2)
    names = [f"cloudinary/videos/v{n:03}/original" for n in range(101)]
    pictures = [f"cloudinary/videos/v{n:03}/1/preview.webp" for n in range(3)]
    for name in (*names, *pictures):
        account.add(name)
    store = cloudinary_store()
    pages = list(store.pages())
    assert [found.name for page in pages for found in page.objects] == names + pictures
    for at in (0, 49, 50, 51):
        rest = [found for page in store.pages(pages[at].cursor or "") for found in page.objects]
        assert rest == [found for page in pages[at + 1 :] for found in page.objects]
    assert pages[-1].cursor is None
    account.calls.clear()
    derived = f"{names[0]}/608x1080.mp4"
    facts = store.facts([*names, *pictures, derived, "cloudinary/videos/none/original"])
    assert set(facts) == {*names, *pictures, derived}
    assert (facts[names[0]].size, facts[derived].size) == (5, 0)
    assert account.calls == ["resources"] * 3


def test_a_person_has_objects_in_both_stores(account: Account) -> None:
    person = UserFactory()
    book(account, "cloudinary/videos/a/original", person)
    StoredObject.objects.create(name="videos/b/original", owner_id=person.pk)
    assert sweeping.books_of(CLOUDINARY).get().name == "cloudinary/videos/a/original"
    assert sweeping.books_of("local").get().name == "videos/b/original"
