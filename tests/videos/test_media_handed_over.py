"""nginx sends the bytes; who gets them is still decided here."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import UserFactory, VideoFactory, befriend
from tests.videos.test_media_range import put
from tiktok_clone.common.storage import local_store
from videos.models import Video, Visibility

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nginx_in_front(settings: object) -> None:
    settings.MEDIA_ACCEL_PREFIX = "/protected/"  # type: ignore[attr-defined]


def made(tmp_path: object, **fields: object) -> Video:
    video: Video = VideoFactory(**fields)
    video.preview = f"{video.folder}/2/preview.webp"
    video.sprite = f"{video.folder}/2/sprite.webp"
    video.save()
    names = (video.renditions.get().name, video.poster, video.preview, video.sprite)
    for name in (*names, f"{video.folder}/original"):
        put(name, b"bytes", tmp_path)  # type: ignore[arg-type]
    return video


def test_nginx_is_told_which_file(client: Client, tmp_path: object) -> None:
    video = made(tmp_path)
    name = video.renditions.get().name
    answer = client.get(local_store().url(name), headers={"Range": "bytes=0-1"})
    assert answer.status_code == 200  # the part is cut out by nginx
    assert answer.headers["X-Accel-Redirect"] == f"/protected/{name}"
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content == b""


@pytest.mark.parametrize("kind", ["poster", "preview", "sprite"])
def test_pictures_are_handed_over_too(kind: str, client: Client, tmp_path: object) -> None:
    name = getattr(made(tmp_path), kind)
    answer = client.get(local_store().url(name))
    assert answer.headers["X-Accel-Redirect"] == f"/protected/{name}"
    assert answer.headers["Content-Type"] == "image/webp"


def test_only_who_may_see_it_is_handed_over(client: Client, user: User, tmp_path: object) -> None:
    video = made(tmp_path, visibility=Visibility.FRIENDS)
    url = local_store().url(video.sprite)
    assert client.get(url).status_code == 404
    client.force_login(user)
    refused = client.get(url)
    assert refused.status_code == 404
    assert "X-Accel-Redirect" not in refused.headers
    friend = UserFactory()
    befriend(video.author, friend)
    client.force_login(friend)
    answer = client.get(url)
    assert answer.headers["X-Accel-Redirect"] == f"/protected/{video.sprite}"
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("name", ["original", "2/other.webp", "../../etc/passwd"])
def test_nothing_else_is_handed_over(name: str, client: Client, tmp_path: object) -> None:
    video = made(tmp_path)
    answer = client.get(f"/media/{video.folder}/{name}")
    assert answer.status_code == 404
    assert "X-Accel-Redirect" not in answer.headers


def test_what_is_not_there_is_missing_and_not_nginx_s_problem(client: Client) -> None:
    video = VideoFactory()
    assert client.get(local_store().url(video.poster)).status_code == 404
