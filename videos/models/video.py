"""A video, its states, and who may see it."""

import uuid
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.functions import Least
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block, CommentsFrom, CommentsHeld, Follow, Friendship, User
from tiktok_clone.common.models import WORDS, Searchable, Timestamped
from tiktok_clone.common.storage import CLOUDINARY, LOCAL, kind_for_new, naming
from videos.models.hashtag import Hashtag, has_muted_tag
from videos.models.muting import by_muted_person, has_muted_word
from videos.models.subtitles import Subtitles

if TYPE_CHECKING:
    from accounts.models.user import Viewer


class Status(models.TextChoices):
    """The states of a video; TRANSITIONS says which follow which."""

    RESERVED = "reserved"  # a row and a name; no bytes yet
    UPLOADING = "uploading"  # bytes are arriving
    STORED = "stored"  # the original is here, a job waits
    PROCESSING = "processing"  # a worker is at it
    READY = "ready"  # playable; larger renditions may still follow
    FAILED = "failed"  # our fault or a crash: can be retried
    REJECTED = "rejected"  # the file's fault: `reason` says what to do


TRANSITIONS: dict[str, set[str]] = {
    Status.RESERVED: {Status.UPLOADING, Status.STORED, Status.FAILED, Status.REJECTED},
    Status.UPLOADING: {Status.UPLOADING, Status.STORED, Status.FAILED, Status.REJECTED},
    Status.STORED: {Status.PROCESSING, Status.FAILED, Status.REJECTED},
    # A killed worker leaves `processing`; the job's next run takes it up again.
    Status.PROCESSING: {Status.PROCESSING, Status.READY, Status.FAILED, Status.REJECTED},
    Status.READY: {Status.READY},
    Status.FAILED: {Status.STORED},
    Status.REJECTED: set(),
}


# Ready until the store lost what there was to play: `failed` with this code. Back and forth by
# `lose_media` and `regain_media` alone, so that no late attempt can publish a failed clip.
MEDIA_MISSING = "media_missing"
MEDIA_MISSING_SENTENCE = (
    "Its files are missing on our side. It comes back by itself when they are found."
    " If you still have the clip, you can upload it again."
)


class Visibility(models.TextChoices):
    """Who may see a published video."""

    PUBLIC = "public", "Everybody"
    FRIENDS = "friends", "Friends"
    PRIVATE = "private", "Only me"


# Playable, not hidden by a moderator, by an account that is active.
PUBLISHED = Q(
    status=Status.READY,
    hidden_at=None,
    published_at__isnull=False,
    author__is_active=True,
    author__deleted_at=None,
)


class VideoQuerySet(models.QuerySet["Video"]):
    """Reads of videos, with the field's words."""

    def published(self) -> Self:
        """Playable, not hidden by a moderator, by an account that is active."""
        return self.filter(PUBLISHED)

    def visible_to(self, viewer: "Viewer") -> Self:
        """Published videos that the viewer may see, and all of their own.

        Public ones of public accounts are for everybody; those of private accounts
        for followers; friends-only ones for friends. Blocks work both ways.
        """
        is_public = Q(visibility=Visibility.PUBLIC)
        if viewer is None or viewer.pk is None:
            return self.published().filter(is_public, author__is_private=False)
        follows = Exists(Follow.objects.filter(follower=viewer.pk, followee=OuterRef("author")))
        friends = Exists(Friendship.objects.between(viewer.pk, OuterRef("author")))
        blocks = Exists(Block.objects.between(viewer.pk, OuterRef("author")))
        allowed = (is_public & (Q(author__is_private=False) | follows)) | (
            Q(visibility=Visibility.FRIENDS) & friends
        )
        return self.filter(Q(author=viewer.pk) | (PUBLISHED & allowed & ~blocks))

    def not_muted_by(self, viewer: "Viewer") -> Self:
        """Without people, words and hashtags that the viewer does not want to come across."""
        if not isinstance(viewer, User):
            return self
        videos = self.exclude(by_muted_person(viewer.pk))
        return videos.exclude(says_muted(viewer.pk)) if viewer.mutes_words else videos

    def editable_by(self, user: "Viewer") -> Self:
        """One's own, in every state."""
        return self.filter(author=user.pk) if user is not None and user.pk else self.none()

    def for_cards(self) -> Self:
        """Everything that a card shows, in a number of queries that does not grow."""
        return self.select_related("author").prefetch_related(*card_parts())

    def without_stills(self) -> Self:
        """Ready, but with no preview and sprite yet."""
        return self.filter(status=Status.READY, sprite="")

    def without_larger(self) -> Self:
        """Ready, but only at a smaller size than the source has; `width` and `height` say it."""
        short_side = Least(OuterRef("width"), OuterRef("height"))
        largest = Rendition.objects.filter(video=OuterRef("pk"), rung__gte=short_side)
        return self.filter(~Exists(largest), status=Status.READY)


def says_muted(viewer: int) -> Q:
    """Whether a video of somebody else has a word or a hashtag that the viewer mutes."""
    return ~Q(author=viewer) & (Q(has_muted_word(viewer)) | Q(has_muted_tag(viewer)))


def card_parts() -> tuple[Prefetch, ...]:
    """What else a card shows: to be loaded beside a list of videos."""
    return (
        Prefetch("renditions", Rendition.objects.order_by("rung")),
        Prefetch("hashtags", Hashtag.objects.order_by("name")),
        Prefetch("subtitles", Subtitles.objects.order_by("language").defer("vtt")),
    )


