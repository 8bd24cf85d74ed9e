"""What moderators decide about people, what these say to that, and the log of what staff did."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from tiktok_clone.common.models import Timestamped

WORDS_MAX = 500
SUBJECT_MAX = 100


class Reason(models.TextChoices):
    """Why something is reported, and why a moderator did something about it."""

    SPAM = "spam", "Spam or misleading"
    VIOLENCE = "violence", "Violence or danger"
    HATE = "hate", "Hate or harassment"
    NUDITY = "nudity", "Nudity or sexual content"
    COPYRIGHT = "copyright", "Somebody else’s work"
    OTHER = "other", "Something else"


class DecisionKind(models.TextChoices):
    """What was decided; the log of acts has the same names."""

    HIDDEN = "video_hidden", "Clip hidden"
    REMOVED = "video_removed", "Clip removed"
    COMMENT_REMOVED = "comment_removed", "Comment removed"
    PICTURE_REMOVED = "picture_removed", "Picture removed"
    CONTENT_REMOVED = "content_removing", "Everything removed"
    WARNED = "warned", "Warned"
    SUSPENDED = "suspended", "Suspended"


# As the person reads it: what was done, and what it means when it was a mistake.
HEADLINES = {
    DecisionKind.HIDDEN: "Your clip{subject} was hidden from everybody but you",
    DecisionKind.REMOVED: "Your clip{subject} was removed",
    DecisionKind.COMMENT_REMOVED: "Your comment{subject} was removed",
    DecisionKind.PICTURE_REMOVED: "Your picture was removed",
    DecisionKind.CONTENT_REMOVED: "Everything that you posted was removed",
    DecisionKind.WARNED: "You were warned{about}",
    DecisionKind.SUSPENDED: "Your account was suspended",
}
UNDONE = {
    DecisionKind.HIDDEN: "Your clip{subject} is shown again",
    DecisionKind.REMOVED: "Your clip{subject} should have stayed. It cannot be brought back; "
    "you may post it again",
    DecisionKind.COMMENT_REMOVED: "Your comment{subject} should have stayed. It cannot be brought "
    "back; you may write it again",
    DecisionKind.PICTURE_REMOVED: "Your picture should have stayed. You may choose it again",
    DecisionKind.CONTENT_REMOVED: "What you posted should have stayed. It cannot be brought back; "
    "you may post it again",
    DecisionKind.WARNED: "Your warning is taken back",
    DecisionKind.SUSPENDED: "Your account is not suspended any more",
}


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Reads of decisions."""

    def standing(self) -> Self:
        """Those that nobody took back."""
        return self.filter(undone_at=None)

    def about(self, kind: DecisionKind, target_id: int) -> Self:
        """Those of a kind that concern one row."""
        return self.filter(kind=kind, target_id=target_id)


