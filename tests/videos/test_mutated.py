"""Real files, damaged at random: each ends somewhere, and worker and server never notice.

LOOPY_MUTANTS=40 makes so many of each file, of all kinds of damage in turn; the seeds are fixed.
"""

import contextlib
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from django.conf import settings

from accounts.models import User
from tests.crashing.scene import Scene, sign_in
from tests.videos.clips import clip
from tests.videos.test_probe import SAMPLES, needs_samples, samples
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import incoming, local_store
from videos import tasks
from videos.media import ffmpeg, probe, sandbox
from videos.media.ffmpeg import FfmpegError
from videos.media.processing import give_up, make_playable
from videos.media.refusals import RefusedError
from videos.models import Status, Tombstone, Video
from videos.services import publishing

MUTANTS = int(os.environ.get("LOOPY_MUTANTS", "1"))
HEAD = 4096
MARGIN = 10  # seconds to start a child and to kill it
FFMPEG_SECONDS = 30
# Bytes: of the process that has the children, and of a child, whose limits are far above.
GROWTH = 64 * 2**20
CHILD = 1 * 2**30
Mutation = Callable[[bytearray, random.Random], bytearray]


def flip_in_the_head(data: bytearray, chance: random.Random) -> bytearray:
    """Damage what says how to read the rest."""
    for _ in range(8):
        data[chance.randrange(min(HEAD, len(data)))] ^= 1 << chance.randrange(8)
    return data


def flip_in_the_tail(data: bytearray, chance: random.Random) -> bytearray:
    """The index of an MP4 is often there."""
    for _ in range(16):
        data[-1 - chance.randrange(min(16 * HEAD, len(data)))] = chance.randrange(256)
    return data


def flip_everywhere(data: bytearray, chance: random.Random) -> bytearray:
    """A bad disk."""
    for _ in range(len(data) // 2000):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return data


def claim_too_much(data: bytearray, chance: random.Random) -> bytearray:
    """Lengths and counts that ask for all the memory there is."""
    for _ in range(6):
        at = chance.randrange(min(HEAD, len(data) - 4)) & ~3
        data[at : at + 4] = chance.choice([b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 4])
    return data


def cut(data: bytearray, chance: random.Random) -> bytearray:
    """A transfer that broke off."""
    return data[: chance.randrange(1, len(data))]


def insert(data: bytearray, chance: random.Random) -> bytearray:
    """What belongs to another file."""
    at = chance.randrange(len(data))
    return data[:at] + bytearray(chance.randbytes(chance.randrange(1, 5000))) + data[at:]


def repeat(data: bytearray, chance: random.Random) -> bytearray:
    """A part twice."""
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.randrange(1, 100_000))
    return data[:end] + data[start:]


MUTATIONS: list[Mutation] = [
    flip_in_the_head,
    claim_too_much,
    flip_in_the_tail,
    flip_everywhere,
    cut,
    insert,
    repeat,
]


ROWS = [row for row in samples() if row["bytes"] != "0"]


def kind_of(row: dict[str, str], number: int) -> Mutation:
    """Which damage is done for the so-manieth time: each file begins with the next kind."""
    return MUTATIONS[(ROWS.index(row) + number) % len(MUTATIONS)]


def mutant(row: dict[str, str], number: int) -> bytes:
    """A damaged file; the same arguments give the same bytes."""
    original = bytearray((SAMPLES / row["file"]).read_bytes())
    return bytes(kind_of(row, number)(original, random.Random(f"{row['file']} {number}")))


