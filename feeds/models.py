"""What the feed engine keeps: snapshots of integer seeds, and what was seen."""

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


# Watched in all, from which an impression is a view. Less is a swipe past.
VIEW_SECONDS = 1.0
WATCHED = models.Q(completed__gt=0) | models.Q(seconds__gte=VIEW_SECONDS)


class Impression(models.Model):
    """That a person was shown a video, and how much of it they watched."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="impressions")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="impressions")
    times = models.PositiveIntegerField(default=1)
    seconds = models.FloatField(default=0, help_text="Watched in all.")
    completed = models.PositiveIntegerField(default=0, help_text="Times watched to the end.")
    longest = models.FloatField(
        default=0, db_default=0, help_text="Seconds of the longest single watch."
    )
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(auto_now=True)
    forgotten_at = models.DateTimeField(null=True, help_text="Taken out of the history.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "video"], name="impression_once")]
        indexes = [
            models.Index(fields=["user", "-last_at"], name="impression_recent"),
            models.Index(fields=["last_at"], name="impression_by_age"),
        ]

    def __str__(self) -> str:
        return f"video {self.video_id} seen by {self.user_id}"


class Affinity(models.Model):
    """How much a person cares for a video: the sum of what they did with it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="affinities")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="affinities")
    strength = models.FloatField(default=0, help_text="See the weights in feeds/affinity.py.")
    followed = models.BooleanField(default=False, help_text="Followed its author after watching.")
    acted_at = models.DateTimeField(help_text="The latest act.")

    class Meta:
        verbose_name_plural = "affinities"
        constraints = [models.UniqueConstraint(fields=["user", "video"], name="affinity_once")]
        indexes = [models.Index(fields=["user", "-acted_at"], name="affinity_recent")]

    def __str__(self) -> str:
        return f"{self.strength:+.1f} of {self.user_id} for video {self.video_id}"


class NotInterested(Timestamped):
    """A person does not want to see a video, nor more of its kind."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="+")

    class Meta:
        verbose_name_plural = "not interested"
        constraints = [
            models.UniqueConstraint(fields=["user", "video"], name="not_interested_once")
        ]

    def __str__(self) -> str:
        return f"video {self.video_id} not for {self.user_id}"


class RefusedCreator(Timestamped):
    """A person wants nothing of a creator recommended; whom they follow stays in `following`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "creator"], name="refused_creator_once")
        ]

    def __str__(self) -> str:
        return f"{self.creator_id} not for {self.user_id}"


class RefusedTag(Timestamped):
    """A person wants nothing with a hashtag recommended."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    hashtag = models.ForeignKey("videos.Hashtag", models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "hashtag"], name="refused_tag_once")]

    def __str__(self) -> str:
        return f"hashtag {self.hashtag_id} not for {self.user_id}"


class RemovedTaste(Timestamped):
    """A person took a creator or a hashtag out of what was learned about them.

    What they did before with clips of it says nothing any more; what they do from then on does.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+"
    )
    hashtag = models.ForeignKey("videos.Hashtag", models.CASCADE, null=True, related_name="+")
    removed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "creator"], name="removed_creator_once"),
            models.UniqueConstraint(fields=["user", "hashtag"], name="removed_tag_once"),
            models.CheckConstraint(
                condition=models.Q(creator__isnull=True) ^ models.Q(hashtag__isnull=True),
                name="removed_one_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.creator_id or self.hashtag_id} removed by {self.user_id}"


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


class Export(Timestamped):
    """A copy of all that somebody has here, made for them to download."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="exports")
    name = models.CharField(max_length=200, blank=True, help_text="Object name in the store.")
    size_bytes = models.BigIntegerField(default=0)
    ready_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export of {self.user_id}"


class DemoClip(Timestamped):
    """A clip of the demo that was posted: never again, even if its author edits or deletes it."""

    name = models.CharField(max_length=40, unique=True)
    video = models.OneToOneField("videos.Video", models.SET_NULL, null=True, related_name="+")
    reacted_at = models.DateTimeField(null=True, help_text="When it had its likes and comments.")

    def __str__(self) -> str:
        return f"{self.name} of the demo"


class _Runs(models.Manager["ModelRun"]):
    def in_service(self):
        return self.filter(serving=True).order_by("-id").first()


class ModelRun(models.Model):
    serving = models.BooleanField(default=False)
    objects = _Runs()


class Neighbours(models.Model):
    run = models.ForeignKey(ModelRun, models.CASCADE)
    item = models.ForeignKey("videos.Video", models.CASCADE, db_constraint=False)
    neighbours = ArrayField(models.BigIntegerField())
    weights = ArrayField(models.FloatField())
    popularity = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="nb_once")]
