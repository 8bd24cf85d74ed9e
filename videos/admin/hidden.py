"""The other half of the reports queue: clips that are hidden, to be shown again."""

from typing import Any

from django.core.paginator import Page
from django.db.models import Exists, OuterRef

from accounts.models import Decision, DecisionKind
from accounts.models.moderation import DecisionQuerySet
from videos.admin import shown
from videos.models import Video


def hidden_clips() -> DecisionQuerySet:
    """Return the decisions by which clips are hidden, the latest first."""
    there = Video.objects.filter(pk=OuterRef("target_id"), hidden_at__isnull=False)
    standing = Decision.objects.standing().filter(Exists(there), kind=DecisionKind.HIDDEN)
    return standing.select_related("by", "appeal").order_by("-pk")


def hidden_entries(page: "Page[Any]") -> list[dict[str, Any]]:
    """What the queue shows of each, in a number of queries that does not grow."""
    decisions = list(page)
    ids = [decision.target_id for decision in decisions]
    videos = Video.objects.select_related("author").prefetch_related("renditions").in_bulk(ids)
    return [
        {
            "video": videos[decision.target_id],
            "player": shown.player(videos[decision.target_id]),
            "decision": decision,
        }
        for decision in decisions
        if decision.target_id in videos
    ]
