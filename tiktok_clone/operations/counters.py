"""Everything that is counted in more than one place, compared with its rows."""

from accounts import counters as of_people
from feeds import counters as of_watches
from tiktok_clone.common.counting import Drift
from videos import counters as of_videos


def reconcile(*, dry_run: bool = False) -> list[Drift]:
    """Set the counters of all apps right that differ from their rows, and return what was."""
    return [
        drift
        for counters in (of_people, of_videos, of_watches)
        for drift in counters.reconcile(dry_run=dry_run)
    ]
