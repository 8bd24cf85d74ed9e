"""`manage.py move_media`: what moves, what stays and why, and how that ends."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from PIL import Image

from accounts.models import User
from accounts.services import profiles
from tests.cloudinary import Emulator
from tests.factories import UserFactory, VideoFactory
from tests.videos.clips import clip
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import store
from videos.models import Status, Video
from videos.services import publishing

RunJobs = Callable[[], None]


@pytest.fixture
def on_disk(settings: Any) -> Callable[[bool], None]:
    """Turn Cloudinary off (True) for what is new, or on again."""
    url = settings.CLOUDINARY_URL

    def turn(off: bool) -> None:
        settings.CLOUDINARY_URL = "" if off else url

    return turn


def move(to: str) -> tuple[int, str, str]:
    """Run the command: its exit code, and what it wrote."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("move_media", to=to, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def with_picture() -> User:
    person: User = UserFactory()
    file = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(file, "PNG")
    profiles.set_avatar(person, profiles.check_avatar(file, file.tell()))
    return person


def names(person: User) -> set[str]:
    return set(StoredObject.objects.filter(owner_id=person.pk).values_list("name", flat=True))


def test_pictures_move_to_and_fro_and_the_old_ones_stay_a_day(
    hosted: Emulator, run_jobs: RunJobs
) -> None:
    person = with_picture()
    for to, prefix in (("local", "avatars/"), ("cloudinary", "cloudinary/avatars/")):
        before = names(person)
        assert profiles.move_avatar(person.pk, to)
        assert not profiles.move_avatar(person.pk, to)
        person.refresh_from_db()
        assert person.avatar.startswith(prefix)
        assert before < names(person)
        for name in names(person):
            assert store(name).exists(name)
        run_jobs()
        with connection.cursor() as cursor:  # a day later
            cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        run_jobs()
        assert names(person).isdisjoint(before)
        assert all(store(name).exists(name) for name in names(person))


def test_a_picture_that_was_changed_meanwhile_is_not_moved(
    hosted: Emulator, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = with_picture()
    real = profiles.avatars.copy

    def changed_meanwhile(*arguments: Any) -> str:
        name = real(*arguments)
        User.objects.filter(pk=person.pk).update(avatar="")
        return name

    monkeypatch.setattr(profiles.avatars, "copy", changed_meanwhile)
    assert not profiles.move_avatar(person.pk, "local")
    person.refresh_from_db()
    assert person.avatar == ""


def test_when_all_has_moved_it_ends_well(
    hosted: Emulator, user: User, run_jobs: RunJobs, on_disk: Callable[[bool], None]
) -> None:
    on_disk(True)
    publishing.create_video(user, clip("180x320", 0.6))
    person = with_picture()
    run_jobs()
    on_disk(False)
    VideoFactory(store="local", status=Status.REJECTED)  # has no files
    code, out, err = move("cloudinary")
    assert (code, err) == (0, "")
    assert out == "1 clips moved.\n1 pictures moved.\n"
    person.refresh_from_db()
    assert person.avatar.startswith("cloudinary/")


def test_what_stays_is_named_with_the_reason(
    hosted: Emulator, user: User, run_jobs: RunJobs, on_disk: Callable[[bool], None]
) -> None:
    on_disk(True)
    broken = publishing.create_video(user, clip("180x320", 0.6))
    person = with_picture()
    run_jobs()
    on_disk(False)
    failed = VideoFactory(store="local", status=Status.FAILED)
    bare = VideoFactory(store="local")
    larger = VideoFactory(store="local", sprite="videos/x/1/sprite.webp")
    StoredObject.objects.create(name=f"{larger.folder}/original", kept_at=timezone.now())
    hosted.faults.refuse("upload", 500, times=99)
    code, out, err = move("cloudinary")
    assert (code, out) == (1, "0 clips moved.\n0 pictures moved.\n")
    for line in (
        f"clip {broken.pk} stays: it could not be moved now.",
        f"clip {failed.pk} stays: it is failed.",
        f"clip {bare.pk} stays: it has no preview yet.",
        f"clip {larger.pk} stays: a larger size is still to be made.",
        f"picture {person.pk} stays: it could not be moved now.",
        "5 did not move. Run it again to go on.",
    ):
        assert line in err.splitlines()
    hosted.faults.reset()
    Video.objects.exclude(pk=broken.pk).delete()
    assert move("cloudinary")[0] == 0


def test_without_cloudinary_it_says_what_is_missing(db: None, settings: Any) -> None:
    settings.CLOUDINARY_URL = ""
    with pytest.raises(CommandError, match="CLOUDINARY_URL"):
        move("cloudinary")
