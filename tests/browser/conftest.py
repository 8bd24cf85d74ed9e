"""A real Chromium on a live server, with clips that really play."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import imageio_ffmpeg
import pytest
from django.core.signals import request_finished, request_started
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from tests.browser.screens import Screen
from tests.factories import PASSWORD, UserFactory, VideoFactory
from tiktok_clone.common.storage import local_store
from videos.models import Video

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
# The same engine without the windows around it: a third less work.
SHELL = shutil.which("chromium-headless-shell") or CHROMIUM
NO_CHROMIUM = f"no Chromium: none of {', '.join(NAMES)} is on the PATH"
# Milliseconds to wait for what a page is to show: a busy machine is not a broken page.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)
MEDIA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "media"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them with the reason where there is no browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if SHELL is None:
                item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the system's Chromium, also as root and without a graphics card."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    return browser_type_launch_args | {"executable_path": SHELL, "args": arguments}


@pytest.fixture
def sample() -> Callable[[str], Path]:
    """Find a file of the shared media by the beginning of its name."""

    def find(prefix: str) -> Path:
        found = sorted(MEDIA.glob(f"{prefix}*"))
        if not found:
            pytest.skip(f"no file {prefix}* beside the repository (shared/data/media)")
        return found[0]

    return find


@pytest.fixture(scope="session")
def clip() -> Iterator[tuple[Path, Path]]:
    """A clip of three seconds with sound, and its poster; made once for the run."""
    with tempfile.TemporaryDirectory(prefix="loopy-browser-") as folder:
        video, poster = Path(folder) / "clip.mp4", Path(folder) / "poster.webp"
        sources = ("testsrc2=size=180x320:rate=15", "sine=frequency=330:sample_rate=44100")
        inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
        codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *inputs, "-t", "3"]
        subprocess.run([*command, *codecs, "-movflags", "+faststart", str(video)], check=True)
        Image.new("RGB", (180, 320), "#334466").save(poster)
        yield video, poster


@pytest.fixture
def post(transactional_db: None, clip: tuple[Path, Path]) -> Callable[..., list[Video]]:
    """Publish `count` clips whose files are there; `author` and other fields as in the factory."""

    def publish(count: int = 1, **fields: Any) -> list[Video]:
        videos = [VideoFactory(**fields) for _ in range(count)]
        for video in videos:
            local_store().save(video.renditions.get().name, clip[0])
            local_store().save(video.poster, clip[1])
        return videos

    return publish


@pytest.fixture
def anna(transactional_db: None) -> User:
    """The person in front of the browser."""
    return UserFactory(email="anna@example.org", handle="anna", name="Anna Lind")


class Traffic:
    """How many requests the live server is answering; it runs in this process."""

    def __init__(self) -> None:
        self.running = 0
        self.changed_at = time.monotonic()
        self.lock = Lock()

    def started(self, **_: Any) -> None:
        """A request came in."""
        self._count(1)

    def finished(self, **_: Any) -> None:
        """An answer is out."""
        self._count(-1)

    def _count(self, step: int) -> None:
        with self.lock:
            self.running += step
            self.changed_at = time.monotonic()

    def wait_for_quiet(self, calm: float = 0.2, patience: float = 10) -> None:
        """Wait until no request has run for `calm` seconds, at most `patience` seconds."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.running <= 0 and time.monotonic() - self.changed_at > calm:
                return
            time.sleep(0.02)


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    """Requests in flight, so that the database is not emptied under one."""
    counter = Traffic()
    request_started.connect(counter.started)
    request_finished.connect(counter.finished)
    yield counter
    request_started.disconnect(counter.started)
    request_finished.disconnect(counter.finished)


def cookies_of(person: User, url: str) -> list[Any]:
    """Sign in as the page does, without the work of two pages; return what a browser keeps."""
    client = Client()
    client.post("/signin", {"email": person.email, "password": PASSWORD})
    return [{"name": name, "value": one.value, "url": url} for name, one in client.cookies.items()]


@pytest.fixture
def screen(
    browser: Browser, live_server: Any, transactional_db: None, traffic: Traffic
) -> Iterator[Callable[..., Screen]]:
    """Open a browser window on the site, where `as_user` is signed in."""
    contexts: list[BrowserContext] = []

    def open_window(
        as_user: User | None = None, width: int = 1280, height: int = 800, **options: Any
    ) -> Screen:
        viewport = {"width": width, "height": height}
        options = {"base_url": live_server.url} | options
        context = browser.new_context(viewport=viewport, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if as_user is not None:
            context.add_cookies(cookies_of(as_user, options["base_url"]))
        page: Page = context.new_page()
        return Screen(page)

    yield open_window
    for context in contexts:
        for page in context.pages:
            page.goto("about:blank")  # the last beacon leaves now, not after the test
        context.close()
    traffic.changed_at = time.monotonic()
    traffic.wait_for_quiet()
    troubles = [trouble for context in contexts for trouble in Screen.troubles.pop(context, [])]
    assert troubles == [], "the browser's console reported errors"
