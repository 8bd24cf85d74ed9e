"""What each person sees next: orders, watching, wishes, notifications, the recommender."""

from feeds.models.demo import DemoClip
from feeds.models.export import Export
from feeds.models.notification import (
    Bell,
    Kind,
    Notification,
    NotificationSwitch,
)
from feeds.models.recommender import ModelRun, Neighbours, RealField
from feeds.models.scrolling import CacheReads, FeedSession, PendingFanout, PullAuthor, SeedSnapshot
from feeds.models.watching import VIEW_SECONDS, WATCHED, Affinity, Impression
from feeds.models.wishes import NotInterested, RefusedCreator, RefusedTag, RemovedTaste

__all__ = [
    "VIEW_SECONDS",
    "WATCHED",
    "Affinity",
    "Bell",
    "CacheReads",
    "DemoClip",
    "Export",
    "FeedSession",
    "Impression",
    "Kind",
    "ModelRun",
    "Neighbours",
    "NotInterested",
    "Notification",
    "NotificationSwitch",
    "PendingFanout",
    "PullAuthor",
    "RealField",
    "RefusedCreator",
    "RefusedTag",
    "RemovedTaste",
    "SeedSnapshot",
]