class Decision(Timestamped):
    """What a moderator decided about a person or something of theirs, and why.

    What it is about is named, not referred to: it may be gone, and the person still may appeal.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="decisions", db_index=False
    )
    kind = models.CharField(max_length=24, choices=DecisionKind.choices)
    target_kind = models.CharField(max_length=16)
    target_id = models.BigIntegerField()
    subject = models.CharField(
        max_length=SUBJECT_MAX, blank=True, help_text="The beginning of the caption or the text."
    )
    reason = models.CharField(max_length=10, choices=Reason.choices)
    words = models.CharField(max_length=WORDS_MAX, blank=True, help_text="For the person.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True, help_text="When it was taken back.")

    objects = DecisionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["person", "-id"], name="decision_of_person"),
            models.Index(
                fields=["kind", "target_id"], condition=Q(undone_at=None), name="decision_standing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.target_kind} {self.target_id}"

    def get_absolute_url(self) -> str:
        """The page on which its person reads it, and may appeal."""
        return reverse("decision", args=[self.pk])

    @property
    def headline(self) -> str:
        """What was done, in words for the person."""
        return self._sentence(HEADLINES)

    @property
    def why(self) -> str:
        """The reason in words for the person."""
        label = "" if self.reason == Reason.OTHER and self.words else self.get_reason_display()
        return ". ".join(filter(None, [label, self.words]))

    @property
    def appeal_or_none(self) -> "Appeal | None":
        """What the person says to it."""
        return getattr(self, "appeal", None)

    @property
    def may_be_appealed(self) -> bool:
        """Once, as long as it stands."""
        return self.undone_at is None and self.appeal_or_none is None

    @property
    def outcome(self) -> str:
        """What became of it, in words for the person; empty as long as nothing has."""
        appeal = self.appeal_or_none
        if self.undone_at is not None:
            first = "Your appeal was right. " if appeal and appeal.is_reversed else ""
            return f"{first}{self._sentence(UNDONE)}."
        if appeal and appeal.state == Appeal.State.UPHELD:
            return "We looked at it again after your appeal, and it stays as it is."
        return ""

    def _sentence(self, table: dict[DecisionKind, str]) -> str:
        named = f"“{self.subject}”"
        return table[DecisionKind(self.kind)].format(
            subject=f" {named}" if self.subject else "",
            about=f" for {named}" if self.subject else "",
        )


class Appeal(Timestamped):
    """What a person says to a decision, once, and what was answered."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        UPHELD = "upheld", "Decision upheld"
        REVERSED = "reversed", "Decision reversed"

    decision = models.OneToOneField(Decision, models.CASCADE, related_name="appeal")
    text = models.CharField(max_length=1000)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    answer = models.CharField(max_length=WORDS_MAX, blank=True, help_text="For the person.")
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", answered_at=None)
                | (~Q(state="waiting") & Q(answered_at__isnull=False)),
                name="appeal_answered_or_waiting",
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="waiting"), name="appeal_waiting"),
        ]

    def __str__(self) -> str:
        return f"appeal {self.pk}"

    @property
    def is_reversed(self) -> bool:
        """Whether the decision was taken back."""
        return self.state == self.State.REVERSED


class StaffAct(models.TextChoices):
    """What staff does that is no decision about a person; the rest is in DecisionKind."""

    SHOWN = "video_shown", "Clip shown again"
    RETRIED = "video_retried", "Clip processed again"
    REPORTS_ANSWERED = "reports_answered", "Reports answered"
    RESTORED = "restored", "Suspension lifted"
    APPEAL_ANSWERED = "appeal_answered", "Appeal answered"
    SIGNED_OUT = "signed_out", "Signed out"
    ACCOUNT_MADE = "account_made", "Account made"
    PROFILE_EDITED = "profile_edited", "Account edited"
    PASSWORD_SET = "password_set", "Password set"
    ACCOUNT_DELETED = "account_deleted", "Account deleted"
    INVITATION_SAVED = "invitation_saved", "Invitation saved"
    INVITATION_DELETED = "invitation_deleted", "Invitation deleted"
    TEXT_SAVED = "text_saved", "Text saved"
    TEXT_DELETED = "text_deleted", "Text deleted"


class ModerationAct(Timestamped):
    """One act of the staff: written with it, never changed or deleted; a trigger sees to that.

    People and things are named, not referred to: the log outlives them.
    """

    ACTS: ClassVar[list[tuple[str, str]]] = [*DecisionKind.choices, *StaffAct.choices]

    by_id = models.BigIntegerField(null=True, help_text="Id of the account; none for the system.")
    by_label = models.CharField(max_length=30)
    act = models.CharField(max_length=24, choices=ACTS)
    target_kind = models.CharField(max_length=16)
    target_id = models.BigIntegerField()
    target_label = models.CharField(max_length=100)
    reason = models.CharField(max_length=10, choices=Reason.choices, blank=True)
    detail = models.CharField(max_length=WORDS_MAX, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["target_kind", "target_id"], name="act_by_target"),
            models.Index(fields=["by_id", "-id"], name="act_by_staff"),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()}: {self.target_label}"
