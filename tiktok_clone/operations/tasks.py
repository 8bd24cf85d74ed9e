"""Jobs that keep stores and books in step. Thin adapters; each may run any number of times."""

import logging

from tiktok_clone.common import jobs
from tiktok_clone.common.storage import allowance
from tiktok_clone.operations import erasing, sweeping

log = logging.getLogger(__name__)


@jobs.periodic(cron="23 * * * *")
@jobs.task(queue="default", queueing_lock="reconcile_media")
def reconcile_media(timestamp: int) -> None:
    """Compare the stores with the books, and bring them in line."""
    try:
        with allowance.leaving_reserve():
            sweeping.sweep_all()
    except sweeping.BusyError as reason:
        log.info("%s", reason)


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(queue="default", queueing_lock="verify_erasures", retry=jobs.RETRY)
def verify_erasures(timestamp: int) -> None:
    """See that nothing is left of deleted accounts."""
    with allowance.leaving_reserve():
        erasing.verify_all()
