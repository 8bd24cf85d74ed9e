"""The product in processes of its own, beside the database of a test, and its recovery.

LOOPY_CRASHES=all has them killed at all of the points; without it, at those of `rows`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import avatars
from accounts.models import User
from tests.benchmarks.running import free_port
from tests.cloudinary import Emulator
from tests.factories import PASSWORD
from tests.project.backups import ROOT, this_site
from tests.settling import settle, wake_jobs
from tiktok_clone.common import jobs
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import incoming, naming, store, stores
from tiktok_clone.common.storage.listing import etag_of
from tiktok_clone.launch import Options, web_command
from tiktok_clone.operations import sweeping
from tiktok_clone.operations.models import Orphan, Sweep
from tiktok_clone.schedule import retry_stalled_jobs
from videos import tasks
from videos.models import Rendition, Status, Tombstone, Upload, Video

LONG_AGO = timezone.now().replace(year=2020)
PATIENCE = 60
ALL = os.environ.get("LOOPY_CRASHES") == "all"
LEDGER = "tiktok_clone.common.storage.ledger"
Act = Callable[[str, requests.Session], requests.Response]


@dataclass
class Scene:
    """One test's product: its stores, and the point where a process dies.

    `orphans` are the objects that the sweep found to be of nobody when all else was done.
    """

    folder: Path
    run_jobs: Callable[[], None]
    emulator: Emulator | None = None
    orphans: set[str] = field(default_factory=set)

    @property
    def mark(self) -> Path:
        """The file that says that a process was killed."""
        return self.folder / "killed"

    def environment(self, point: str = "", **others: str) -> dict[str, str]:
        """What a process gets to know."""
        ours = {
            "LOOPY_KILL_AT": point,
            "LOOPY_KILLED": str(self.mark),
            "MEDIA_ROOT": str(settings.MEDIA_ROOT),
            "CLOUDINARY_URL": settings.CLOUDINARY_URL,
            "CLOUDINARY_NOTIFY": settings.CLOUDINARY_NOTIFY,
        }
        return this_site().environment() | ours | others

    def work(self, point: str, **environment: str) -> None:
        """Run workers until one is killed.

        One ends when all that is left waits for its time, or for a lock that it holds itself.
        """
        command = [sys.executable, "-m", "tests.crashing.worker"]
        for _ in range(4):
            wake_jobs()
            ended = self.run(command, self.environment(point, **environment))
            if self.mark.exists():
                break
        assert ended == -signal.SIGKILL, f"{point} was never reached"
        nothing_is_shown_before_it_is_ready()

    def command(self, point: str, *arguments: str) -> None:
        """Run a command of the product that is killed."""
        command = [sys.executable, "-m", "tests.crashing.command", *arguments]
        ended = self.run(command, self.environment(point))
        assert ended == -signal.SIGKILL, f"{point} was never reached"
        nothing_is_shown_before_it_is_ready()

    def run(self, command: list[str], environment: dict[str, str]) -> int:
        """Run a process with the trap in it; returns how it ended."""
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        return process.wait(PATIENCE)

    @contextmanager
    def web(self, point: str = "") -> Iterator[str]:
        """Run the web server of production; a process of it that is killed comes again."""
        port = free_port()
        options = Options(host="127.0.0.1", port=port, data_dir=self.folder, demo=False)
        command = [*web_command(options)[:-1], "tests.crashing.wsgi:application"]
        environment = self.environment(point)
        server = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url)
            yield url
        finally:
            # Nobody waits for an orderly end: what is tested is that none is needed.
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(20)
        assert self.mark.exists() == bool(point), f"{point} was never reached"

    def settle(self, looks: int = 3) -> None:
        """Let Cloudinary make what it was asked for, and a worker look, as the minutes pass."""
        settle(self.run_jobs, self.emulator, looks)

    def recover(self, rounds: int = 6) -> None:
        """Let months pass: everything that runs periodically runs until nothing changes any more.

        Args:
            rounds: how often at most.
        """
        before = None
        for _ in range(rounds):
            self.age()
            jobs.enqueue(retry_stalled_jobs, timestamp=0)
            jobs.enqueue(tasks.sweep_uploads, queueing_lock="sweep_uploads", timestamp=0)
            self.settle(2 if self.emulator else 1)
            self.age()
            self.reconcile()
            tasks.purge_tombstones(timestamp=0)
            self.run_jobs()
            after = (snapshot(), what_is_under_way())
            if after == before:
                return
            before = after

    def reconcile(self) -> list[str]:
        """Compare stores and books; returns the objects of nobody. None is ever missing."""
        reports = sweeping.sweep_all()
        missing = [name for report in reports for name in report.missing]
        assert not missing, f"rows name what is not there: {missing}"
        orphans = [name for report in reports for name in report.orphans]
        if self._is_settled():
            self.orphans.update(orphans)
        return orphans

    def _is_settled(self) -> bool:
        """Whether lists tell the truth, and no job waits that may be about to remove something."""
        is_old = self.emulator is not None and self.emulator.library.is_listing_frozen
        waiting = ProcrastinateJob.objects.filter(status__in=["todo", "doing"])
        return not is_old and not waiting.exists()

    def age(self) -> None:
        """What waits for hours, or for months in quarantine, is due."""
        Video.objects.exclude(status=Status.READY).update(updated_at=LONG_AGO)
        Upload.objects.update(expires_at=LONG_AGO, look_at=LONG_AGO)
        Tombstone.objects.update(due_at=LONG_AGO)
        StoredObject.objects.update(created_at=LONG_AGO)
        Orphan.objects.filter(quarantined_at__isnull=False).update(quarantined_at=LONG_AGO)
        for path in settings.MEDIA_ROOT.rglob("*"):
            os.utime(path, (1, 1))
        for asset in self.emulator.library if self.emulator else ():
            asset.created = 1
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = '2020-01-01'")
        wake_jobs()


def the_server_dies(scene: Scene, user: User, act: Act, point: str) -> None:
    """The server is killed while somebody acts, who gets no answer."""
    with scene.web(point) as url:
        gets_no_answer(act, url, sign_in(url, user))


def gets_no_answer(act: Act, url: str, http: requests.Session) -> None:
    """Somebody acts, and the server is killed over it."""
    with pytest.raises(requests.ConnectionError):
        act(url, http)
    nothing_is_shown_before_it_is_ready()


def ends_alike_when_all_runs_again(scene: Scene) -> None:
    """The invariants hold, and running everything once more changes nothing.

    That is also each message of Cloudinary that nobody brought so far, twice.
    """
    scene.recover()
    check_invariants()
    before = snapshot()
    if scene.emulator is not None:
        for delivery in scene.emulator.webhooks.held * 2:
            assert tell_this_process(delivery.url, delivery.body, delivery.headers) == 200
    scene.recover(rounds=1)
    check_invariants()
    assert snapshot() == before


def tell_this_process(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Bring a message to the product in this process."""
    signed = {name: value for name, value in headers.items() if name != "Content-Type"}
    path, kind = urlsplit(url).path, headers["Content-Type"]
    answer = Client().post(path, body, content_type=kind, headers=signed)
    return 200 if answer.status_code == 204 else answer.status_code