class Video(Timestamped, Searchable):
    """A clip. `uuid` names its objects in the store; counters are exact, of views soon."""

    SEARCHED = ("caption",)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    store = models.CharField(
        max_length=10,
        choices=[(LOCAL, "Local disk"), (CLOUDINARY, "Cloudinary")],
        default=kind_for_new,
        db_default=LOCAL,
        help_text="Where its objects are.",
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="videos")
    caption = models.CharField(max_length=2200, blank=True)
    hashtags = models.ManyToManyField(
        "videos.Hashtag", through="videos.VideoHashtag", related_name="videos"
    )
    visibility = models.CharField(
        max_length=8, choices=Visibility.choices, default=Visibility.PUBLIC
    )
    comments_from = models.CharField(
        max_length=9,
        choices=CommentsFrom.choices,
        default=CommentsFrom.EVERYBODY,
        db_default=CommentsFrom.EVERYBODY,
        help_text="Who may comment.",
    )
    comments_held = models.CharField(
        max_length=9,
        choices=CommentsHeld.choices,
        default=CommentsHeld.NOBODY,
        db_default=CommentsHeld.NOBODY,
        help_text="Whose comments wait for approval.",
    )

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RESERVED)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent processed.")
    reason_code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True, help_text="Why, and what to do.")
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Names its own folder.")

    size_bytes = models.BigIntegerField(default=0, help_text="Of the original.")
    width = models.PositiveIntegerField(default=0, help_text="As displayed, in pixels.")
    height = models.PositiveIntegerField(default=0, help_text="As displayed, in pixels.")
    duration = models.FloatField(default=0, help_text="Seconds.")
    poster = models.CharField(max_length=200, blank=True, help_text="Object name in the store.")
    placeholder = models.TextField(blank=True, help_text="A tiny picture as a data URI.")
    preview = models.CharField(
        max_length=200, blank=True, db_default="", help_text="Moving picture, object name."
    )
    sprite = models.CharField(
        max_length=200, blank=True, db_default="", help_text="Stills in a row, object name."
    )

    likes_count = models.PositiveIntegerField(default=0)
    comments_count = models.PositiveIntegerField(default=0)
    saves_count = models.PositiveIntegerField(default=0)
    shares_count = models.PositiveIntegerField(default=0)
    views_count = models.PositiveBigIntegerField(default=0)
    watch_seconds = models.FloatField(default=0)
    shown_count = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="People it was shown to, counted up to a few hundred."
    )
    trend = models.FloatField(
        default=0, db_default=0, help_text="Popularity now; decays with time."
    )

    slot = models.BigIntegerField(
        null=True, unique=True, help_text="Place in the seeded shuffle; never reused."
    )
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True, help_text="Strictly increasing; see SlotEpoch.")
    hidden_at = models.DateTimeField(null=True, blank=True, help_text="Hidden by a moderator.")

    objects = VideoQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["author", "-published_at", "-id"], name="video_by_author"),
            models.Index(fields=["-published_at", "-id"], name="video_by_time"),
            models.Index(
                fields=["status", "updated_at"],
                condition=~Q(status="ready"),
                name="video_unfinished",
            ),
            models.Index(fields=["-trend", "-id"], condition=Q(trend__gt=0), name="video_by_trend"),
            models.Index(fields=["shown_count", "published_at", "id"], name="video_by_shown"),
            models.Index(fields=["created_at"], name="video_by_age"),
            GinIndex(WORDS, name="video_search"),
        ]

    def __str__(self) -> str:
        return f"video {self.pk} ({self.status})"

    def get_absolute_url(self) -> str:
        """The video's page."""
        return reverse("video", args=[self.author.handle, self.pk])

    @property
    def folder(self) -> str:
        """Prefix of all its objects in the store."""
        return naming.named(self.store, f"videos/{self.uuid}")

    @property
    def is_published(self) -> bool:
        """Whether others may find it, as far as the row itself tells."""
        return (
            self.status == Status.READY and self.published_at is not None and self.hidden_at is None
        )

    def advance(self, to: str, **fields: Any) -> bool:
        """Move to another state if the table allows it from the state in the database.

        One conditional UPDATE, so that an event that comes late or twice changes nothing.

        Returns:
            Whether the row moved; the instance is refreshed only if it did.
        """
        allowed_from = [state for state, targets in TRANSITIONS.items() if to in targets]
        return self._switch(Q(status__in=allowed_from), status=to, **fields)

    def lose_media(self) -> bool:
        """Take a ready video whose files are missing off the site. Returns whether it was ready."""
        return self._switch(
            Q(status=Status.READY),
            status=Status.FAILED,
            reason_code=MEDIA_MISSING,
            reason=MEDIA_MISSING_SENTENCE,
        )

    def regain_media(self) -> bool:
        """Show a video again whose files were missing. Returns whether that was its state."""
        return self._switch(
            Q(status=Status.FAILED, reason_code=MEDIA_MISSING),
            status=Status.READY,
            reason_code="",
            reason="",
        )

    def _switch(self, state: Q, **fields: Any) -> bool:
        fields |= {"updated_at": timezone.now()}
        moved = Video.objects.filter(state, pk=self.pk).update(**fields)
        if moved:
            for name, value in fields.items():
                setattr(self, name, value)
        return bool(moved)


class Rendition(models.Model):
    """One playable file of a video."""

    video = models.ForeignKey(Video, models.CASCADE, related_name="renditions")
    rung = models.PositiveSmallIntegerField(help_text="Short side in pixels.")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bitrate = models.PositiveIntegerField(help_text="Bits a second, measured.")
    size_bytes = models.BigIntegerField()
    name = models.CharField(max_length=200, help_text="Object name in the store.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["video", "rung"], name="rendition_once_a_rung"),
            models.UniqueConstraint(fields=["name"], name="rendition_name_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.rung}p of video {self.video_id}"
