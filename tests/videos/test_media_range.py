"""Serving media: ranges, validators, and who may see what."""

import threading
import uuid
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import UserFactory, VideoFactory, befriend, block
from tiktok_clone.common import serving
from tiktok_clone.common.storage import local_store
from videos.models import Video
from videos.ranges import LARGEST_PART, Part, UnsatisfiableError, parse_range

pytestmark = pytest.mark.django_db
BYTES = bytes(range(256)) * 8192  # 2 MB


def put(name: str, content: bytes, tmp_path: Path) -> None:
    source = tmp_path / uuid.uuid4().hex
    source.write_bytes(content)
    local_store().save(name, source)


@pytest.fixture
def video(tmp_path: Path) -> Video:
    """A public video with bytes."""
    made = VideoFactory()
    put(made.renditions.get().name, BYTES, tmp_path)
    put(made.poster, b"picture", tmp_path)
    put(f"{made.folder}/original", b"secret place", tmp_path)
    return made


@pytest.fixture
def url(video: Video) -> str:
    """The address of its rendition."""
    return local_store().url(video.renditions.get().name)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", Part(0, 0)),
        ("bytes=5-9", Part(5, 9)),
        ("bytes=95-", Part(95, 99)),
        ("bytes=95-500", Part(95, 99)),
        ("bytes=-5", Part(95, 99)),
        ("bytes=-500", Part(0, 99)),
        ("Bytes = 1 - 2", Part(1, 2)),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_a_range_header_means(header: str, expected: Part | None) -> None:
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_of_the_file_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        parse_range(header, 100)


def test_a_part_is_never_larger_than_a_megabyte(client: Client, url: str) -> None:
    answer = client.get(url, headers={"Range": "bytes=100-"})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes 100-{99 + LARGEST_PART}/{len(BYTES)}"
    assert answer.headers["Content-Length"] == str(LARGEST_PART)
    assert answer.content == BYTES[100 : 100 + LARGEST_PART]
    assert not answer.streaming


def test_parts_asked_one_after_the_other_make_the_whole(client: Client, url: str) -> None:
    got = b""
    while len(got) < len(BYTES):
        got += client.get(url, headers={"Range": f"bytes={len(got)}-"}).content
    assert got == BYTES


def test_the_last_bytes(client: Client, url: str) -> None:
    answer = client.get(url, headers={"Range": "bytes=-10"})
    assert (answer.status_code, answer.content) == (206, BYTES[-10:])


