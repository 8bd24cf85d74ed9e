"""Parts of the page and the list of videos: files, subtitles, a filter, the search."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from tiktok_clone.common.administration import ReadOnly
from tiktok_clone.common.models import WORDS
from tiktok_clone.common.searching import prefix_query
from videos.models import Rendition, Report, Subtitles, Video


class RenditionInline(ReadOnly, admin.TabularInline):
    """The files of a video."""

    model = Rendition
    extra = 0
    fields = ("rung", "width", "height", "bitrate", "size_bytes", "name")
    readonly_fields = fields
    ordering = ("rung",)


class SubtitlesInline(ReadOnly, admin.TabularInline):
    """The subtitles of a video."""

    model = Subtitles
    verbose_name_plural = "subtitles"
    extra = 0
    fields = ("language", "label", "created_at")
    readonly_fields = fields
    ordering = ("language",)


class ReportedFilter(admin.SimpleListFilter):
    """Whether reports wait."""

    title = "reports"
    parameter_name = "reported"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("open", "waiting")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> QuerySet[Video]:
        """Those with open reports, from the index that holds just these."""
        if self.value() != "open":
            return queryset
        return queryset.filter(
            Exists(Report.objects.filter(video=OuterRef("pk"), resolved_at=None))
        )


def found(typed: str) -> Q:
    """What is found by words of the caption, or is the very id."""
    query = prefix_query(typed)
    by_words = Q()
    if query is not None:
        by_words = Q(pk__in=Video.objects.alias(words=WORDS).filter(words=query).values("pk"))
    if typed.isascii() and typed.isdigit() and len(typed) < 19:
        return by_words | Q(pk=int(typed))
    return by_words if query is not None else Q(pk__in=[])
