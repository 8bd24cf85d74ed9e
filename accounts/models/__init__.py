"""People and how they relate."""

from accounts.models.invitation import Invitation
from accounts.models.moderation import (
    Appeal,
    Decision,
    DecisionKind,
    ModerationAct,
    Reason,
    StaffAct,
)
from accounts.models.relationships import (
    Block,
    Follow,
    FollowRequest,
    Friendship,
    Mute,
    MutedWord,
)
from accounts.models.session import Session
from accounts.models.throttle import ThrottleCount
from accounts.models.user import HANDLE_PATTERN, CommentsFrom, CommentsHeld, User

__all__ = [
    "HANDLE_PATTERN",
    "Appeal",
    "Block",
    "CommentsFrom",
    "CommentsHeld",
    "Decision",
    "DecisionKind",
    "Follow",
    "FollowRequest",
    "Friendship",
    "Invitation",
    "ModerationAct",
    "Mute",
    "MutedWord",
    "Reason",
    "Session",
    "StaffAct",
    "ThrottleCount",
    "User",
]
