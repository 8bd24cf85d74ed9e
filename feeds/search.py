"""Hashtags by their beginning; for people and videos see accounts.finding and videos.filters."""

from typing import TYPE_CHECKING, Any

from django.db.models import BigIntegerField, Case, F, QuerySet, Value, When
from django.urls import reverse

from tiktok_clone.common.folding import fold, fold_tag
from tiktok_clone.common.searching import KIND, sort_key
from videos.models import Hashtag

if TYPE_CHECKING:
    from accounts.models.user import Viewer


def find_tags(viewer: "Viewer", typed: str = "") -> "QuerySet[Hashtag]":
    """Return hashtags in use that begin as typed, with or without the sign; none that are muted.

    The very tag comes first, then what differs in accents alone, then the most used. Sort by
    `-sort_key`; it has no ties. With nothing typed, all that are in use.
    """
    tags = Hashtag.objects.filter(videos_count__gt=0).not_muted_by(viewer)
    exact, folded = fold_tag(typed.strip().removeprefix("#")), fold(typed)
    if typed.strip():
        tags = tags.filter(search_text__startswith=folded) if folded else tags.none()
    kind = Case(
        When(name=exact, then=2),
        When(search_text=folded, then=1),
        default=0,
        output_field=BigIntegerField(),
    )
    ranked = tags.annotate(sort_key=sort_key(kind * Value(KIND) + F("videos_count")))
    return ranked.order_by("-sort_key")


def represent_tag(tag: Hashtag) -> dict[str, Any]:
    """Return `{name, videos_count, url}`."""
    return {
        "name": tag.name,
        "videos_count": tag.videos_count,
        "url": reverse("tag", args=[tag.name]),
    }
