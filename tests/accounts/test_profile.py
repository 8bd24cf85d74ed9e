"""PUT, PATCH and DELETE /users/:email: one's own profile, its picture, its end."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts import avatars, signals, tasks
from accounts.models import Block, Follow, Friendship, Session, User
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend, block
from tiktok_clone.common.storage import local_store

pytestmark = pytest.mark.django_db


def picture(
    size: tuple[int, int] = (600, 400), kind: str = "JPEG", **options: Any
) -> SimpleUploadedFile:
    """An uploaded picture; options go to Pillow."""
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind, **options)
    return SimpleUploadedFile("me.jpg", file.getvalue(), f"image/{kind.lower()}")


def test_some_fields_change(as_user: ApiClient, user: User) -> None:
    body = as_user.patch(f"/users/@{user.handle}", {"bio": "Hi\r\nthere", "is_private": True})
    assert (body["bio"], body["is_private"], body["name"]) == ("Hi\nthere", True, user.name)
    body = as_user.patch(f"/users/{user.email}", {"handle": "New.Name", "bio": ""})
    assert (body["handle"], body["bio"]) == ("new.name", "")
    assert as_user.get("/users/@new.name")["id"] == user.pk


def test_put_needs_name_and_handle(as_user: ApiClient, user: User) -> None:
    body = as_user.put(f"/users/@{user.handle}", {"name": "Only"}, expect=400)
    assert set(body["errors"]) == {"handle"}
    as_user.put(f"/users/@{user.handle}", {"name": "Both", "handle": user.handle})


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_form_that_leaves_the_switches_out_leaves_them_alone(
    as_user: ApiClient, user: User, method: str
) -> None:
    as_user.patch(f"/users/@{user.handle}", {"is_private": True})
    change = getattr(as_user, method)
    body = change(
        f"/users/@{user.handle}", {"name": "Form", "handle": user.handle}, format="multipart"
    )
    assert (body["is_private"], body["findable_by_email"]) == (True, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "n" * 51), ("handle", "no way"), ("bio", "b" * 161), ("bio", "\x07")],
)
def test_what_is_wrong_is_named(as_user: ApiClient, user: User, field: str, value: str) -> None:
    body = as_user.patch(f"/users/@{user.handle}", {field: value}, expect=400)
    assert set(body["errors"]) == {field}


def test_a_taken_handle_is_refused(as_user: ApiClient, user: User, other: User) -> None:
    body = as_user.patch(f"/users/@{user.handle}", {"handle": other.handle.upper()}, expect=400)
    assert body["errors"]["handle"][0]["code"] == "taken"


def test_what_is_not_ours_to_set_stays(as_user: ApiClient, user: User) -> None:
    wanted = {"is_staff": True, "followers_count": 9, "email": "x@example.org", "id": 1}
    as_user.patch(f"/users/@{user.handle}", wanted)
    fresh = User.objects.get(pk=user.pk)
    assert (fresh.is_staff, fresh.followers_count, fresh.email) == (False, 0, user.email)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_profile_of_another_is_not_ours(
    as_user: ApiClient, api: ApiClient, other: User, method: str
) -> None:
    body = {"name": "x", "handle": "xx"}
    getattr(as_user, method)(f"/users/@{other.handle}", body, expect=403)
    getattr(api, method)(f"/users/@{other.handle}", body, expect=401)


def test_news_names_what_changed(as_user: ApiClient, user: User) -> None:
    heard: list[frozenset[str]] = []

    def receive(changed: frozenset[str], **_: Any) -> None:
        heard.append(changed)

    signals.user_changed.connect(receive)
    try:
        as_user.patch(f"/users/@{user.handle}", {"bio": "new", "name": user.name})
        as_user.patch(f"/users/@{user.handle}", {"bio": "new"})
    finally:
        signals.user_changed.disconnect(receive)
    assert heard == [frozenset({"bio"})]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_becomes_two_square_webps_without_metadata(
    as_user: ApiClient, user: User, kind: str
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Spy Camera"
    upload = picture(kind=kind, **({"exif": exif} if kind in ("JPEG", "WEBP") else {}))
    body = as_user.patch(f"/users/@{user.handle}", {"avatar": upload}, format="multipart")
    user.refresh_from_db()
    assert body["avatar"] == user.avatar_url
    folder = avatars.folder_of(user.avatar)
    for size in avatars.SIZES:
        with local_store().open(avatars.name_in(folder, size)) as file:
            data = file.read()
        assert b"Spy" not in data
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.size) == ("WEBP", (size, size))


def test_a_picture_is_turned_upright(as_user: ApiClient, user: User) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is at the right
    image = Image.new("RGB", (400, 400), "blue")
    image.paste("red", (0, 0, 400, 60))
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, quality=95)
    upload = SimpleUploadedFile("turned.jpg", file.getvalue(), "image/jpeg")
    as_user.patch(f"/users/@{user.handle}", {"avatar": upload}, format="multipart")
    user.refresh_from_db()
    with local_store().open(user.avatar) as stored:
        shown = Image.open(io.BytesIO(stored.read())).convert("RGB")
    red, _, blue = shown.getpixel((250, 128))  # type: ignore[misc]
    assert red > 150 > blue


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (SimpleUploadedFile("a.jpg", b"not a picture", "image/jpeg"), "not_a_picture"),
        (SimpleUploadedFile("a.jpg", picture().read()[:2000], "image/jpeg"), "damaged"),
        (
            SimpleUploadedFile("a.svg", b"<svg xmlns='http://w3.org'/>"),
            "not_a_picture",
        ),
        (picture(kind="TIFF"), "not_a_picture"),
        (picture((9, 9)), "too_small"),
        (picture((9000, 9000), quality=1), "too_many_pixels"),
    ],
)
def test_what_is_not_a_usable_picture_changes_nothing(
    as_user: ApiClient, user: User, upload: SimpleUploadedFile, code: str
) -> None:
    upload.seek(0)
    body = as_user.patch(
        f"/users/@{user.handle}", {"avatar": upload, "bio": "x"}, format="multipart", expect=400
    )
    assert body["errors"]["avatar"][0]["code"] == code
    user.refresh_from_db()
    assert (user.avatar, user.bio) == ("", "")


def test_a_picture_that_is_too_large_is_refused(
    as_user: ApiClient, user: User, settings: Any
) -> None:
    settings.AVATAR_MAX_BYTES = 1000
    body = as_user.patch(
        f"/users/@{user.handle}", {"avatar": picture()}, format="multipart", expect=400
    )
    assert body["errors"]["avatar"][0]["code"] == "too_large"


@pytest.mark.django_db(transaction=True)
def test_the_old_picture_is_removed(as_user: ApiClient, user: User, run_jobs: Any) -> None:
    names = []
    for _ in range(2):
        as_user.patch(f"/users/@{user.handle}", {"avatar": picture()}, format="multipart")
        user.refresh_from_db()
        names.append(user.avatar)
    run_jobs()
    assert [local_store().exists(name) for name in names] == [False, True]
    as_user.patch(f"/users/@{user.handle}", {"avatar": None})
    run_jobs()
    assert not local_store().exists(names[1])
    assert "avatar.svg" in as_user.get("/user/me")["avatar"]


def test_sweeping_twice_is_sweeping_once(as_user: ApiClient, user: User) -> None:
    as_user.patch(f"/users/@{user.handle}", {"avatar": picture()}, format="multipart")
    user.refresh_from_db()
    for _ in range(2):
        tasks.sweep_avatar(avatars.folder_of(user.avatar))
    assert local_store().exists(user.avatar)


def test_a_deleted_account_is_hidden_at_once(as_other: ApiClient, user: User, other: User) -> None:
    befriend(user, other)
    Session.objects.create(user=user, kind="api")
    ApiClient(user).delete(f"/users/@{user.handle}", expect=204)
    as_other.get(f"/users/@{user.handle}", expect=404)
    assert as_other.get(f"/users/@{other.handle}/followers")["results"] == []
    assert not Session.objects.live().filter(user=user).exists()


@pytest.mark.django_db(transaction=True)
def test_a_deleted_account_is_purged_with_all_that_it_posted(user: User, run_jobs: Any) -> None:
    other, third = UserFactory(), UserFactory()
    for person in (other, third):
        ApiClient(user).post(f"/users/@{person.handle}/follow")
        ApiClient(person).post(f"/users/@{user.handle}/follow")
    block(user, UserFactory())
    video = VideoFactory(author=user)
    ApiClient(user).delete(f"/users/@{user.handle}", expect=204)
    run_jobs()
    assert not User.objects.filter(pk=user.pk).exists()
    assert not type(video).objects.filter(pk=video.pk).exists()
    for model in (Follow, Friendship, Block):
        assert not model.objects.exists()
    for person in (other, third):
        person.refresh_from_db()
        assert (person.followers_count, person.following_count) == (0, 0)
    tasks.purge_account(user.pk)


def test_an_account_that_is_not_deleted_is_never_purged(user: User) -> None:
    tasks.purge_account(user.pk)
    assert User.objects.filter(pk=user.pk).exists()