def test_a_range_behind_the_end_is_a_416(client: Client, url: str) -> None:
    answer = client.get(url, headers={"Range": f"bytes={len(BYTES)}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BYTES)}"


@pytest.mark.parametrize("header", ["bytes=0-1,5-6", "nonsense", "bytes=9-5"])
def test_what_is_not_one_range_gets_the_whole(header: str, client: Client, url: str) -> None:
    answer = client.get(url, headers={"Range": header})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == BYTES


def test_without_range_the_answer_is_complete(client: Client, url: str) -> None:
    answer = client.get(url)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(len(BYTES)))
    assert b"".join(answer.streaming_content) == BYTES


def test_streams_are_bounded_and_give_their_place_back(
    client: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_streams", threading.BoundedSemaphore(1))
    first = client.get(url)
    busy = client.get(url)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
    assert client.get(url, headers={"Range": "bytes=0-9"}).status_code == 206
    assert len(b"".join(first.streaming_content)) == len(BYTES)
    assert len(b"".join(client.get(url).streaming_content)) == len(BYTES)


def test_head_tells_about_the_whole(client: Client, url: str) -> None:
    answer = client.head(url, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(BYTES))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Type"] == "video/mp4"


def test_what_the_client_has_is_not_sent_again(client: Client, url: str) -> None:
    etag = client.head(url).headers["ETag"]
    answer = client.get(url, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_range_of_another_version_gets_the_whole(client: Client, url: str) -> None:
    head = client.head(url).headers
    for condition, status in [
        (head["ETag"], 206),
        (head["Last-Modified"], 206),
        ('"other"', 200),
        (f"W/{head['ETag']}", 200),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 200),
    ]:
        headers = {"Range": "bytes=0-9", "If-Range": condition}
        assert client.get(url, headers=headers).status_code == status


def test_public_media_may_be_kept_for_ever(
    client: Client, url: str, video: Video, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        answer = client.get(url, headers={"Range": "bytes=0-9"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Cookie" not in answer.headers.get("Vary", "")
    poster = client.get(local_store().url(video.poster))
    assert (poster.content, poster.headers["Content-Type"]) == (b"picture", "image/webp")


@pytest.mark.parametrize("name", ["original", "1/other.mp4", "1/../original", "", "1/poster.png"])
def test_only_renditions_and_posters_are_served(name: str, client: Client, video: Video) -> None:
    for viewer in (None, video.author):
        if viewer:
            client.force_login(viewer)
        assert client.get(f"/media/{video.folder}/{name}").status_code == 404


@pytest.mark.parametrize(
    "path", ["incoming/a", "../manage.py", "videos/not-a-uuid/1/360.mp4", "avatars/../x", "a"]
)
def test_other_names_are_not_there(path: str, client: Client) -> None:
    assert client.get(f"/media/{path}").status_code == 404


def test_pictures_of_people_are_public(client: Client, tmp_path: Path) -> None:
    name = f"avatars/{uuid.uuid4()}/256.webp"
    put(name, b"face", tmp_path)
    answer = client.get(f"/media/{name}")
    assert (answer.status_code, answer.content) == (200, b"face")


@pytest.mark.parametrize(
    ("visibility", "private", "viewer", "seen"),
    [
        ("friends", False, "anonymous", False),
        ("friends", False, "stranger", False),
        ("friends", False, "friend", True),
        ("friends", False, "author", True),
        ("private", False, "friend", False),
        ("private", False, "author", True),
        ("public", True, "anonymous", False),
        ("public", True, "stranger", False),
        ("public", True, "friend", True),
    ],
)
def test_media_that_is_not_public_is_checked_at_each_request(
    visibility: str, private: bool, viewer: str, seen: bool, client: Client, video: Video, url: str
) -> None:
    Video.objects.update(visibility=visibility)
    User.objects.filter(pk=video.author_id).update(is_private=private)
    person = UserFactory()
    if viewer == "friend":
        befriend(person, video.author)
    if viewer != "anonymous":
        client.force_login(video.author if viewer == "author" else person)
    answer = client.get(url, headers={"Range": "bytes=0-9"})
    assert answer.status_code == (206 if seen else 404)
    if seen:
        assert answer.headers["Cache-Control"] == "private, no-store"
        block(video.author, person)
        if viewer == "friend":
            assert client.get(url, headers={"Range": "bytes=0-9"}).status_code == 404


def test_a_wrong_token_is_a_401_for_what_is_not_public(
    client: Client, video: Video, url: str
) -> None:
    Video.objects.update(visibility="private")
    answer = client.get(url, headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


@pytest.mark.parametrize("change", ["deleted", "hidden", "suspended", "processing"])
def test_media_of_what_is_gone_is_gone(change: str, client: Client, video: Video, url: str) -> None:
    from django.utils import timezone

    if change == "deleted":
        video.delete()
    elif change == "hidden":
        Video.objects.update(hidden_at=timezone.now())
    elif change == "suspended":
        User.objects.update(is_active=False)
    else:
        Video.objects.update(status="processing")
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(("superuser", "status"), [(True, 206), (False, 404)])
def test_a_moderator_sees_what_is_not_public_and_other_staff_do_not(
    superuser: bool, status: int, client: Client, video: Video, url: str
) -> None:
    Video.objects.update(visibility="friends")
    client.force_login(UserFactory(is_staff=True, is_superuser=superuser))
    assert client.get(url, headers={"Range": "bytes=0-9"}).status_code == status
