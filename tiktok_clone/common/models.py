"""Models that belong to no app: the timestamp base and the signing epoch."""

import uuid

from django.db import models
from django.utils import timezone


class Timestamped(models.Model):
    """When the row was made. Naming the moment once keeps `created_at` alike everywhere."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class SigningEpoch(models.Model):
    """The single row whose value is part of every token that names rows by id.

    Emptying the database restarts the ids; a new epoch makes sure that a token
    signed before can never meet a new row with an old id.
    """

    value = models.UUIDField(default=uuid.uuid4, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="signing_epoch_single_row")
        ]

    def __str__(self) -> str:
        return self.value.hex
