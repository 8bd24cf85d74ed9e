"""The local store: names, durability, no overwriting."""

import errno
import os
from pathlib import Path

import pytest

from tiktok_clone.common.storage import LocalStore


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "media", "/media/")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"content")
    return path


def test_what_is_saved_can_be_read(local: LocalStore, source: Path) -> None:
    local.save("videos/a/1/360.mp4", source)
    source.unlink()
    with local.open("videos/a/1/360.mp4") as file:
        assert file.read() == b"content"
    assert local.size("videos/a/1/360.mp4") == 7
    assert local.url("videos/a/1/360.mp4") == "/media/videos/a/1/360.mp4"
    assert list(local.names("videos/a")) == ["videos/a/1/360.mp4"]


@pytest.mark.parametrize("code", [0, errno.EXDEV, errno.EPERM])
def test_nothing_is_written_over(
    code: int, local: LocalStore, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on another filesystem, and on one without hard links."""
    real = os.link

    def link(one: Path, other: Path) -> None:
        if code and (code == errno.EPERM or not Path(one).name.startswith(".")):
            raise OSError(code, "no link")
        real(one, other)

    monkeypatch.setattr(os, "link", link)
    local.save("videos/a/x", source)
    second = tmp_path / "second"
    second.write_bytes(b"other")
    with pytest.raises(FileExistsError):
        local.save("videos/a/x", second)
    assert local.path("videos/a/x").read_bytes() == b"content"
    assert [p.name for p in local.path("videos/a").iterdir()] == ["x"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "/etc/passwd",
        "../x",
        "videos/../x",
        "videos//x",
        "videos/.x",
        "videos/X",
        "videos/a\0b",
        "videos/a/",
        "videos\\a",
        "videos/" + "a" * 300,
        "videos/é",
    ],
)
def test_names_that_the_server_would_not_choose_are_refused(name: str, local: LocalStore) -> None:
    with pytest.raises(ValueError, match="object name"):
        local.path(name)


def test_deleting_is_idempotent_and_takes_all_below(local: LocalStore, source: Path) -> None:
    for name in ("videos/a/1/x", "videos/a/2/y", "videos/b/1/x"):
        local.save(name, source)
    local.delete_prefix("videos/a")
    local.delete_prefix("videos/a")
    local.delete_prefix("videos/b/1/x")
    local.delete_prefix("videos/b/1/x")
    assert list(local.names("videos/b")) == []
    assert not local.exists("videos/a/1/x")


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert not LocalStore(blocked / "media", "/media/").is_writable()
    assert LocalStore(tmp_path / "media", "/media/").is_writable()
