"""What runs periodically, in one list (cron syntax, UTC).

The worker imports this module; each entry only enqueues or runs one task.
"""

from procrastinate.contrib.django import app as procrastinate_app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from tiktok_clone.common import idempotency, jobs
from tiktok_clone.operations import counters

STALLED_AFTER_SECONDS = 60


@jobs.periodic(cron="* * * * *")
@jobs.task(queueing_lock="retry_stalled_jobs", pass_context=False)
async def retry_stalled_jobs(timestamp: int) -> None:
    """Give the jobs of killed workers to somebody else; mandatory, or they stay `doing`."""
    manager = procrastinate_app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            # Another one for the same waits already, and waits for this one: it takes over.
            await manager.finish_job(job, status=Status.ABORTED, delete_job=True)


@jobs.periodic(cron="17 3 * * *")
@jobs.task(queueing_lock="remove_old_jobs")
async def remove_old_jobs(timestamp: int) -> None:
    """Forget finished jobs after three days; failed ones stay for the admin."""
    await procrastinate_app.job_manager.delete_old_jobs(nb_hours=72)


@jobs.periodic(cron="41 3 * * *")
@jobs.task(queueing_lock="reconcile_counters", retry=jobs.RETRY)
def reconcile_counters(timestamp: int) -> None:
    """Compare counters with their rows; what differed is logged and set right."""
    counters.reconcile()


@jobs.periodic(cron="29 * * * *")
@jobs.task(queueing_lock="forget_idempotent_answers", retry=jobs.RETRY)
def forget_idempotent_answers(timestamp: int) -> None:
    """Delete the answers of requests that nobody may repeat any more."""
    idempotency.forget_old_answers()
