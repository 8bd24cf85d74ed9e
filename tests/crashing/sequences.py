"""Random sequences of what people, workers, Cloudinary and bad luck do to clips, in one process.

Each sequence follows from its seed. Both stores are real, the one of Cloudinary by the emulator;
only ffmpeg and the probe are stood in for, so that a clip takes no time to be made. A kill is an
exception at a random one of the points where a row and an object part, after which nothing of
the killed process reaches the database or a store.
"""

import contextlib
import functools
import importlib
import inspect
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import requests
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from PIL import Image
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from accounts.services import profiles
from tests.cloudinary import Emulator
from tests.crashing.scene import LEDGER, Scene
from tests.factories import UserFactory
from tests.videos.clips import clip
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.logs import JOB_ARGUMENT
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import CLOUDINARY, LOCAL, calls
from tiktok_clone.common.storage.listing import etag_of
from videos import tasks
from videos.media import moving
from videos.media.probe import probe
from videos.media.processing import original_name
from videos.models import Status, Upload, Video
from videos.services import publishing, uploads

STORE = "tiktok_clone.common.storage.cloudinary:CloudinaryStore"
LOCAL_STORE = "tiktok_clone.common.storage.local:LocalStore"
POINTS = [
    f"{LEDGER}:expect",
    f"{LEDGER}:confirm",
    f"{LEDGER}:note_derived",
    f"{LEDGER}:empty",
    f"{STORE}.save",
    f"{STORE}.derive",
    f"{STORE}.describe",
    f"{STORE}._destroy",
    f"{LOCAL_STORE}.save",
    f"{LOCAL_STORE}.delete_prefix",
    "accounts.avatars:save",
    "accounts.services.profiles:_show_avatar",
    "videos.publication:publish",
    "videos.publication:add_renditions",
    "videos.publication:bury",
    "videos.publication:remove",
    "videos.media.arriving:_write",
    "videos.media.arriving:_acknowledge",
    "videos.media.arriving:link_caption",
    "videos.media.moving:_rename",
    "videos.media.processing:_keep",
    "videos.media.ffmpeg:run",
    "videos.tasks:_look_again",
    "tiktok_clone.common.jobs:enqueue",
    "tiktok_clone.operations.sweeping:_confirm",
]
ANSWERED = ["upload", "part", "explicit", "destroy", "resources", "resource", "deliver"]
KINDS_OF_FAULT = ["refuse", "refuse_after", "limit", "page", "drop", "lose", "damage", "late"]
RETRIES = 4
IMPATIENCE = 0.3  # s, while Cloudinary may hang
COLORS = ["red", "green", "blue", "teal"]
TOGETHER = 5  # sequences, which have one world and come to their end together


class Killed(BaseException):
    """The process that did this is no more."""


