"""People and how they relate."""

from accounts.models.relationships import Block, Follow, Friendship
from accounts.models.session import Session
from accounts.models.throttle import ThrottleCount
from accounts.models.user import HANDLE_PATTERN, User

__all__ = ["HANDLE_PATTERN", "Block", "Follow", "Friendship", "Session", "ThrottleCount", "User"]
