"""Places in the seeded shuffle, and publication times that never run backwards."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import connection, models


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


class SlotEpoch(models.Model):
    """The single row that counts slots used; `epoch` is part of every seed."""

    epoch = models.PositiveIntegerField(default=1)
    used = models.BigIntegerField(default=0)
    last_published_at = models.DateTimeField(default=datetime.fromisoformat("2000-01-01T00:00:00Z"))

    objects: ClassVar[SlotEpochManager] = SlotEpochManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="slot_epoch_single_row")
        ]

    def __str__(self) -> str:
        return f"epoch {self.epoch}: {self.used} slots"