def sign_in(url: str, user: User) -> requests.Session:
    """A client of the running server, signed in."""
    http = requests.Session()
    entered = {"email": user.email, "password": PASSWORD}
    answer = http.post(f"{url}/user/signin", json=entered, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    http.headers["Authorization"] = f"Bearer {answer.json()['access']}"
    return http


def check_invariants() -> None:
    """What must hold after any kill, once the product has recovered."""
    _ready_rows_have_their_objects()
    _objects_have_rows()
    assert not Tombstone.objects.exists(), "a tombstone did not end"
    assert not Orphan.objects.exists(), "an orphan is still there"
    assert not list(incoming().iterdir()), "a file was left on its way in"
    nothing_is_shown_before_it_is_ready()


def snapshot() -> tuple[Any, ...]:
    """Rows and objects, to be compared with those after everything ran again."""
    videos = Video.objects.order_by("pk").values_list(
        "pk", "status", "published_at", "slot", "poster", "preview", "sprite"
    )
    renditions = Rendition.objects.order_by("name").values_list("name", "video", "size_bytes")
    people = User.objects.order_by("pk").values_list("pk", "avatar", "videos_count")
    names = sorted(found.name for each in stores().values() for found in each.listing())
    books = sorted(StoredObject.objects.values_list("name", flat=True))
    return list(videos), list(renditions), list(people), names, books


def what_is_under_way() -> tuple[Any, ...]:
    """What a further round may bring to its end."""
    return (
        sorted(Tombstone.objects.values_list("name", "attempts")),
        sorted(Orphan.objects.values_list("name", "passes")),
        sorted(Upload.objects.values_list("video_id", flat=True)),
        sorted(StoredObject.objects.filter(kept_at=None).values_list("name", flat=True)),
        sorted(ProcrastinateJob.objects.exclude(status="succeeded").values_list("id", "status")),
        sorted(Sweep.objects.filter(ended_at=None).values_list("store", "cursor")),
    )


def _ready_rows_have_their_objects() -> None:
    for video in Video.objects.filter(status=Status.READY):
        for name in _named(video):
            _is_as_the_books_say(name)
    for person in User.objects.exclude(avatar=""):
        for size in avatars.SIZES:
            _is_as_the_books_say(avatars.name_in(avatars.folder_of(person.avatar), size))


def _is_as_the_books_say(name: str) -> None:
    row = StoredObject.objects.get(name=name)
    assert row.kept_at is not None, name
    with store(name).local_copy(name) as path:
        assert path.stat().st_size == row.size_bytes, name
        assert row.etag in ("", etag_of(path)), name


def _objects_have_rows() -> None:
    known = set(StoredObject.objects.values_list("name", flat=True))
    way_in = incoming().relative_to(settings.MEDIA_ROOT).as_posix()
    for each in stores().values():
        for found in each.listing():
            if not found.name.startswith(f"{way_in}/"):
                assert found.name in known, f"{found.name} belongs to nobody"
    folders = {video.folder for video in Video.objects.all()}
    for name in known:
        if naming.path_of(name).startswith("videos/"):
            assert any(name.startswith(f"{folder}/") for folder in folders), f"{name} has no video"


def nothing_is_shown_before_it_is_ready() -> None:
    """Neither a clip on its way nor anything of it has an address, in the books or not."""
    anybody = Client()
    unready = list(Video.objects.exclude(status=Status.READY))
    if not unready:
        return
    stored = {found.name for each in stores().values() for found in each.listing()}
    stored |= set(StoredObject.objects.values_list("name", flat=True))
    for video in unready:
        assert anybody.get(f"/videos/{video.pk}").status_code == 404, video
        for name in (name for name in stored if name.startswith(f"{video.folder}/")):
            assert anybody.get(f"{settings.MEDIA_URL}{name}").status_code == 404, name


def _named(video: Video) -> list[str]:
    pictures = [name for name in (video.poster, video.preview, video.sprite) if name]
    return [*pictures, *video.renditions.values_list("name", flat=True)]


def wait_for(url: str) -> None:
    """Return when the web server answers."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if requests.get(f"{url}/healthz", timeout=5).status_code == 200:
                return
        except (OSError, requests.RequestException):
            time.sleep(0.1)
    raise AssertionError("the web server does not answer")
