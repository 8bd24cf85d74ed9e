"""What the feed engine keeps: snapshots of integer seeds, what was seen, and what one is told."""

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import Mute, User
from tiktok_clone.common.models import Timestamped
from videos.models import Comment, Video, VideoHashtag
from videos.models.muting import IsAny, has_muted_word
from videos.models.video import says_muted


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


class AffinityQuerySet(models.QuerySet["Affinity"]):
    """Strengths, by what may be done with them."""

    def learnable(self) -> Self:
        """Those that speak for a video, of people who let us learn, less what they took out.

        The same as `affinity.COUNTED` says.
        """
        since = Q(user__taste_since=None) | Q(acted_at__gt=F("user__taste_since"))
        tags = VideoHashtag.objects.filter(video=OuterRef(OuterRef("video"))).values("hashtag")
        removed = RemovedTaste.objects.filter(
            Q(creator=OuterRef("video__author")) | Q(hashtag__in=tags),
            user=OuterRef("user"),
            removed_at__gte=OuterRef("acted_at"),
        )
        return self.filter(since, ~Exists(removed), strength__gt=0, user__profiling=True)


class Affinity(models.Model):
    """How much a person cares for a video: the sum of what they did with it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="affinities")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="affinities")
    strength = models.FloatField(default=0, help_text="See the weights in feeds/affinity.py.")
    followed = models.BooleanField(default=False, help_text="Followed its author after watching.")
    acted_at = models.DateTimeField(help_text="The latest act.")
    first_at = models.DateTimeField(
        null=True, help_text="The first act; none for rows of before it was kept."
    )

    objects = AffinityQuerySet.as_manager()

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


class Kind(models.TextChoices):
    """What people are told of; the label names its switch in the settings."""

    LIKE = "like", "Likes of your clips"
    COMMENT = "comment", "Comments on your clips"
    REPLY = "reply", "Replies to your comments"
    MENTION = "mention", "Mentions of you in captions and comments"
    COMMENT_LIKE = "comment_like", "Likes of your comments"
    FOLLOW = "follow", "New followers"
    FOLLOW_REQUEST = "follow_request", "Requests to follow you"
    FOLLOW_ACCEPTED = "follow_accepted", "Requests of yours that were accepted"
    NEW_VIDEO = "new_video", "New clips of people whose bell you switched on"
    VIDEO_READY = "video_ready", "Your clips that are ready"
    VIDEO_FAILED = "video_failed", "Your clips that could not be made ready"
    MODERATION = "moderation", "Messages from the moderators"


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Reads of notifications."""

    def shown_to(self, user: User) -> Self:
        """What somebody is told of at this moment, in any order of events.

        Nothing that was taken back, of a kind that they switched off, from whom they block or
        mute or who is gone, with a word that they mute, nor about what they may not see (any
        more). All of it is looked at when it is read, so what ends a reason brings the rest back.
        """
        actor = User.objects.visible_to(user).filter(pk=OuterRef("actor"))
        muted = Mute.objects.filter(muter=user.pk, muted=OuterRef("actor"))
        video = Video.objects.visible_to(user).filter(pk=OuterRef("video"))
        comment = Comment.objects.visible_to(user).filter(pk=OuterRef("comment"))
        if user.mutes_words:
            video = video.exclude(says_muted(user.pk))
            comment = comment.exclude(~Q(author=user.pk) & Q(has_muted_word(user.pk)))
        return self.filter(
            Q(actor=None) | (Exists(actor) & ~Exists(muted)),
            Q(video=None) | Exists(video),
            Q(comment=None) | Exists(comment),
            IsAny("kind", kinds_on(user.pk)),
            recipient=user.pk,
            retracted_at=None,
        )

    def unread(self) -> Self:
        """Those that stand and were not marked as read; what was taken back was never seen."""
        return self.filter(read_at=None, retracted_at=None)


def kinds_on(user: int) -> RawSQL:
    """The kinds that somebody did not switch off as one array, so that an index finds them."""
    return RawSQL(
        "ARRAY(SELECT unnest(%s::text[]) EXCEPT"
        " SELECT kind FROM feeds_notificationswitch WHERE user_id = %s)",
        (Kind.values, user),
    )


