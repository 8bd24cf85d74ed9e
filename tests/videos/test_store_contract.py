"""What both stores promise: the disk, the emulator and, where one is named, a real account.

LOOPY_CLOUDINARY_URL names an account to try it on; what is made there is removed again.
"""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cloudinary import Emulator
from tests.videos.clips import clip
from tests.videos.outputs import check_bare
from tiktok_clone.common.storage import CloudinaryStore, LocalStore, Store, naming
from tiktok_clone.common.storage.cloudinary import etag_of
from tiktok_clone.common.storage.transformations import derived_name, same, transformation_of

pytestmark = pytest.mark.django_db  # calls are counted
REAL = os.environ.get("LOOPY_CLOUDINARY_URL", "")
HOSTED = ["emulator", *(["account"] if REAL else [])]
PATIENCE = 120
AN_HOUR = 60 * 60


@pytest.fixture
def at(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Any
) -> Iterator[tuple[Store, str]]:
    """A store, and a folder in it that is empty before and afterwards."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    where = request.param
    if where == "disk":
        yield LocalStore(tmp_path / "media", "/media/"), f"videos/{uuid.uuid4()}"
        return
    folder = naming.named(naming.CLOUDINARY, f"videos/{uuid.uuid4()}")
    if where == "account":
        store = CloudinaryStore(REAL, "loopy-contract", "/media/")
        yield store, folder
        store.delete_prefix(folder, [f"{folder}/original", f"{folder}/1/360.mp4"])
        return
    with Emulator(chunk_min=1) as emulator:
        yield CloudinaryStore(f"{emulator.url}&secure=false", "", "/media/"), folder


everywhere = pytest.mark.parametrize("at", ["disk", *HOSTED], indirect=True)
hosted = pytest.mark.parametrize("at", HOSTED, indirect=True)
At = tuple[Store, str]


@everywhere
def test_what_is_saved_can_be_read(at: At) -> None:
    store, folder = at
    name, path = f"{folder}/1/360.mp4", clip("180x320")
    assert not store.exists(name)
    store.save(name, path)
    assert store.exists(name)
    assert store.size(name) == path.stat().st_size
    with store.open(name) as file:
        assert file.read() == path.read_bytes()
    with store.local_copy(name) as copy:
        assert copy.read_bytes() == path.read_bytes()


@everywhere
def test_the_same_again_is_fine_and_other_bytes_are_not(at: At) -> None:
    store, folder = at
    name = f"{folder}/original"
    store.save(name, clip("180x320"))
    store.save(name, clip("180x320"))
    with pytest.raises(FileExistsError):
        store.save(name, clip("180x320", 0.5))
    with store.open(name) as file:
        assert file.read() == clip("180x320").read_bytes()


@everywhere
def test_what_is_not_there_is_named(at: At) -> None:
    store, folder = at
    name = f"{folder}/1/360.mp4"
    with pytest.raises(FileNotFoundError):
        store.size(name)
    with pytest.raises(FileNotFoundError):
        store.open(name)
    with pytest.raises(FileNotFoundError), store.local_copy(name):
        pass
    store.delete_prefix(name)
    store.delete_prefix(folder)


@everywhere
def test_a_listing_has_names_sizes_and_times(at: At, tmp_path: Path) -> None:
    store, folder = at
    # On the disk the time is that of the bytes, so these are of this test alone.
    original = shutil.copy(clip("180x320"), tmp_path / "original.mp4")
    store.save(f"{folder}/original", original)
    store.save(f"{folder}/1/360.mp4", shutil.copy(clip("180x320", 0.5), tmp_path / "360.mp4"))
    found = {each.name: each for each in store.listing(folder)}
    assert sorted(found) == [f"{folder}/1/360.mp4", f"{folder}/original"]
    assert found[f"{folder}/original"].size == original.stat().st_size
    assert abs(time.time() - found[f"{folder}/original"].since.timestamp()) < AN_HOUR


@everywhere
def test_one_object_goes_or_all_below_a_prefix(at: At) -> None:
    store, folder = at
    names = [f"{folder}/original", f"{folder}/1/360.mp4", f"{folder}/2/360.mp4"]
    for number, name in enumerate(names):
        store.save(name, clip("180x320", 0.4 + number / 10))
    store.delete_prefix(names[1])
    assert [store.exists(name) for name in names] == [True, False, True]
    store.delete_prefix(folder, names)
    assert not any(store.exists(name) for name in names)


@hosted
def test_renditions_are_derived_in_the_background(at: At, tmp_path: Path) -> None:
    store, folder = at
    assert isinstance(store, CloudinaryStore)
    name = f"{folder}/original"
    store.save(name, clip("360x640"))
    facts = store.describe(name)
    assert (facts["width"], facts["height"], facts["etag"]) == (360, 640, etag_of(clip("360x640")))
    assert abs(float(facts["duration"]) - 1.0) < 0.2
    wanted = [derived_name(180, 320, "mp4"), derived_name(180, 320, "webp")]
    store.derive(name, wanted)
    store.derive(name, wanted)
    sizes = wait_for(store, name, wanted)
    for each in wanted:
        answer = requests.get(store.delivery_url(f"{name}/{each}"), timeout=30)
        assert len(answer.content) == sizes[each]
        made = tmp_path / each
        made.write_bytes(answer.content)
        if each.endswith("mp4"):
            check_bare(made)


def wait_for(store: CloudinaryStore, name: str, wanted: list[str]) -> dict[str, int]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        rows = store.describe(name).get("derived", [])
        sizes = {
            each: row["bytes"]
            for each in wanted
            for row in rows
            if same(row["transformation"], transformation_of(each))
        }
        if len(sizes) == len(wanted):
            return sizes
        time.sleep(0.5)
    raise AssertionError("nothing was derived")


@hosted
def test_a_ticket_lets_somebody_else_upload_that_one_object(at: At) -> None:
    store, folder = at
    assert isinstance(store, CloudinaryStore)
    name, content = f"{folder}/original", clip("360x640", 2.0).read_bytes()
    ticket = store.ticket(name)
    headers = {
        "Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}",
        "X-Unique-Upload-Id": uuid.uuid4().hex,
    }
    files = {"file": ("blob", content)}
    for changed in ({"public_id": "somebody/else"}, {"timestamp": "1"}, {"api_key": "9"}):
        refused = requests.post(
            ticket.url, data=ticket.fields | changed, files=files, headers=headers, timeout=30
        )
        assert refused.status_code in (400, 401), changed
    taken = requests.post(ticket.url, data=ticket.fields, files=files, headers=headers, timeout=30)
    assert taken.status_code == 200, taken.text
    assert store.size(name) == len(content)
