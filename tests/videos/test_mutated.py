"""Real files, damaged at random: each ends somewhere, and the server never notices.

LOOPY_MUTANTS=40 makes so many of each file; the seeds are fixed.
"""

import contextlib
import os
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import User
from tests.videos.test_probe import SAMPLES, needs_samples, samples
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import local_store
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
GROWTH = 64 * 2**20  # of this process, in bytes
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


@needs_samples
@pytest.mark.django_db
@pytest.mark.parametrize("row", samples(), ids=lambda row: row["file"])
def test_a_damaged_file_ends_somewhere_and_the_server_goes_on(
    row: dict[str, str], user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffmpeg, "TIMEOUT_SECONDS", FFMPEG_SECONDS)
    monkeypatch.setattr(settings, "QUOTA_VIDEOS_PER_DAY", 0)
    original = (SAMPLES / row["file"]).read_bytes()
    if not original:
        return  # nothing to damage; that it is empty is tested elsewhere
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(MUTANTS):
        chance = random.Random(f"{row['file']} {number}")
        mutation = MUTATIONS[number % len(MUTATIONS)]
        path = tmp_path / str(number)
        path.write_bytes(mutation(bytearray(original), chance))
        check_one(user, path, f"{row['file']} {mutation.__name__} {number}")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < GROWTH + 2 * len(original)


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
