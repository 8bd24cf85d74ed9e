"""Counters of requests that must hold when Redis is away."""

from django.db import models


class ThrottleCount(models.Model):
    """How many requests a key (hashed address or account) made in a window."""

    key = models.CharField(max_length=100)
    window_start = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "window_start"], name="throttle_key_window")
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
