"""What the sweep of the stores found, and that a deleted account left nothing there."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tiktok_clone.common.models import Timestamped
from tiktok_clone.common.storage import CLOUDINARY, LOCAL, naming

STORES = [(LOCAL, "Local disk"), (CLOUDINARY, "Cloudinary")]


class SweepQuerySet(models.QuerySet["Sweep"]):
    """Reads of sweeps, with the field's words."""

    def last_ended(self) -> Self:
        """The last whole one of each store."""
        ended = self.filter(ended_at__isnull=False)
        return ended.order_by("store", "-pk").distinct("store")


class Sweep(Timestamped):
    """One comparison of a store with the books, and its figures.

    First the store is listed, then the books are walked. What does not fit into one run, at
    Cloudinary's rate, is one row all the same: `cursor` says where the next run goes on.
    """

    class Phase(models.TextChoices):
        LISTING = "listing", "listing the store"
        BOOKS = "books", "walking the books"
        DONE = "done", "done"

    store = models.CharField(max_length=10, choices=STORES)
    phase = models.CharField(max_length=7, choices=Phase.choices, default=Phase.LISTING)
    cursor = models.TextField(blank=True)
    runs = models.PositiveIntegerField(default=0, help_text="In how many pieces it was done.")
    ended_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    listed = models.PositiveIntegerField(default=0, help_text="Objects in the store.")
    listed_bytes = models.BigIntegerField(default=0)
    foreign = models.PositiveIntegerField(default=0, help_text="Not of this program; left alone.")
    young = models.PositiveIntegerField(default=0, help_text="Of no row, but of a moment ago.")
    orphans = models.PositiveIntegerField(default=0, help_text="Of no row.")
    quarantined = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    held_back = models.BooleanField(
        default=False, help_text="So much is of no row that nothing was done about it."
    )

    checked = models.PositiveIntegerField(default=0, help_text="Rows of the books.")
    adopted = models.PositiveIntegerField(default=0, help_text="Named by a row, new to the books.")
    confirmed = models.PositiveIntegerField(default=0, help_text="Had come, unnoticed.")
    expired = models.PositiveIntegerField(default=0, help_text="Never came, or nobody's.")
    missing = models.PositiveIntegerField(default=0, help_text="In the books, not in the store.")
    found_again = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0, help_text="Clips taken off the site.")
    regained = models.PositiveIntegerField(default=0, help_text="Clips shown again.")
    mended = models.PositiveIntegerField(default=0, help_text="Clips a part of which is made anew.")
    kept_objects = models.PositiveIntegerField(default=0, help_text="In the books, at the end.")
    kept_bytes = models.BigIntegerField(default=0)

    objects = SweepQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["store", "-id"], name="sweep_by_store")]
        constraints = [
            models.UniqueConstraint(
                fields=["store"], condition=Q(ended_at=None), name="sweep_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"sweep {self.pk} of {self.get_store_display()}"


class OrphanQuerySet(models.QuerySet["Orphan"]):
    """Reads of orphans, with the field's words."""

    def of_store(self, kind: str) -> Self:
        """Those in a kind of store."""
        hosted = Q(name__startswith=naming.named(CLOUDINARY, ""))
        return self.filter(hosted if kind == CLOUDINARY else ~hosted)

    def fresh(self) -> Self:
        """Nothing was decided about them yet."""
        return self.filter(kept_at=None, quarantined_at=None)

    def states(self) -> dict[str, int]:
        """How many are in each state but that of those that somebody keeps."""
        quarantined = Q(quarantined_at__isnull=False)
        return self.filter(kept_at=None).aggregate(
            noticed=models.Count("pk", filter=~quarantined),
            quarantined=models.Count("pk", filter=quarantined),
        )

    def in_quarantine(self) -> Self:
        """They wait to be removed."""
        return self.filter(kept_at=None, quarantined_at__isnull=False)


class Orphan(models.Model):
    """An object that no row names and no tombstone waits for.

    It goes by itself only after two sweeps have seen it and a quarantine of many days, since the
    rows may be those of an old backup.
    """

    name = models.CharField(max_length=200, unique=True)
    size_bytes = models.BigIntegerField()
    since = models.DateTimeField(help_text="When it came into the store.")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    passes = models.PositiveIntegerField(default=1, help_text="Sweeps that saw it.")
    last_sweep = models.BigIntegerField(help_text="Number of the last of them.")
    quarantined_at = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(null=True, help_text="Somebody decided that it stays.")

    objects = OrphanQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["quarantined_at"],
                condition=Q(quarantined_at__isnull=False),
                name="orphan_by_quarantine",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Erasure(Timestamped):
    """That all objects of a deleted account are gone from the stores, or what is left to do.

    The row outlives the account, whose number is all that it tells.
    """

    person_id = models.BigIntegerField(db_index=True, help_text="Id of the account.")
    requested_at = models.DateTimeField(help_text="When the account was deleted.")
    folders: Any = ArrayField(models.CharField(max_length=200), help_text="All that it had.")
    objects_count = models.PositiveIntegerField(help_text="In the books when it was purged.")
    size_bytes = models.BigIntegerField()
    checked = models.PositiveIntegerField(
        default=0, help_text="How many folders the stores have been asked about and found empty."
    )
    verified_at = models.DateTimeField(null=True, help_text="When nothing was left.")
    last_error = models.CharField(max_length=300, blank=True, help_text="What it waits for.")

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(verified_at=None), name="erasure_to_verify"
            )
        ]

    def __str__(self) -> str:
        return f"erasure of account {self.person_id}"
