"""Long jobs and short ones do not wait for each other."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from accounts.models import User
from accounts.tasks import send_password_reset
from tests.conftest import RunJobs
from tests.project.backups import ROOT, this_site
from tiktok_clone.common import jobs
from tiktok_clone.processes import LANES, worker_arguments
from tiktok_clone.schedule import retry_stalled_jobs
from videos.tasks import process_video


def test_every_task_belongs_to_exactly_one_lane() -> None:
    app.perform_import_paths()
    queues = [queue for names, _ in LANES.values() for queue in names]
    assert len(queues) == len(set(queues))
    tasks = {task.queue for name, task in app.tasks.items() if "builtin" not in name}
    assert tasks <= set(queues)
    assert tasks == set(queues), "a lane has nothing to do"


def statuses() -> dict[str, set[str]]:
    """The states of the jobs of each queue, periodic ones left out."""
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queue_name, status::text FROM procrastinate_jobs WHERE task_name IN (%s, %s)",
            [process_video.name, send_password_reset.name],
        )
        for queue, status in cursor:
            found.setdefault(queue, set()).add(status)
    return found


@contextmanager
def lane(name: str) -> Iterator[None]:
    """The worker that `make run` starts for a lane."""
    command = [sys.executable, "manage.py", *worker_arguments(name, 1)]
    worker = subprocess.Popen(command, cwd=ROOT, env=this_site().environment())
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(30)


@pytest.mark.django_db(transaction=True)
def test_a_letter_is_sent_while_long_transcodes_hold_every_slot_of_their_lane(user: User) -> None:
    for number in range(5):
        jobs.enqueue(process_video, lock=f"video-{number}", video_id=10**9 + number)
    with connection.cursor() as cursor:
        # As if a worker that is alive had been at them for minutes.
        cursor.execute(
            "WITH alive AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() + interval '1 hour') RETURNING id)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM alive)"
            " WHERE id % 2 = 0"
        )
    jobs.enqueue(send_password_reset, user_id=user.pk)
    before = statuses()["media"]
    with lane("worker"):
        deadline = time.monotonic() + 60
        while statuses()["default"] != {"succeeded"} and time.monotonic() < deadline:
            time.sleep(0.1)
    assert statuses() == {"default": {"succeeded"}, "media": before}


@pytest.mark.django_db(transaction=True)
def test_jobs_with_the_same_lock_follow_one_another_without_a_pause() -> None:
    """Nobody tells a worker that a lock is free: by default it looks every five seconds."""
    for _ in range(20):
        jobs.enqueue(send_password_reset, lock="one", user_id=0)
    with lane("worker"):
        deadline = time.monotonic() + 25
        while statuses()["default"] != {"succeeded"} and time.monotonic() < deadline:
            time.sleep(0.1)
    assert statuses()["default"] == {"succeeded"}


def test_a_stalled_job_whose_successor_waits_holds_up_neither_it_nor_others(
    run_jobs: RunJobs, user: User
) -> None:
    jobs.enqueue(send_password_reset, lock="a", queueing_lock="one", user_id=0)
    with connection.cursor() as cursor:
        # Its worker is gone; a second one may be enqueued, and waits for the first.
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE lock = 'a'")
    jobs.enqueue(send_password_reset, lock="a", queueing_lock="one", user_id=0)
    jobs.enqueue(send_password_reset, lock="b", user_id=user.pk)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE lock = 'b'")
    for _ in range(2):
        jobs.enqueue(retry_stalled_jobs, timestamp=0)
        run_jobs()
    assert statuses()["default"] == {"succeeded"}
