"""What people are told of, and what they want to be told of."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from accounts.models import Mute, User
from tiktok_clone.common.models import Timestamped
from videos.models import Comment, Video
from videos.models.muting import IsAny, has_muted_word
from videos.models.video import says_muted


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
