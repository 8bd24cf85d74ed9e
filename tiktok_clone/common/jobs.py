"""The one way to declare and to enqueue background jobs.

A job is a row written by the caller's own database connection, so it commits or
rolls back together with the row that it is about.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.manager import JobManager
from procrastinate.tasks import Task

from tiktok_clone.common import logs


def task(**options: Any) -> Callable[[Callable[..., Any]], Task[..., Any, ...]]:
    """Declare a task; the options are those of Procrastinate's `app.task`.

    Asks for the app at each call: before Django is ready it is a different object.
    """
    return app.task(**options)


def periodic(**options: Any) -> Callable[[Task[..., Any, ...]], Task[..., Any, ...]]:
    """Declare when a task runs by itself, as `cron=…`."""
    return app.periodic(**options)


# Waits 4, 8, 16, … seconds: a database or a store that restarts is back by then.
RETRY = RetryStrategy(max_attempts=8, exponential_wait=2)


def enqueue(
    task: Task[..., Any, ...],
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    delay: int | None = None,
    **ids: Any,
) -> int | None:
    """Write a job row in the caller's transaction.

    Args:
        task: a function decorated with `jobs.task`.
        lock: jobs with the same lock never run at the same time.
        queueing_lock: at most one waiting job has it; another is silently not made.
        delay: seconds before the job may start.
        ids: the task's arguments; ids and plain values only.

    Returns:
        The id of the job, or None where one with the queueing lock already waits.
    """
    deferrer = task.configure(
        lock=lock,
        queueing_lock=queueing_lock,
        schedule_in={"seconds": delay} if delay else None,
    )
    # Inside a worker the app's own connector is the worker's; the transaction is Django's.
    deferrer.job_manager = JobManager(DjangoConnector())
    try:
        # A savepoint: the refusal of a second waiting job is an error of the database, which
        # would otherwise make the caller's commit a silent rollback.
        with transaction.atomic():
            return deferrer.defer(**ids, **logs.job_arguments())
    except AlreadyEnqueued:
        return None


def not_done(task: Task[..., Any, ...], argument: str) -> dict[Any, ProcrastinateJob]:
    """Return the jobs of a task that wait, run or failed, by one of their arguments.

    Of several for the same, the latest.
    """
    held = ProcrastinateJob.objects.filter(
        task_name=task.name, status__in=["todo", "doing", "failed"]
    )
    return {job.args.get(argument): job for job in held.order_by("id")}


def run_again(job: ProcrastinateJob) -> bool:
    """Have a failed job run once more, as the same row.

    Returns:
        False where one that waits has the same queueing lock, and does the same.
    """
    try:
        with transaction.atomic():
            JobManager(DjangoConnector()).retry_job_by_id(job.pk, timezone.now())
    except UniqueViolation:
        return False
    return True