class Trap:
    """Kills at a point, once; until `revive` whatever the dying process still tries is in vain."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.armed: str | None = None
        self.dead = False
        for point in POINTS:
            self._set(monkeypatch, point)

    def arm(self, chance: random.Random) -> None:
        """Have the next passage of a random point kill."""
        self.armed = f"{chance.choice(POINTS)}:{chance.choice(['before', 'after'])}"

    def revive(self) -> None:
        """Another process begins."""
        self.armed, self.dead = None, False

    def _set(self, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
        module, name = point.split(":")
        owner: Any = importlib.import_module(module)
        *path, last = name.split(".")
        for part in path:
            owner = getattr(owner, part)
        real = getattr(owner, last)

        @functools.wraps(real)
        def trapped(*args: Any, **options: Any) -> Any:
            self._pass(f"{point}:before")
            answer = real(*args, **options)
            self._pass(f"{point}:after")
            return answer

        monkeypatch.setattr(owner, last, trapped)

    def _pass(self, where: str) -> None:
        self.dead = self.dead or self.armed == where
        if self.dead:
            raise Killed(where)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make clips out of nothing: what ffmpeg would write, and what the probe would say."""
    original = clip("180x320", 0.3)
    found = probe(original)
    picture, still = BytesIO(), BytesIO()
    Image.new("RGB", (18, 32), "teal").save(picture, "WEBP")
    Image.new("RGB", (18, 32), "teal").save(still, "PNG")
    content = {".mp4": original.read_bytes(), ".webp": picture.getvalue(), ".png": still.getvalue()}

    def run(command: list[str], *_: Any) -> dict[str, str]:
        for each in map(Path, command):
            if each.is_absolute() and each.suffix in content and not each.exists():
                each.write_bytes(content[each.suffix])
        return {}

    def fake(source: Path, target: Path) -> None:
        target.write_bytes(content[target.suffix])

    monkeypatch.setattr("videos.media.ffmpeg.run", run)
    monkeypatch.setattr("tests.cloudinary.transformations.fake", fake)
    for module in ("processing", "arriving"):
        monkeypatch.setattr(f"videos.media.{module}.probe", lambda _: found)
    monkeypatch.setattr("videos.services.publishing.probe", lambda _: found)
    monkeypatch.setattr(uploads, "CHUNK_BYTES", len(content[".mp4"]) // 3)


@dataclass
class Sequence:
    """One sequence; in every other bunch, somebody is killed now and then.

    `told` is what happened so far, for whoever has to find out why.
    """

    seed: int
    emulator: Emulator
    trap: Trap
    url: str
    folder: Path
    told: list[str] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    announced: set[int] = field(default_factory=set)  # videos that came with a checksum

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.kills = self.seed // TOGETHER % 2 == 0
        self.scene = Scene(self.folder, self.run_all_jobs, self.emulator)
        self.content = clip("180x320", 0.3).read_bytes()
        self.etag = etag_of(clip("180x320", 0.3))
        self.emulator.webhooks.hold = True
        self.people = [UserFactory(), UserFactory()]

    def play(self, steps: int) -> None:
        """Do so many random things; what finds nothing to do is none."""
        acts = [act for act, weight in ACTS.items() for _ in range(weight)]
        while len(self.told) < steps:
            act = self.chance.choice(acts)
            settings.CLOUDINARY_URL = self.url  # there is such a store, also for what moved
            if self.kills and self.chance.random() < 0.3:
                self.trap.arm(self.chance)
            self.attempt(act)

    def attempt(self, act: "Act") -> None:
        """Do one thing; refusals, faults and kills are what is to be expected."""
        try:
            with patch.multiple(calls, CALL_TIMEOUT=IMPATIENCE, UPLOAD_TIMEOUT=IMPATIENCE):
                outcome = act(self)
        except (DomainError, OSError, Killed) as error:
            outcome = f"{type(error).__name__}: {error}"[:120]
        if self.trap.dead:
            self.trap.revive()
        if outcome:
            self.told.append(f"{act.__name__}: {outcome}")

    def recover(self) -> None:
        """Everybody comes to their senses, and months pass."""
        self.trap.revive()
        self.emulator.faults.reset()
        self.emulator.library.thaw_listing()
        self.emulator.webhooks.lost, self.emulator.webhooks.held = True, []
        self.scene.recover()

    def announced_originals(self) -> list[StoredObject]:
        """What was taken in, as the books have it, of uploads that came with a checksum."""
        videos = Video.objects.filter(pk__in=self.announced, size_bytes__gt=0)
        names = [original_name(video) for video in videos if not hasattr(video, "upload")]
        return list(StoredObject.objects.filter(name__in=names))

    def outcomes(self) -> Counter[str]:
        """How often what happened."""
        return Counter(
            "killed" if "Killed" in line else "refused" if "Error" in line else line.split(":")[0]
            for line in self.told
        )

    # Whom and what

    def person(self) -> User:
        return self.chance.choice(self.people)

    def audience(self) -> str:
        return self.chance.choice(["public", "friends", "private"])

    def video(self) -> Video | None:
        return self.chance.choice(list(Video.objects.order_by("pk")) or [None])

    def upload(self) -> Upload | None:
        """One on its way; the latest more often than another."""
        all_of_them = list(Upload.objects.order_by("-pk"))
        return self.chance.choice([*all_of_them[:1] * 2, *all_of_them] or [None])

    def ready(self) -> Video | None:
        clips = Video.objects.filter(status=Status.READY).order_by("pk")
        return self.chance.choice(list(clips) or [None])

    @contextlib.contextmanager
    def one_of_the_stores(self) -> Iterator[None]:
        """New media go to one of them."""
        settings.CLOUDINARY_URL = self.chance.choice([self.url, ""])
        try:
            yield
        finally:
            settings.CLOUDINARY_URL = self.url

    # Jobs

    def waiting(self) -> list[ProcrastinateJob]:
        return list(ProcrastinateJob.objects.filter(status__in=["todo", "doing"]).order_by("id"))

    def run_all_jobs(self) -> None:
        """Run jobs until none is left; those that they make wait for their time."""
        for job in self.waiting():
            self.run_job(job)

    def run_job(self, job: ProcrastinateJob) -> str:
        """Run a job as a worker does; a killed one is there again, a failed one some times."""
        task = app.tasks[job.task_name]
        if inspect.iscoroutinefunction(task.func):
            self._finish(job)  # it looks for stalled jobs; here there are none
            return "skipped"
        context = SimpleNamespace(job=SimpleNamespace(attempts=job.attempts))
        first = (context,) if task.pass_context else ()
        arguments = {name: value for name, value in job.args.items() if name != JOB_ARGUMENT}
        # Another one with its queueing lock may wait from now on.
        _change("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", job.pk)
        try:
            task.func(*first, **arguments)
        except Exception as error:
            self._again(job) if job.attempts + 1 < RETRIES else self._finish(job)
            return f"{job.task_name} failed: {error}"
        except Killed:
            self._again(job)
            raise
        self._finish(job)
        return str(job.task_name)

    def _finish(self, job: ProcrastinateJob) -> None:
        _change("DELETE FROM procrastinate_jobs WHERE id = %s", job.pk)

    def _again(self, job: ProcrastinateJob) -> None:
        """It waits again, unless another one for the same does."""
        again = "UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1"
        try:
            with transaction.atomic():
                _change(f"{again} WHERE id = %s", job.pk)
        except IntegrityError:
            self._finish(job)


Act = Callable[[Sequence], object]


def _change(statement: str, job_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [job_id])


# People


def post(sequence: Sequence) -> object:
    """Send a clip as one form."""
    with sequence.one_of_the_stores():
        file = ContentFile(sequence.content, "a.mp4")
        return publishing.create_video(sequence.person(), file, "#a", sequence.audience()).pk


def reserve(sequence: Sequence) -> object:
    """Begin an upload in pieces, half of the time with a checksum of the whole."""
    etag = sequence.chance.choice(["", sequence.etag])
    with sequence.one_of_the_stores():
        upload = uploads.reserve_upload(sequence.person(), len(sequence.content), etag)
        sequence.tickets.append(uploads.describe_upload(upload, ""))
    if etag:
        sequence.announced.add(upload.video_id)
    return upload.video_id


def send(sequence: Sequence) -> object:
    """Send all of an upload, or some of it, also one that is over."""
    if not sequence.tickets:
        return None
    ticket = sequence.chance.choice([sequence.tickets[-1], *sequence.tickets[-3:]])
    size, step = len(sequence.content), ticket["chunk_bytes"]
    spans = [(start, min(start + step, size)) for start in range(0, size, step)]
    spans = spans[: sequence.chance.choice([1, len(spans), len(spans)])]
    for start, end in spans:
        _send(sequence, ticket, start, end)
    return ticket["video"], spans


def _send(sequence: Sequence, ticket: dict[str, Any], start: int, end: int) -> None:
    span, piece = f"bytes {start}-{end - 1}/{len(sequence.content)}", sequence.content[start:end]
    if not ticket["url"]:
        author = Video.objects.filter(pk=ticket["video"]).first()
        if author is not None:
            uploads.add_piece(author.author, UUID(ticket["id"]), span, BytesIO(piece), "")
        return
    headers = {"Content-Range": span, "X-Unique-Upload-Id": ticket["id"]}
    files = {"file": ("blob", piece)}
    requests.post(ticket["url"], data=ticket["fields"], files=files, headers=headers, timeout=5)


def upload(sequence: Sequence) -> object:
    """Begin an upload, send all of it, and post it."""
    reserve(sequence)
    ticket = sequence.tickets[-1]
    size, step = len(sequence.content), ticket["chunk_bytes"]
    for start in range(0, size, step):
        _send(sequence, ticket, start, min(start + step, size))
    author = Video.objects.get(pk=ticket["video"]).author
    return uploads.post_upload(author, UUID(ticket["id"]), "#c", sequence.audience()).pk


def take_in(sequence: Sequence) -> object:
    """Post an upload, perhaps one that is not complete."""
    upload = sequence.upload()
    if upload is None:
        return None
    video = upload.video
    return uploads.post_upload(video.author, video.uuid, "#b", sequence.audience()).pk


def give_up(sequence: Sequence) -> object:
    """Give an upload up."""
    upload = sequence.upload()
    return upload and _done(uploads.give_up_upload(upload.video.author, upload.video.uuid))


def edit(sequence: Sequence) -> object:
    """Change who may see a clip."""
    video = sequence.video()
    if video is None:
        return None
    audience = sequence.audience()
    return publishing.edit_video(video.author, video.pk, visibility=audience).pk


def change_cover(sequence: Sequence) -> object:
    """Choose another moment of a clip."""
    video = sequence.ready()
    return video and _done(publishing.choose_cover(video.author, video.pk, 0.1))


def retry(sequence: Sequence) -> object:
    """Try again what failed."""
    video = sequence.video()
    return video and publishing.retry_processing(video.author, video.pk).pk


def delete(sequence: Sequence) -> object:
    """Delete a clip in whatever state."""
    video = sequence.video()
    return video and _done(publishing.delete_video(video.author, video.pk))


def change_avatar(sequence: Sequence) -> object:
    """Show another picture, or none."""
    person = sequence.person()
    with sequence.one_of_the_stores():
        if sequence.chance.random() < 0.2:
            return _done(profiles.remove_avatar(person))
        profiles.set_avatar(person, Image.new("RGB", (64, 64), sequence.chance.choice(COLORS)))
    return person.avatar


def delete_account(sequence: Sequence) -> object:
    """Leave; somebody else comes."""
    person = sequence.person()
    profiles.delete_account(person)
    sequence.people.remove(person)
    sequence.people.append(UserFactory())
    return _done(None)


def _done(_: None) -> str:
    return "done"


# Machines


def work(sequence: Sequence) -> object:
    """Run some jobs."""
    return [sequence.run_job(job) for job in sequence.waiting()[: sequence.chance.randint(1, 8)]]


def work_twice(sequence: Sequence) -> object:
    """Run a job, and then the same again, as after a crash before it was ticked off."""
    jobs = sequence.waiting()
    if not jobs:
        return None
    job = sequence.chance.choice(jobs)
    return sequence.run_job(job), sequence.run_job(job)


def move(sequence: Sequence) -> object:
    """Move a clip to the other store."""
    video = sequence.ready()
    if video is None:
        return None
    kind = CLOUDINARY if video.store == LOCAL else LOCAL
    movable = moving.movable(kind).filter(pk=video.pk).exists()
    return movable and moving.move_video(video.pk, kind)


def move_avatar(sequence: Sequence) -> object:
    """Move somebody's picture to the other store."""
    person = sequence.person()
    kind = LOCAL if person.avatar.startswith(f"{CLOUDINARY}/") else CLOUDINARY
    return person.avatar and profiles.move_avatar(person.pk, kind)


def sweep(sequence: Sequence) -> object:
    """One of the periodic jobs, at whatever time."""
    chosen = sequence.chance.choice([tasks.sweep_uploads, tasks.purge_tombstones, None])
    if chosen is not None:
        return chosen(timestamp=0), chosen.name
    return "compared", sequence.scene.reconcile()


def pass_hours(sequence: Sequence) -> object:
    """What waits for its time is due; tickets hold for an hour, unless they are asked for anew."""
    going_on = set(Upload.objects.values_list("video_id", flat=True))
    sequence.tickets = [each for each in sequence.tickets if each["video"] in going_on]
    return _done(sequence.scene.age())


# Cloudinary


def finish(sequence: Sequence) -> object:
    """Cloudinary makes what it was asked for."""
    return sequence.emulator.wait()


def message(sequence: Sequence) -> object:
    """One of its messages comes: any, so also late, twice, and out of order; or it never does."""
    held = sequence.emulator.webhooks.held
    if not held:
        return None
    delivery = sequence.chance.choice(held)
    if sequence.chance.random() < 0.5:
        held.remove(delivery)
    if sequence.chance.random() < 0.2:
        return "lost"
    headers = {k: v for k, v in delivery.headers.items() if k != "Content-Type"}
    path, kind = urlsplit(delivery.url).path, "application/json"
    answer = Client().post(path, delivery.body, content_type=kind, headers=headers)
    return delivery.payload["notification_type"], answer.status_code


def fault(sequence: Sequence) -> object:
    """Something is about to go wrong."""
    faults, chance = sequence.emulator.faults, sequence.chance
    on, times = chance.choice(ANSWERED), chance.randint(1, 2)
    kind = chance.choice(KINDS_OF_FAULT)
    if kind == "drop":
        chance.choice([faults.drop_before, faults.drop_after])(on, times=times)
    elif kind == "lose":
        faults.lost_derivations = times
    elif kind == "damage":
        faults.damaged_parts = times
    elif kind == "late":
        faults.hang_after(on, 2 * IMPATIENCE)
    elif kind in ("limit", "page"):
        getattr(faults, kind)(on, times=times)
    else:
        getattr(faults, kind)(on, 503, times=times)
    return kind, on, times


def old_listing(sequence: Sequence) -> object:
    """Lists stay as they are for a while, or tell the truth again."""
    library = sequence.emulator.library
    freeze = sequence.chance.random() < 0.5
    return _done(library.freeze_listing() if freeze else library.thaw_listing())


ACTS: dict[Act, int] = {
    post: 3, upload: 4, reserve: 2, send: 5, take_in: 5, give_up: 1, edit: 1, change_cover: 2,
    retry: 1, delete: 2, change_avatar: 3, delete_account: 1, work: 14, work_twice: 2, move: 3,
    move_avatar: 1, sweep: 3,
    pass_hours: 2, finish: 3, message: 4, fault: 3, old_listing: 1,
}  # fmt: skip
