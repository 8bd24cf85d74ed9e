"""Orders that were given out, and what the engine of the feeds knows of them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from tiktok_clone.common.models import Timestamped


class SeedSnapshot(Timestamped):
    """The moment at which a reader started the order of an integer of their own."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    mode = models.CharField(max_length=12)
    order = models.CharField(max_length=8)
    seed = models.BigIntegerField()
    epoch = models.PositiveIntegerField()
    used = models.BigIntegerField(help_text="Slots used at the snapshot.")
    taken_at = models.DateTimeField(help_text="Last publication at the snapshot.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reader", "mode", "order", "seed"], name="snapshot_once"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="snapshot_by_age")]

    def __str__(self) -> str:
        return f"seed {self.seed} of {self.reader_id} in {self.mode}"


class FeedSession(models.Model):
    """A stretch of the order that was ranked for one seed of a reader; see recommender/sessions."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    seed = models.BigIntegerField()
    made = models.BigIntegerField(help_text="Second at which the seed was made.")
    start = models.PositiveIntegerField(help_text="Its first place.")
    ids = ArrayField(models.BigIntegerField())
    places = models.JSONField(help_text="Source, score and terms of each; none where not ranked.")
    seen = models.BooleanField(help_text="The reader had seen these before, and all that follow.")
    last = models.BooleanField(help_text="Nothing follows.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reader", "seed", "made", "start"], name="feed_session_once"
            )
        ]
        indexes = [
            models.Index(fields=["reader", "-created_at"], name="feed_session_recent"),
            models.Index(fields=["created_at"], name="feed_session_by_age"),
        ]

    def __str__(self) -> str:
        return f"{len(self.ids)} places from {self.start} for {self.reader_id}"


class PendingFanout(models.Model):
    """A publication that may not be in the cached timelines yet; reads merge it in."""

    video = models.OneToOneField("videos.Video", models.CASCADE, primary_key=True, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    published_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, help_text="When all pushes had been done.")

    class Meta:
        indexes = [models.Index(fields=["delivered_at"], name="fanout_delivered")]

    def __str__(self) -> str:
        return f"fan-out of video {self.video_id}"


class PullAuthor(Timestamped):
    """An author whom too many follow: readers fetch what is new from one list of theirs."""

    author = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, help_text="When fewer followed again.")

    def __str__(self) -> str:
        return f"outbox of {self.author_id}"


class CacheReads(models.Model):
    """How often a cache of the feeds was asked on a day, and had it (`hit`) or not."""

    day = models.DateField()
    kind = models.CharField(max_length=10, help_text="A name in feeds/hits.py.")
    hit = models.BooleanField()
    total = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "kind", "hit"], name="cache_reads_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.day}"
