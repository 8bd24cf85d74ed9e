"""When an account goes, it is watched until nothing of it is left in any store, and recorded."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts import avatars
from accounts.models import User
from accounts.services import profiles
from accounts.tasks import purge_account
from feeds.models import Export
from tests.cloudinary import Emulator
from tests.factories import UserFactory
from tests.operations.hosted import open_account
from tests.operations.objects import buried, clip, keep, put
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import CLOUDINARY, LocalStore, local_store
from tiktok_clone.operations import erasing
from tiktok_clone.operations.models import Erasure
from tiktok_clone.operations.tasks import verify_erasures
from videos import tasks
from videos.models import Tombstone


def person_with_everything() -> User:
    """Clips, a picture, one that was replaced, exports made and under way."""
    person: User = UserFactory(avatar=avatars.name_in("avatars/shown"))
    clip(author=person, rungs=(360, 720))
    clip(author=person)
    for folder in ("avatars/shown", "avatars/replaced"):
        for size in avatars.SIZES:
            keep(avatars.name_in(folder, size), person)
    keep("exports/made/export.zip", person)
    for name in ("exports/made/export.zip", "exports/waits/export.zip"):
        Export.objects.create(user=person, name=name)
    return person


def erase(person: User) -> Erasure:
    profiles.delete_account(person)
    purge_account(person.pk)
    return Erasure.objects.get(person_id=person.pk)


def purge(*, later: bool = False) -> None:
    """Have tombstones work; `later` also those that look again after two hours."""
    if later:
        Tombstone.objects.update(due_at=timezone.now())
    tasks.purge_tombstones(timestamp=0)


def verify(erasure: Erasure) -> Erasure:
    verify_erasures(timestamp=0)
    erasure.refresh_from_db()
    return erasure


def test_all_that_somebody_had_goes_and_is_seen_to_be_gone() -> None:
    person, other = person_with_everything(), clip()
    erasure = erase(person)
    assert not User.objects.filter(pk=person.pk).exists()
    assert (erasure.objects_count, erasure.size_bytes, len(erasure.folders)) == (14, 70, 6)
    assert {"avatars/shown", "avatars/replaced", "exports/waits"} <= set(erasure.folders)
    assert set(erasure.folders) <= buried() | {"exports/waits", "exports/made"}
    verify(erasure)
    assert erasure.verified_at is None
    assert "names wait to be emptied" in erasure.last_error
    purge()
    assert list(local_store().listing("avatars/shown")) == []
    assert verify(erasure).verified_at is None  # the second look is still to come
    purge(later=True)
    verify(erasure)
    assert erasure.verified_at is not None
    assert (erasure.last_error, erasure.checked) == ("", 6)
    assert {found.name for found in local_store().listing()} == set(
        StoredObject.objects.values_list("name", flat=True)
    )
    assert set(StoredObject.objects.values_list("owner_id", flat=True)) == {other.author_id}


def test_a_store_that_fails_for_a_while_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    erasure = erase(person_with_everything())

    def broken(store: LocalStore, name: str, *names: object, **options: object) -> None:
        raise OSError(5, "the disk does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "delete_prefix", broken)
        purge(later=True)
        verify(erasure)
    assert "the disk does not answer" in erasure.last_error
    purge(later=True)
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "listing", broken)
        assert verify(erasure).verified_at is None
    assert "the disk does not answer" in erasure.last_error
    assert verify(erasure).verified_at is not None
    assert erasure.last_error == ""


def test_what_is_still_there_in_spite_of_all_is_found_and_removed() -> None:
    """Written behind the books' back, after the tombstones had ended."""
    person = person_with_everything()
    erasure = erase(person)
    purge(later=True)
    left = put(f"{erasure.folders[-1]}/9/late.mp4")
    verify(erasure)
    assert erasure.verified_at is None
    assert left in erasure.last_error
    purge()
    assert not local_store().exists(left)
    assert verify(erasure).verified_at is not None


def test_what_came_into_the_books_late_is_removed_too() -> None:
    person = person_with_everything()
    erasure = erase(person)
    purge(later=True)
    new = keep("videos/new/1/360.mp4", person)
    again = keep(f"{erasure.folders[0]}/again.webp", person)
    verify(erasure)
    assert erasure.verified_at is None
    assert "videos/new" in erasure.folders
    purge()
    assert not local_store().exists(new)
    assert not local_store().exists(again)
    assert verify(erasure).verified_at is not None


def test_an_account_with_nothing_is_verified_at_once() -> None:
    erasure = verify(erase(UserFactory()))
    assert erasure.verified_at is not None
    assert erasure.requested_at < erasure.created_at


def test_the_row_and_the_tombstones_come_and_go_with_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed in the middle of the purge, nothing is written; the job does it again."""
    person = person_with_everything()
    profiles.delete_account(person)

    def killed(self: User) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(User, "delete", killed)
        with pytest.raises(SystemExit):
            purge_account(person.pk)
    assert not Erasure.objects.exists()
    assert buried() == set()
    purge_account(person.pk)
    assert Erasure.objects.count() == 1


def test_at_cloudinary_it_asks_within_the_rate(
    cloudinary_emulator: Emulator, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = open_account(cloudinary_emulator, settings, monkeypatch)
    monkeypatch.setattr(erasing, "HOSTED_FOLDERS_A_RUN", 2)
    person = UserFactory()
    for number in range(5):
        name = f"cloudinary/videos/v{number}/original"
        account.add(name)
        StoredObject.objects.create(name=name, owner_id=person.pk, kept_at=timezone.now())
    erasure = erase(person)
    purge(later=True)
    assert not account.assets
    account.calls.clear()
    for checked in (2, 4):
        verify(erasure)
        assert (erasure.checked, erasure.verified_at) == (checked, None)
    assert account.calls == ["resources"] * 12  # each folder in all three kinds
    account.faults.limit("resources")
    assert "Rate Limit" in verify(erasure).last_error
    assert verify(erasure).verified_at is not None


def test_a_store_that_is_not_configured_any_more_keeps_it_open() -> None:
    person = UserFactory()
    StoredObject.objects.create(name=f"{CLOUDINARY}/videos/v/original", owner_id=person.pk)
    erasure = erase(person)
    purge(later=True)
    verify(erasure)
    assert erasure.verified_at is None
    assert "CLOUDINARY_URL" in erasure.last_error


def test_who_waits_for_longest_is_seen_to_first(monkeypatch: pytest.MonkeyPatch) -> None:
    erasures = [erase(UserFactory()) for _ in range(3)]
    Erasure.objects.filter(pk=erasures[2].pk).update(created_at=timezone.now() - timedelta(days=1))
    monkeypatch.setattr(erasing, "VERIFIED_AT_ONCE", 1)
    verify_erasures(timestamp=0)
    assert Erasure.objects.exclude(verified_at=None).get() == erasures[2]
