"""What the worker does for the feed engine."""

from feeds.seeds import forget_old_snapshots
from tiktok_clone.common import jobs


@jobs.periodic(cron="*/10 * * * *")
@jobs.task(queueing_lock="forget_old_seeds")
def forget_old_seeds(timestamp: int) -> None:
    """Delete the snapshots of integer seeds that nobody may continue any more."""
    forget_old_snapshots()