class Notification(Timestamped):
    """One person is told of one thing that another one did, or that happened: at most once.

    No constraints hold clip and comment: the rows of a clip with very many of them go after it, by
    jobs. What names something that is gone is not shown.
    """

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    video = models.ForeignKey(
        "videos.Video", models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    comment = models.ForeignKey(
        "videos.Comment",
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    key = models.CharField(max_length=40, blank=True, help_text="Tells messages without an object.")
    text = models.CharField(max_length=500, blank=True, help_text="Why, or what is said.")
    topic = models.CharField(max_length=80, help_text="Its group: kind, object and day.")
    read_at = models.DateTimeField(null=True)
    retracted_at = models.DateTimeField(null=True, help_text="Taken back by who did it.")

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "kind", "actor", "video", "comment", "key"],
                nulls_distinct=False,
                name="notification_once",
            ),
            models.CheckConstraint(
                condition=Q(actor=None) | ~Q(actor=F("recipient")), name="notification_not_oneself"
            ),
        ]
        indexes = [
            models.Index(
                fields=["recipient", "-created_at"],
                condition=Q(retracted_at=None),
                name="notification_list",
            ),
            models.Index(
                fields=["recipient", "kind"],
                condition=Q(retracted_at=None, read_at=None),
                name="notification_unread_kind",
            ),
            models.Index(
                fields=["video"],
                condition=Q(kind=Kind.MENTION, comment=None),
                name="notification_by_caption",
            ),
            models.Index(
                fields=["comment"],
                condition=Q(comment__isnull=False),
                name="notification_by_comment",
            ),
            BrinIndex(fields=["created_at"], autosummarize=True, name="notification_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.recipient_id} by {self.actor_id}"


class NotificationSwitch(models.Model):
    """Somebody does not want to be told of a kind."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="notification_switch_once")
        ]

    def __str__(self) -> str:
        return f"no {self.kind} for {self.user_id}"


class Bell(Timestamped):
    """Somebody wants to be told of each new video of a person whom they follow."""

    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["creator", "listener"], name="bell_once"),
        ]

    def __str__(self) -> str:
        return f"{self.listener_id} hears of {self.creator_id}"


class ModelRunQuerySet(models.QuerySet["ModelRun"]):
    """Trainings, by what became of them."""

    def in_service(self) -> "ModelRun | None":
        """Return the one whose model recommends now; None until there is one."""
        return self.filter(state=ModelRun.State.IN_SERVICE).first()

    def over(self) -> Self:
        """Return those whose model is not there any more, or never was."""
        states = [ModelRun.State.RETIRED, ModelRun.State.REFUSED, ModelRun.State.FAILED]
        return self.filter(state__in=states)


class ModelRun(Timestamped):
    """One training of the recommender, and what became of its model."""

    class State(models.TextChoices):
        RUNNING = "running"
        IN_SERVICE = "in_service"
        KEPT = "kept"  # the one before
        RETIRED = "retired"  # its model is deleted, its figures stay
        REFUSED = "refused"
        FAILED = "failed"

    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    reason = models.TextField(blank=True, help_text="Why it was refused, or failed.")
    parameters = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict, help_text="On what was held out of training.")
    digest = models.CharField(max_length=64, blank=True, help_text="Of all that it learnt from.")
    learnt_until = models.DateTimeField(null=True, help_text="The latest act it learnt from.")
    rows = models.PositiveBigIntegerField(default=0)
    people = models.PositiveBigIntegerField(default=0)
    items = models.PositiveBigIntegerField(default=0)
    cpu_seconds = models.FloatField(default=0)
    peak_bytes = models.BigIntegerField(default=0, help_text="Memory of the process at most.")
    finished_at = models.DateTimeField(null=True)

    objects = ModelRunQuerySet.as_manager()

    class Meta:
        verbose_name = "training"
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="in_service"),
                name="one_model_in_service",
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="model_run_by_age")]

    def __str__(self) -> str:
        return f"training {self.pk}"

    @property
    def ndcg(self) -> float | None:
        """NDCG@20 on what was held out."""
        return self._ndcg("ours")

    @property
    def popularity_ndcg(self) -> float | None:
        """The same of recommending to everybody what is popular."""
        return self._ndcg("popularity")

    def _ndcg(self, row: str) -> float | None:
        figures = self.metrics.get(row)
        return figures["ndcg"]["20"] if figures else None

    def finish(self, state: "ModelRun.State", reason: str = "") -> None:
        """Write what became of it."""
        self.state, self.reason, self.finished_at = state, reason, timezone.now()
        self.save()


class RealField(models.FloatField):
    """A float of four bytes; as exact as what is trained."""

    def db_type(self, connection: Any) -> str:
        """Return PostgreSQL's name for it."""
        return "real"


class Neighbours(models.Model):
    """Where walks from a video end, by one model: the likeliest first."""

    run = models.ForeignKey(ModelRun, models.CASCADE, related_name="neighbours")
    # No constraint: a video that is deleted while tens of thousands of these are written must not
    # undo them. Readers look its ids up among the videos anyway.
    item = models.ForeignKey(
        "videos.Video",
        models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    neighbours = ArrayField(models.BigIntegerField())
    weights = ArrayField(RealField())
    popularity = RealField(default=0)

    class Meta:
        verbose_name_plural = "neighbours"
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="neighbours_once")]

    def __str__(self) -> str:
        return f"neighbours of video {self.item_id}"
