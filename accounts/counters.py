"""What is counted of people, and set right where it drifted."""

from accounts.models import Follow, User
from tiktok_clone.common import counting
from tiktok_clone.common.counting import Counter, Drift

COUNTERS = (
    Counter(User, "followers_count", Follow.objects.all, "followee"),
    Counter(User, "following_count", Follow.objects.all, "follower"),
)


def reconcile(*, dry_run: bool = False) -> list[Drift]:
    """Set the counters of this app right that differ from their rows, and return what was."""
    return counting.reconcile(COUNTERS, dry_run=dry_run)
