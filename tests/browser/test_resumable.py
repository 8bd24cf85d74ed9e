"""An upload in pieces in a real browser: the line breaks, the page is reloaded, the server dies."""

import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from accounts.models import User
from tests.benchmarks.running import free_port
from tests.browser.screens import Screen
from tests.cloudinary import Emulator
from tests.cloudinary.faults import Faults
from tests.crashing.scene import wait_for
from tests.factories import UserFactory
from tests.project.backups import ROOT, this_site
from tests.videos.pieces import write_padded_clip
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import incoming, local_store
from tiktok_clone.launch import Options, web_command
from videos.media.processing import original_name
from videos.models import Upload, Video
from videos.services import uploads

PIECES = re.compile(r"/pieces$|/v1_1/[^/]+/video/upload$")
CHUNK = 50_000
COUNT = 6  # pieces of the file
KEEP_NO_FILES = """
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (value, ...key) {
    if (value instanceof File) throw new DOMException("", "DataCloneError");
    return put.call(this, value, ...key);
  };
"""
Open = Callable[..., Screen]
Fault = Callable[[Route], None]


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    incoming()
    monkeypatch.setattr(uploads, "CHUNK_BYTES", CHUNK)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A clip of COUNT pieces, the last one shorter."""
    return write_padded_clip(tmp_path / "holiday.mp4", CHUNK * COUNT - 1234)


class Line:
    """The line between a page and the server: what goes over it of a file, and what is held up."""

    def __init__(self, page: Page, chunk: int = CHUNK) -> None:
        self.page = page
        self.chunk = chunk
        self.tried: list[int] = []  # numbers of pieces, in the order of the requests
        self.acknowledged: list[int] = []
        self.held: list[Route] = []
        self.hold_from = COUNT
        self.faults: dict[int, list[Fault]] = {}  # by piece, each happens once
        page.route(PIECES, self._route)
        page.on("requestfinished", self._finished)

    def let_through(self) -> None:
        """Hold nothing any more, and send on what was held."""
        self.hold_from = COUNT
        while self.held:
            self.held.pop().continue_()

    def cut(self) -> None:
        """What was held never arrives."""
        self.hold_from = COUNT
        while self.held:
            self.held.pop().abort("connectionreset")

    def reload(self) -> int:
        """Load the page anew, while pieces are held; returns how many were tried before."""
        tried = len(self.tried)
        self.held.clear()  # they end with the page that sent them
        self.page.reload()
        self.let_through()
        return tried

    def wait_for_held(self, together: int = 2) -> None:
        """Wait until so many pieces are held, and all before them are acknowledged."""
        for _ in range(300):
            if len(self.held) >= together and len(set(self.acknowledged)) >= self.hold_from:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"pieces tried: {self.tried}, acknowledged: {self.acknowledged}")

    def _route(self, route: Route) -> None:
        number = self._number(route.request)
        self.tried.append(number)
        faults = self.faults.get(number)
        if number >= self.hold_from:
            self.held.append(route)
        elif faults:
            faults.pop()(route)
        else:
            route.continue_()

    def _finished(self, request: Request) -> None:
        answer = request.response() if PIECES.search(request.url) else None
        if answer and answer.ok:
            self.acknowledged.append(self._number(request))

    def _number(self, request: Request) -> int:
        start = re.match(r"bytes (\d+)-", request.headers["content-range"])
        assert start
        return int(start[1]) // self.chunk


def open_upload(screen: Open, person: User, **options: Any) -> tuple[Screen, Line]:
    """The upload page, and what it sends from now on."""
    window = screen(person, **options)
    window.expect_trouble("Failed to load resource")
    window.page.on("dialog", lambda dialog: dialog.accept())  # "leave the page?"
    window.page.goto("/upload")
    return window, Line(window.page)


def choose(page: Page, path: Path) -> None:
    """Choose a file."""
    page.locator("input[type=file]").set_input_files(path)


def leave_half_way(screen: Open, person: User, path: Path) -> tuple[Screen, Line, int]:
    """Send three pieces from a browser that keeps no files, and load the page anew.

    Returns:
        The page, what it sends, and how many pieces were tried before.
    """
    window, line = open_upload(screen, person)
    window.page.context.add_init_script(KEEP_NO_FILES)
    window.page.reload()
    line.hold_from = 3
    choose(window.page, path)
    line.wait_for_held()
    return window, line, line.reload()


def state(page: Page) -> Any:
    """Where the page says how it goes."""
    return page.locator("[data-state]")


def expect_arrived(page: Page) -> None:
    """Wait until the file is taken in."""
    expect(state(page)).to_contain_text("Post it when", timeout=30_000)


def check_stored(path: Path) -> Video:
    """The one clip there is has the bytes of the file, and nothing is left on its way."""
    video = Video.objects.get()
    with local_store().open(original_name(video)) as stored:
        assert stored.read() == path.read_bytes()
    assert not Upload.objects.exists()
    assert list(incoming().iterdir()) == []
    return video


def kept(page: Page) -> int:
    """How many uploads this browser keeps."""
    script = """() => new Promise((resolve) => {
      const opening = indexedDB.open("unfinished");
      opening.onsuccess = () => {
        const count = opening.result.transaction("uploads").objectStore("uploads").count();
        count.onsuccess = () => { opening.result.close(); resolve(count.result); };
      };
    })"""
    return int(page.evaluate(script))


def test_a_file_goes_in_pieces_and_is_posted(screen: Open, anna: User, file: Path) -> None:
    window, line = open_upload(screen, anna)
    choose(window.page, file)
    expect_arrived(window.page)
    assert sorted(line.tried) == list(range(COUNT))
    assert (line.tried[0], line.tried[-1]) == (0, COUNT - 1)
    window.page.get_by_label("Caption").fill("In pieces")
    window.page.get_by_role("button", name="Post").click()
    window.page.wait_for_url("**/status")
    video = check_stored(file)
    assert (video.caption, video.visibility) == ("In pieces", "public")
    assert kept(window.page) == 0


def test_post_may_be_pressed_while_it_is_on_its_way(screen: Open, anna: User, file: Path) -> None:
    window, line = open_upload(screen, anna)
    line.hold_from = 2
    choose(window.page, file)
    line.wait_for_held()
    window.page.get_by_role("button", name="Post").click()
    expect(state(window.page)).to_contain_text("will be posted")
    line.let_through()
    window.page.wait_for_url("**/status")
    assert check_stored(file).visibility == "public"


def test_a_line_that_breaks_costs_only_what_was_on_its_way(
    screen: Open, anna: User, file: Path
) -> None:
    window, line = open_upload(screen, anna)
    broken: Fault = lambda route: route.abort("connectionreset")  # noqa: E731
    line.faults = {2: [broken, broken], 3: [broken]}
    choose(window.page, file)
    expect_arrived(window.page)
    check_stored(file)
    assert (line.tried.count(2), line.tried.count(3)) == (3, 2)
    assert sorted(line.acknowledged) == list(range(COUNT))


def test_it_waits_while_there_is_no_network(screen: Open, anna: User, file: Path) -> None:
    window, line = open_upload(screen, anna)
    window.page.clock.install()
    line.hold_from = 2
    choose(window.page, file)
    line.wait_for_held()
    window.page.context.set_offline(True)
    line.cut()
    expect(state(window.page)).to_have_text("No connection. It goes on by itself.")
    tried = len(line.tried)
    window.page.clock.fast_forward(20_000)
    window.page.wait_for_timeout(200)
    assert len(line.tried) == tried, "it tries though there is no network"
    window.page.context.set_offline(False)
    expect_arrived(window.page)
    check_stored(file)
    assert sorted(line.acknowledged) == list(range(COUNT))


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (502, "<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"}),
        (429, '{"code":"throttled","detail":"Slow down."}', {"Retry-After": "1"}),
        (400, '{"code":"checksum_mismatch","detail":"Damaged."}', {}),
    ],
)
def test_an_answer_that_passes_is_asked_for_again(
    screen: Open, anna: User, file: Path, status: int, body: str, headers: dict[str, str]
) -> None:
    window, line = open_upload(screen, anna)
    kind = {"Content-Type": "application/json"} | headers
    line.faults = {1: [lambda route: route.fulfill(status=status, body=body, headers=kind)]}
    choose(window.page, file)
    expect(window.page.get_by_role("button", name="Try again")).to_be_visible()
    said = state(window.page).inner_text()
    assert "html" not in said.lower(), said
    assert "JSON" not in said, said
    expect_arrived(window.page)
    check_stored(file)
    assert line.tried.count(1) == 2
    assert sum(line.tried.count(number) for number in range(COUNT)) == COUNT + 1


def test_a_page_that_is_reloaded_goes_on(screen: Open, anna: User, file: Path) -> None:
    window, line = open_upload(screen, anna)
    line.hold_from = 3
    choose(window.page, file)
    line.wait_for_held()
    tried = line.reload()
    expect(window.page.locator("[data-name]")).to_contain_text("holiday.mp4")
    expect_arrived(window.page)
    check_stored(file)
    assert sorted(line.tried[tried:]) == [3, 4, 5]
    assert line.tried[-1] == COUNT - 1


def test_a_closed_tab_goes_on_in_another_for_the_same_account_only(
    screen: Open, anna: User, file: Path
) -> None:
    window, line = open_upload(screen, anna)
    context = window.page.context
    line.hold_from = 3
    choose(window.page, file)
    line.wait_for_held()
    second = context.new_page()
    second.goto("/upload")
    second.wait_for_timeout(500)
    expect(second.locator("[data-chosen]")).to_be_hidden()  # the first tab is at it
    window.page.close()

    cookies = context.cookies()
    context.clear_cookies()
    stranger = Screen(second)
    stranger.sign_in(UserFactory().email, "correct horse battery")
    second.goto("/upload")
    second.wait_for_timeout(500)
    expect(second.locator("[data-chosen]")).to_be_hidden()
    assert kept(second) == 1

    context.clear_cookies()
    context.add_cookies([{k: v for k, v in c.items() if k != "sameSite"} for c in cookies])  # type: ignore[misc]
    second.goto("/upload")
    expect_arrived(second)
    assert check_stored(file).author == anna


def test_whoever_signs_out_leaves_nothing_in_the_browser(
    screen: Open, anna: User, file: Path
) -> None:
    window, line = open_upload(screen, anna)
    line.hold_from = 3
    choose(window.page, file)
    line.wait_for_held()
    second = window.page.context.new_page()
    window.page.close()
    second.goto("/")
    assert kept(second) == 1
    second.get_by_role("button", name="Sign out").click()
    expect(second.get_by_role("link", name="Sign in").first).to_be_visible()
    assert kept(second) == 0


def test_a_reservation_whose_answer_was_lost_takes_no_room(
    screen: Open, anna: User, file: Path
) -> None:
    window, _ = open_upload(screen, anna)
    lost: list[str] = []

    def lose(route: Route) -> None:
        """The server does it, and nobody hears of it."""
        if not lost:
            lost.append(route.request.headers["idempotency-key"])
            route.fetch()
            route.abort()
        else:
            route.continue_()

    window.page.route(re.compile(r"/video/upload$"), lose)
    choose(window.page, file)
    expect_arrived(window.page)
    assert len(lost) == 1
    assert check_stored(file).author == anna  # the only one there is


def test_what_arrived_but_was_not_posted_is_there_after_a_reload(
    screen: Open, anna: User, file: Path
) -> None:
    window, _ = open_upload(screen, anna)
    choose(window.page, file)
    expect_arrived(window.page)
    window.page.reload()
    expect_arrived(window.page)
    window.page.get_by_role("button", name="Post").click()
    window.page.wait_for_url("**/status")
    assert check_stored(file).visibility == "public"


def test_where_the_browser_keeps_no_files_choosing_it_again_goes_on(
    screen: Open, anna: User, file: Path
) -> None:
    window, line, tried = leave_half_way(screen, anna, file)
    expect(window.page.locator("[data-resume]")).to_contain_text("holiday.mp4")
    choose(window.page, file)
    expect_arrived(window.page)
    check_stored(file)
    assert sorted(line.tried[tried:]) == [3, 4, 5]


def test_choosing_another_file_gives_the_upload_up(
    screen: Open, anna: User, file: Path, tmp_path: Path
) -> None:
    window, line = open_upload(screen, anna)
    page = window.page
    line.hold_from = 3
    choose(page, file)
    line.wait_for_held()
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as given_up:
        page.get_by_role("button", name="Choose another").click()
    assert given_up.value.status == 204
    assert not Video.objects.exists()
    assert list(incoming().iterdir()) == []
    assert kept(page) == 0
    line.cut()
    other = write_padded_clip(tmp_path / "other.mp4", CHUNK * 3)
    choose(page, other)
    expect_arrived(page)
    check_stored(other)


def test_of_two_files_chosen_at_once_only_the_second_is_sent(
    screen: Open, anna: User, file: Path, tmp_path: Path
) -> None:
    other = write_padded_clip(tmp_path / "other.mp4", CHUNK * 3)
    window, _ = open_upload(screen, anna)
    # The first is looked at for as long as that may take.
    window.page.evaluate(
        "() => { const of = URL.createObjectURL; let first = true; URL.createObjectURL = (file) =>"
        " { if (!first) return of(file); first = false; return 'blob:nothing-comes'; } }"
    )
    window.expect_trouble("Not allowed to load", "ERR_FILE_NOT_FOUND", "ERR_UNKNOWN_URL_SCHEME")
    choose(window.page, file)
    choose(window.page, other)
    expect_arrived(window.page)
    window.page.wait_for_timeout(4500)
    check_stored(other)


def test_an_upload_that_expired_meanwhile_is_forgotten(
    screen: Open, anna: User, file: Path
) -> None:
    window, line = open_upload(screen, anna)
    line.hold_from = 3
    choose(window.page, file)
    line.wait_for_held()
    window.page.goto("about:blank")
    line.cut()
    Video.objects.all().delete()
    window.page.goto("/upload")
    expect(window.page.locator("[data-invite]")).to_be_visible()
    window.page.wait_for_timeout(500)
    assert kept(window.page) == 0
    assert not Video.objects.exists()


def test_one_that_expires_on_its_way_begins_anew(screen: Open, anna: User, file: Path) -> None:
    window, line = open_upload(screen, anna)
    line.hold_from = 2
    choose(window.page, file)
    line.wait_for_held()
    Video.objects.all().delete()
    line.let_through()
    expect_arrived(window.page)
    video = Video.objects.get()
    with local_store().open(original_name(video)) as stored:
        assert stored.read() == file.read_bytes()


def test_a_refusal_is_said_and_leaves_nothing(
    screen: Open, anna: User, file: Path, settings: Any
) -> None:
    window, _ = open_upload(screen, anna)
    settings.VIDEO_MAX_BYTES = 1000  # lower than the page was told
    choose(window.page, file)
    expect(window.page.locator("[data-error]")).to_contain_text("Export it smaller")
    settings.VIDEO_MAX_BYTES = 10**8
    settings.QUOTA_BYTES = 1000
    choose(window.page, file)
    expect(window.page.locator("[data-error]")).to_contain_text("Delete some to post more")
    assert not Video.objects.exists()
    assert kept(window.page) == 0
    settings.QUOTA_BYTES = 10**8
    window.page.get_by_role("button", name="Try again").click()
    expect_arrived(window.page)
    check_stored(file)


def test_posting_through_a_broken_proxy_says_a_plain_sentence(
    screen: Open, anna: User, file: Path
) -> None:
    window, _ = open_upload(screen, anna)
    choose(window.page, file)
    expect_arrived(window.page)
    page = "<html><h1>502 Bad Gateway</h1></html>"
    window.page.route(
        re.compile(r"/videos/\d+$"),
        lambda route: route.fulfill(status=502, body=page, content_type="text/html"),
    )
    window.page.get_by_role("button", name="Post").click()
    expect(window.page.locator("[data-error]")).to_have_text("That did not work. Try again.")
    expect(window.page.get_by_role("button", name="Post")).to_be_enabled()


@pytest.fixture
def hosted(cloudinary_emulator: Emulator, settings: Any) -> Emulator:
    """New media go to an emulator of Cloudinary, past us."""
    settings.CLOUDINARY_URL = f"{cloudinary_emulator.url}&secure=false"
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    allowed = [*directives["connect-src"], cloudinary_emulator.origin]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives | {"connect-src": allowed}}
    cloudinary_emulator.webhooks.lost = True
    return cloudinary_emulator


def check_hosted(path: Path) -> None:
    """The one clip there is is at Cloudinary, with the bytes of the file."""
    video = Video.objects.get()
    assert video.store == "cloudinary"
    row = StoredObject.objects.get(name=original_name(video))
    assert row.etag == hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    assert not Upload.objects.exists()


def test_at_cloudinary_it_goes_on_after_a_reload(
    screen: Open, anna: User, file: Path, hosted: Emulator
) -> None:
    window, line = open_upload(screen, anna)
    line.hold_from = 3
    choose(window.page, file)
    line.wait_for_held()
    tried = line.reload()
    expect_arrived(window.page)
    check_hosted(file)
    assert line.tried[0] == 0
    assert sorted(line.tried[tried:]) == [3, 4, 5]
    assert line.tried[-1] == COUNT - 1


@pytest.mark.parametrize(
    "strike",
    [
        lambda faults: faults.drop_before("part", times=2),
        lambda faults: faults.page("part"),
        lambda faults: faults.limit("part"),
        lambda faults: faults.refuse("part", 401),  # signed too long ago
        lambda faults: faults.drop_after("upload"),  # it is all there, and nobody says so
        lambda faults: faults.refuse("upload", 400, times=3),  # what came before is lost
    ],
    ids=["dropped", "a page", "rate limit", "stale", "answer lost", "begun anew"],
)
def test_at_cloudinary_it_goes_on_whatever_that_answers(
    screen: Open, anna: User, file: Path, hosted: Emulator, strike: Callable[[Faults], None]
) -> None:
    window, _ = open_upload(screen, anna)
    window.expect_trouble("blocked by CORS policy")  # what a lost connection looks like
    strike(hosted.faults)
    choose(window.page, file)
    expect_arrived(window.page)
    check_hosted(file)
    assert hosted.faults.pending() == []


def test_at_cloudinary_another_file_that_looks_the_same_is_never_mixed_with_the_first(
    screen: Open, anna: User, file: Path, hosted: Emulator
) -> None:
    """Of the same name, size and time of change: only the checksum of the whole tells."""
    window, line, tried = leave_half_way(screen, anna, file)
    content, before = bytearray(file.read_bytes()), file.stat()
    content[CHUNK] ^= 1  # in a piece that has been sent
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    choose(window.page, file)
    expect_arrived(window.page)
    check_hosted(file)
    assert sorted(line.tried[tried:]) == sorted([*range(COUNT), 3, 4, 5])


def test_at_cloudinary_what_was_damaged_on_its_way_goes_again(
    screen: Open, anna: User, file: Path, hosted: Emulator
) -> None:
    window, line = open_upload(screen, anna)
    hosted.faults.damaged_parts = 1
    choose(window.page, file)
    expect_arrived(window.page)
    check_hosted(file)
    assert sorted(line.tried) == sorted([*range(COUNT)] * 2)


def test_at_cloudinary_a_line_that_damages_everything_is_given_up(
    screen: Open, anna: User, file: Path, hosted: Emulator
) -> None:
    window, line = open_upload(screen, anna)
    hosted.faults.damaged_parts = 100
    choose(window.page, file)
    error = window.page.locator("[data-error]")
    expect(error).to_have_text("The file was damaged on its way. Send it again.", timeout=30_000)
    assert line.tried.count(0) == 3
    assert not Video.objects.exists()
    assert kept(window.page) == 0


class Server:
    """The web server of production on the tests' database, which can be killed."""

    def __init__(self, folder: Path, media: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        options = Options(host="127.0.0.1", port=self.port, data_dir=folder, demo=False)
        self.command = web_command(options)
        self.environment = this_site().environment() | {"MEDIA_ROOT": str(media)}
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=self.environment, start_new_session=True
        )
        wait_for(self.url)

    def kill(self) -> None:
        """Kill it with all its processes, in the middle of whatever they do."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    """A server that a test may kill."""
    running = Server(tmp_path, tmp_path / "media")
    yield running
    running.kill()


def test_a_server_that_is_killed_and_started_again_gets_only_the_rest(
    screen: Open, anna: User, server: Server, tmp_path: Path
) -> None:
    chunk = 6_000_000
    big = write_padded_clip(tmp_path / "long.mp4", 4 * chunk + 1)
    window, line = open_upload(screen, anna, base_url=server.url)
    line.chunk, line.hold_from = chunk, 3
    choose(window.page, big)
    line.wait_for_held(together=1)
    server.kill()
    line.let_through()
    expect(state(window.page)).to_contain_text("The connection broke")
    tried = len(line.tried)
    server.start()
    expect_arrived(window.page)
    assert sorted({*line.tried[tried:]} - {3, 4}) == []
    check_stored(big)
