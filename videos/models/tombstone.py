"""What is left of a deleted video until its objects are gone."""

from django.db import models
from django.utils import timezone

from tiktok_clone.common.models import Timestamped


class Tombstone(Timestamped):
    """A name in the store to be emptied; written in the transaction that removes the row."""

    name = models.CharField(max_length=200, help_text="Object name or prefix.")
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.name
