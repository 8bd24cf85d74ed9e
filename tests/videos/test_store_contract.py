"""What both stores promise: the disk, the emulator and, where one is named, a real account.

LOOPY_CLOUDINARY_URL names an account to try it on; what is made there is removed again.
LOOPY_CLOUDINARY_NOTIFY is an address of the internet that leads to port 8799 of this machine: with
it, the messages of that account are tried as well.
"""

import os
import queue
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client

from tests.cloudinary import Emulator
from tests.videos.clips import clip
from tests.videos.outputs import check_bare
from tiktok_clone.common.storage import CloudinaryStore, LocalStore, Page, Store, naming
from tiktok_clone.common.storage.listing import etag_of
from tiktok_clone.common.storage.transformations import derived_name, same, transformation_of
from videos.models import MediaEvent

pytestmark = pytest.mark.django_db  # calls are counted
REAL = os.environ.get("LOOPY_CLOUDINARY_URL", "")
NOTIFY = os.environ.get("LOOPY_CLOUDINARY_NOTIFY", "")
NOTIFY_PORT = 8799
HOSTED = ["emulator", *(["account"] if REAL else [])]
MESSAGES = ["emulator", *(["account"] if REAL and NOTIFY else [])]
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
        made = [f"{folder}/{name}" for name in ("original", "1/360.mp4", "2/360.mp4")]
        store.delete_prefix(folder, made)
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


@everywhere
def test_facts_are_of_now_and_leave_out_what_is_not_there(at: At, tmp_path: Path) -> None:
    store, folder = at
    names = [f"{folder}/original", f"{folder}/1/360.mp4"]
    sources = [own_copy(tmp_path, number) for number in range(2)]
    for name, source in zip(names, sources, strict=True):
        store.save(name, source)
    facts = store.facts([*names, f"{folder}/2/360.mp4"])
    assert set(facts) == set(names)
    for name, source in zip(names, sources, strict=True):
        assert facts[name].size == source.stat().st_size
        assert facts[name].etag in ("", etag_of(source))
        assert abs(time.time() - facts[name].since.timestamp()) < AN_HOUR
    store.delete_prefix(names[1])
    assert set(store.facts(names)) == {names[0]}
    assert store.facts([]) == {}


@hosted
def test_what_is_derived_is_there_as_long_as_its_original(at: At) -> None:
    store, folder = at
    name = f"{folder}/original"
    derived = f"{name}/{derived_name(180, 320, 'mp4')}"
    assert store.facts([derived]) == {}
    store.save(name, clip("180x320"))
    assert store.facts([derived])[derived].size == 0
    assert store.facts([name])[name].etag == etag_of(clip("180x320"))


@everywhere
def test_pages_have_everything_and_go_on_behind_their_cursors(
    at: At, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, folder = at
    for module in ("local", "cloudinary"):
        monkeypatch.setattr(f"tiktok_clone.common.storage.{module}.LISTED_AT_ONCE", 2)
    names = {f"{folder}/{name}" for name in ("original", "1/360.mp4", "2/360.mp4")}
    for number, name in enumerate(sorted(names)):
        store.save(name, own_copy(tmp_path, number))
    pages = eventually(lambda: list(store.pages()), lambda pages: names <= names_of(pages))
    assert len(pages) > 1
    assert all(len(page.objects) <= 2 for page in pages)
    assert [page.cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]
    for number, page in enumerate(pages[:-1]):
        assert names_of(pages[number + 1 :]) <= names_of(store.pages(page.cursor or ""))


def own_copy(folder: Path, number: int) -> Path:
    """A clip of this test alone: on the disk an object's time is that of the bytes."""
    return Path(shutil.copy(clip("180x320", 0.4 + number / 10), folder / f"{number}.mp4"))


def names_of(pages: Iterable[Page]) -> set[str]:
    return {found.name for page in pages for found in page.objects}


def eventually(ask: Callable[[], list[Page]], good: Callable[[list[Page]], bool]) -> list[Page]:
    """Ask until the answer is good: lists of Cloudinary may be old."""
    end = time.monotonic() + PATIENCE
    while not good(answer := ask()) and time.monotonic() < end:
        time.sleep(2)
    return answer


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


@contextmanager
def listening(port: int) -> Iterator[tuple[int, "queue.Queue[tuple[bytes, dict[str, str]]]"]]:
    """Take in messages on a port, or on any that is free for 0."""
    came: queue.Queue[tuple[bytes, dict[str, str]]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put((body, {k: v for k, v in self.headers.items() if k.startswith("X-Cld-")}))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = HTTPServer(("", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, came
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.django_db
@pytest.mark.parametrize("at", MESSAGES, indirect=True)
def test_the_message_that_an_upload_has_come_is_one_that_we_take(at: At, settings: Any) -> None:
    store, folder = at
    assert isinstance(store, CloudinaryStore)
    real = store.assets.folder != ""
    with listening(NOTIFY_PORT if real else 0) as (port, came):
        ticket = store.ticket(f"{folder}/original", NOTIFY if real else f"http://127.0.0.1:{port}")
        with clip("180x320").open("rb") as file:
            sent = requests.post(
                ticket.url, data=ticket.fields, files={"file": file}, timeout=PATIENCE
            )
        assert sent.status_code == 200, sent.text
        body, headers = came.get(timeout=PATIENCE)
    settings.CLOUDINARY_URL = store_url(store)
    for changed, status in ((b"", 204), (b" ", 403)):
        answer = Client().post(
            "/media/webhook", body + changed, content_type="application/json", headers=headers
        )
        assert answer.status_code == status
    event = MediaEvent.objects.get()
    assert (event.kind, event.name) == ("upload", store.assets.public_id(f"{folder}/original"))


def store_url(store: CloudinaryStore) -> str:
    """The CLOUDINARY_URL of the account that a store uses."""
    told = store.account.options
    return f"cloudinary://{told['api_key']}:{told['api_secret']}@{told['cloud_name']}"
