"""Places in the seeded shuffle, and publication times that never run backwards.

A *slot* belongs to one video and is never used again. A *place* is what the shuffle permutes:
the slots without those of videos that were deleted before the epoch began. Slots never change,
so the places of an epoch never do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import connection, models, transaction

# Its places are the slots themselves, and it has no runs.
FIRST_EPOCH = 1


@dataclass(frozen=True)
class Stamp:
    """What a publication gets: its time and, for a public video, its slot."""

    published_at: datetime
    slot: int | None


class SlotEpochManager(models.Manager["SlotEpoch"]):
    """Hands out stamps and snapshots."""

    def current(self) -> "SlotEpoch":
        """The epoch in use: what a snapshot is taken from."""
        epoch, _ = self.get_or_create(id=1)
        return epoch

    def stamp(self, *, take_slot: bool) -> Stamp:
        """Take the next publication time and, if asked, the next slot.

        The row stays locked until the caller's transaction ends, so publications
        commit in the order of their stamps: whoever reads `used` and
        `last_published_at` knows that everything up to them is committed.
        Call it last in a transaction, to keep the lock short.
        """
        self.get_or_create(id=1)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE videos_slotepoch
                SET used = used + %s,
                    last_published_at = greatest(
                        clock_timestamp(), last_published_at + interval '1 microsecond')
                WHERE id = 1
                RETURNING used, last_published_at
                """,
                [int(take_slot)],
            )
            used, published_at = cursor.fetchone()
        return Stamp(published_at, used - 1 if take_slot else None)

    @transaction.atomic
    def compact(self, epoch: int) -> bool:
        """End an epoch: in the next one, the slots that are left have places without gaps.

        Publications go on meanwhile: a slot that is handed out while we count is beyond
        those that we count, and so in the last run. They wait for the switch alone, which
        is the last statement.

        Args:
            epoch: the one to end.

        Returns:
            False when somebody else has ended it.
        """
        with connection.cursor() as cursor:
            # One at a time; whoever reads runs or publishes is not concerned.
            cursor.execute("LOCK TABLE videos_slotrun IN SHARE ROW EXCLUSIVE MODE")
            row = self.current()
            if row.epoch != epoch:
                return False
            # A request that is under way may still read the epoch before the last one.
            SlotRun.objects.filter(epoch__lt=epoch - 1).delete()
            cursor.execute(_RUNS, {"epoch": epoch + 1, "used": row.used})
            cursor.execute(_SWITCH)
        return True


class SlotEpoch(models.Model):
    """The single row that counts slots used; `epoch` is part of every seed."""

    epoch = models.PositiveIntegerField(default=FIRST_EPOCH)
    used = models.BigIntegerField(default=0)
    squeezed = models.BigIntegerField(
        default=0, db_default=0, help_text="Slots that have no place in this epoch."
    )
    compacted_at = models.DateTimeField(null=True, help_text="When this epoch began, if not first.")
    last_published_at = models.DateTimeField(default=datetime.fromisoformat("2000-01-01T00:00:00Z"))

    objects: ClassVar[SlotEpochManager] = SlotEpochManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="slot_epoch_single_row")
        ]

    def __str__(self) -> str:
        return f"epoch {self.epoch}: {self.used} slots"

    @property
    def places(self) -> int:
        """How many places the shuffle has, those of videos deleted in this epoch included."""
        return self.used - self.squeezed

    def can_read(self, epoch: int) -> bool:
        """Whether seeds of an epoch are good: of this one and the one before."""
        return self.epoch - 1 <= epoch <= self.epoch


class SlotRunManager(models.Manager["SlotRun"]):
    """Finds slots by places."""

    def slots(self, epoch: int, places: Sequence[int]) -> list[int]:
        """Return the slots at places of an epoch that can be read, one query at most."""
        if epoch == FIRST_EPOCH or not places:
            return list(places)
        with connection.cursor() as cursor:
            cursor.execute(_SLOTS, {"epoch": epoch, "places": list(places)})
            return [slot for (slot,) in cursor.fetchall()]


class SlotRun(models.Model):
    """Slots in a row, without a gap at the epoch's beginning, which have places in a row.

    A run ends where the next one begins; the last one takes in all that is published later.
    """

    pk = models.CompositePrimaryKey("epoch", "place")
    epoch = models.PositiveIntegerField()
    place = models.BigIntegerField(help_text="Of its first slot.")
    slot = models.BigIntegerField(help_text="Its first.")

    objects: ClassVar[SlotRunManager] = SlotRunManager()

    def __str__(self) -> str:
        return f"epoch {self.epoch}: slots from {self.slot} at places from {self.place}"


# Those that are left, and the next one to be handed out: the last run begins there or before.
_RUNS = """
INSERT INTO videos_slotrun (epoch, place, slot)
SELECT %(epoch)s, place, slot
FROM (
    SELECT slot, row_number() OVER in_order - 1 AS place, lag(slot) OVER in_order AS before
    FROM (
        SELECT slot FROM videos_video WHERE slot < %(used)s
        UNION ALL
        SELECT %(used)s
    ) AS kept
    WINDOW in_order AS (ORDER BY slot)
) AS placed
WHERE before IS DISTINCT FROM slot - 1
"""
_SWITCH = """
UPDATE videos_slotepoch
SET epoch = last.epoch, squeezed = last.slot - last.place, compacted_at = clock_timestamp()
FROM (SELECT * FROM videos_slotrun ORDER BY epoch DESC, place DESC LIMIT 1) AS last
"""
_SLOTS = """
SELECT run.slot + asked.place - run.place
FROM unnest(%(places)s::bigint[]) WITH ORDINALITY AS asked (place, number)
CROSS JOIN LATERAL (
    SELECT place, slot
    FROM videos_slotrun
    WHERE epoch = %(epoch)s AND place <= asked.place
    ORDER BY place DESC
    LIMIT 1
) AS run
ORDER BY asked.number
"""
