"""When the shuffle of everybody's videos begins a new epoch, without the places of deleted ones.

A page looks at more places the more of them are empty. What is hidden keeps its place, since
it may be shown again at any moment, so only places of deleted videos count as holes here.
"""

from django.utils import timezone

from feeds.seeds import LIFETIME
from videos.models import SlotEpoch, Video

# With a fifth of the places empty, a page looks at half as many again as it shows.
LARGEST_SHARE_OF_HOLES = 0.2
# Fewer places are not worth an epoch.
FEWEST_PLACES = 1000


class NotNowError(Exception):
    """There is no need for a new epoch, or readers would lose their place; says which."""


def compact(*, force: bool = False) -> str:
    """Begin a new epoch of the slots if it is due. Seeds of the one that ends stay good.

    Args:
        force: even if there are few holes. Never while seeds of the epoch before the
            present one are good: they could not be read any more.

    Returns:
        A sentence that says what was done.

    Raises:
        NotNowError: the reason.
    """
    now = SlotEpoch.objects.current()
    _check_seeds(now)
    holes = now.places - Video.objects.filter(slot__isnull=False).count()
    if not force:
        _check_need(now.places, holes)
    if not SlotEpoch.objects.compact(now.epoch):
        raise NotNowError(f"Epoch {now.epoch} has just been ended by somebody else.")
    begun = SlotEpoch.objects.current()
    return (
        f"Epoch {begun.epoch} has {begun.places:,} places; epoch {now.epoch} had {now.places:,},"
        f" {holes:,} of them empty, and its seeds stay good."
    )


def _check_seeds(now: SlotEpoch) -> None:
    expired_at = now.compacted_at + LIFETIME if now.compacted_at else None
    if expired_at and timezone.now() < expired_at:
        raise NotNowError(
            f"Seeds of epoch {now.epoch - 1} are good until {expired_at:%Y-%m-%d %H:%M} UTC, and a"
            " new epoch would end them."
        )


def _check_need(places: int, holes: int) -> None:
    if places < FEWEST_PLACES:
        raise NotNowError(f"With {places:,} places it is not needed; from {FEWEST_PLACES:,} it is.")
    if holes <= places * LARGEST_SHARE_OF_HOLES:
        share = f"{LARGEST_SHARE_OF_HOLES:.0%}"
        raise NotNowError(f"{holes:,} of {places:,} places are empty, which is not above {share}.")
