"""Text is compressed for who asks for it; clips never are."""

import gzip
from pathlib import Path

import pytest
from django.test import Client

from tests.factories import VideoFactory
from tiktok_clone.common.storage import local_store

pytestmark = pytest.mark.django_db
ASKING = {"Accept-Encoding": "gzip, br"}


@pytest.mark.parametrize("path", ["/", "/explore", "/nothing", "/schema"])
def test_pages_and_json_are_compressed(client: Client, path: str) -> None:
    plain = client.get(path)
    answer = client.get(path, headers=ASKING)
    assert answer.status_code == plain.status_code
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(gzip.decompress(answer.content)) > len(answer.content)


def test_who_does_not_ask_gets_plain_text(client: Client) -> None:
    assert "Content-Encoding" not in client.get("/").headers


def test_a_clip_keeps_its_length_and_its_ranges(client: Client, tmp_path: Path) -> None:
    video = VideoFactory()
    (tmp_path / "clip").write_bytes(bytes(5000))
    name = video.renditions.get().name
    local_store().save(name, tmp_path / "clip")
    whole = client.get(local_store().url(name), headers=ASKING)
    part = client.get(local_store().url(name), headers={**ASKING, "Range": "bytes=0-999"})
    for answer, length in ((whole, "5000"), (part, "1000")):
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Content-Length"] == length
