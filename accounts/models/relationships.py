"""Who follows, asks to follow, befriends, mutes and blocks whom; which words they mute.

The database keeps each fact at most once.
"""

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, Q

from tiktok_clone.common.models import Timestamped

PERSON = settings.AUTH_USER_MODEL


class Follow(Timestamped):
    """One person follows another; (1, 2) and (2, 1) are two facts."""

    follower = models.ForeignKey(PERSON, models.CASCADE, related_name="following_rows")
    followee = models.ForeignKey(PERSON, models.CASCADE, related_name="follower_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["follower", "followee"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followee")), name="follow_not_oneself"),
        ]
        indexes = [models.Index(fields=["followee", "follower"], name="follow_by_followee")]

    def __str__(self) -> str:
        return f"{self.follower_id} → {self.followee_id}"


class FollowRequest(Timestamped):
    """One person asks to follow a private account; gone once it is answered or taken back."""

    requester = models.ForeignKey(PERSON, models.CASCADE, related_name="requests_sent")
    target = models.ForeignKey(PERSON, models.CASCADE, related_name="requests_received")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["requester", "target"], name="follow_request_once"),
            models.CheckConstraint(
                condition=~Q(requester=F("target")), name="follow_request_not_oneself"
            ),
        ]
        indexes = [models.Index(fields=["target", "-id"], name="follow_request_by_target")]

    def __str__(self) -> str:
        return f"{self.requester_id} ⇢ {self.target_id}"


class FriendshipQuerySet(models.QuerySet["Friendship"]):
    """Reads of friendships."""

    def between(self, one: Any, other: Any) -> Self:
        """The friendship of two people given as ids or expressions, in whichever order."""
        return self.filter(Q(low=one, high=other) | Q(low=other, high=one))


class Friendship(Timestamped):
    """Two people follow each other: one row for the unordered pair, lower id first."""

    low = models.ForeignKey(PERSON, models.CASCADE, related_name="+")
    high = models.ForeignKey(PERSON, models.CASCADE, related_name="+")

    objects = FriendshipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="friendship_once"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="friendship_ordered"),
        ]
        indexes = [models.Index(fields=["high", "low"], name="friendship_by_high")]

    def __str__(self) -> str:
        return f"{self.low_id} ↔ {self.high_id}"


class BlockQuerySet(models.QuerySet["Block"]):
    """Reads of blocks."""

    def between(self, one: Any, other: Any) -> Self:
        """Blocks in either direction between two people given as ids or expressions."""
        return self.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one))


class Block(Timestamped):
    """One person blocks another; it works both ways, in every list."""

    blocker = models.ForeignKey(PERSON, models.CASCADE, related_name="blocking_rows")
    blocked = models.ForeignKey(PERSON, models.CASCADE, related_name="blocked_by_rows")

    objects = BlockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="block_not_oneself"),
        ]
        indexes = [models.Index(fields=["blocked", "blocker"], name="block_by_blocked")]

    def __str__(self) -> str:
        return f"{self.blocker_id} ⊘ {self.blocked_id}"


class Mute(Timestamped):
    """One person does not want to come across another, who is not told."""

    muter = models.ForeignKey(PERSON, models.CASCADE, related_name="muting_rows")
    muted = models.ForeignKey(PERSON, models.CASCADE, related_name="muted_by_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["muter", "muted"], name="mute_once"),
            models.CheckConstraint(condition=~Q(muter=F("muted")), name="mute_not_oneself"),
        ]

    def __str__(self) -> str:
        return f"{self.muter_id} ∅ {self.muted_id}"


class MutedWordQuerySet(models.QuerySet["MutedWord"]):
    """Reads of muted words."""

    def patterns_of(self, user: int) -> ArraySubquery:
        """All patterns of a person as one array: read once a query, whatever its rows."""
        return ArraySubquery(self.filter(user=user).values("pattern"))

    def tags_of(self, user: int) -> "models.QuerySet[MutedWord, Any]":
        """The names of the hashtags that a person mutes."""
        return self.filter(user=user).exclude(tag="").values("tag")


class MutedWord(Timestamped):
    """A word, some words in a row, or a hashtag that a person does not want to come across.

    `pattern` is what `LIKE` finds in a folded text with a blank at both ends; see `patterns_of`.
    """

    user = models.ForeignKey(PERSON, models.CASCADE, related_name="muted_words")
    text = models.CharField(max_length=100, help_text="As it was typed; a hashtag with its sign.")
    tag = models.CharField(max_length=50, blank=True, help_text="The hashtag's name, if it is one.")
    pattern = models.TextField()

    objects = MutedWordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "pattern"], name="muted_word_once")]

    def __str__(self) -> str:
        return f"{self.user_id} ∅ {self.text}"
