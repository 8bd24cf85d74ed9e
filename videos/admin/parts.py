"""Parts of the page and the list of videos: files, subtitles, a filter."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from tiktok_clone.common.administration import ReadOnly
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