@pytest.fixture
def peaks(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """How much memory each child took that has ended, in bytes, as the kernel counted it."""
    taken: dict[int, int] = {}

    def waitpid(pid: int, options: int) -> tuple[int, int]:
        ended, status, usage = os.wait4(pid, options)
        if ended:
            taken[ended] = usage.ru_maxrss * 1024
        return ended, status

    monkeypatch.setattr(os, "waitpid", waitpid)
    return taken


@needs_samples
def test_each_kind_of_damage_is_done() -> None:
    assert {kind_of(row, 0) for row in ROWS} == set(MUTATIONS)


@needs_samples
@pytest.mark.django_db
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_damaged_file_ends_somewhere_and_the_worker_goes_on(
    row: dict[str, str],
    user: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    peaks: dict[int, int],
) -> None:
    monkeypatch.setattr(ffmpeg, "TIMEOUT_SECONDS", FFMPEG_SECONDS)
    monkeypatch.setattr(settings, "QUOTA_VIDEOS_PER_DAY", 0)
    before = psutil.Process().memory_info().rss
    for number in range(MUTANTS):
        path = tmp_path / str(number)
        path.write_bytes(mutant(row, number))
        check_one(user, path, f"{row['file']} {kind_of(row, number).__name__} {number}")
        path.unlink()
    assert psutil.Process().memory_info().rss - before < GROWTH
    assert peaks
    assert max(peaks.values()) < CHILD


@needs_samples
def test_a_server_that_is_sent_damaged_files_does_not_grow_and_answers(
    user: User, tmp_path: Path, settings: Any, run_jobs: Callable[[], None]
) -> None:
    """Each kind of damage once, as forms over HTTP, to the server of production."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    incoming()
    with Scene(tmp_path, run_jobs).web() as url:
        http = sign_in(url, user)
        assert post(url, http, clip("180x320").read_bytes()) == (201, "stored")
        before = highest_of_the_server()
        for number, row in enumerate(ROWS[: len(MUTATIONS)]):
            status, told = post(url, http, mutant(row, number))
            assert (status == 201) == (told == "stored"), (row["file"], status, told)
            assert status in (201, 400), (row["file"], status, told)
        after = highest_of_the_server()
        assert before.keys() == after.keys()  # none was replaced by another
        assert sum(after.values()) - sum(before.values()) < GROWTH
        assert http.get(f"{url}/user/me", timeout=10).status_code == 200
    assert not Video.objects.exclude(status=Status.STORED).exists()


def post(url: str, http: requests.Session, content: bytes) -> tuple[int, str]:
    """Post a file; returns the answer's status, and the clip's or the code of the refusal."""
    answer = http.post(f"{url}/video", files={"file": ("a.mp4", content)}, timeout=60)
    told = answer.json()
    return answer.status_code, told["status"] if answer.ok else told["code"]


def highest_of_the_server() -> dict[int, int]:
    """The most memory that each process of the server ever took, in bytes."""
    ours = psutil.Process().children(recursive=True)
    server = [each for each in ours if any("granian" in word for word in each.cmdline())]
    assert server
    found = {}
    for process in server:
        status = Path(f"/proc/{process.pid}/status").read_text()
        found[process.pid] = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return found


def check_one(user: User, path: Path, name: str) -> None:
    """Post a file as the API does, and process it as the worker does."""
    start = time.monotonic()
    video = None
    with contextlib.suppress(RefusedError):
        video = publishing.create_video(user, path)
    assert time.monotonic() - start < probe.TIMEOUT_SECONDS + MARGIN, name
    if video is None:
        assert not Video.objects.filter(author=user).exists(), name
        return
    start = time.monotonic()
    try:
        make_playable(video.pk, lambda _video: None)
    except (RefusedError, FfmpegError) as error:
        give_up(video.pk, error)
    # Loudness is measured first, then the rung is made: two calls.
    assert time.monotonic() - start < 2 * FFMPEG_SECONDS + MARGIN, name
    video.refresh_from_db()
    assert video.status in (Status.READY, Status.REJECTED, Status.FAILED), name
    if video.status != Status.READY:
        assert video.reason, name
    publishing.delete_video(user, video.pk)
    Tombstone.objects.update(due_at="2000-01-01T00:00Z")
    tasks.purge_tombstones(0)
    assert not list(local_store().names(f"videos/{video.uuid}")), name
    assert not StoredObject.objects.exists(), name


def test_a_child_that_asks_for_more_memory_than_its_limit_gets_none(tmp_path: Path) -> None:
    limits = sandbox.Limits(memory=256 * 2**20, file_size=2**20, cpu=5)
    program = ["python3", "-c", "bytearray(1024 ** 3); print('got it')"]
    with (tmp_path / "errors").open("w") as errors:
        child = sandbox.start(program, limits, stderr=errors.fileno())
        output, _ = child.communicate(timeout=20)
    assert output == b""
    assert "MemoryError" in (tmp_path / "errors").read_text()
