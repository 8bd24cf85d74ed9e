"""What was watched and what is exported, in the administration; to read."""

from datetime import datetime

from django.contrib import admin
from django.db.models import Count

from feeds.models import WATCHED, Export, Impression
from tiktok_clone.common import dashboard
from tiktok_clone.common.administration import ReadOnly
from tiktok_clone.common.dashboard import Chart, Figures, Line


@admin.register(Impression)
class ImpressionAdmin(ReadOnly, admin.ModelAdmin):
    """Who was shown what."""

    list_display = ("user", "video", "times", "seconds", "completed", "last_at")
    search_fields = ("=user__handle", "=video__id")
    search_help_text = "A handle, or the id of a video"
    list_select_related = ("user", "video")
    ordering = ("-last_at",)
    show_full_result_count = False


@admin.register(Export)
class ExportAdmin(ReadOnly, admin.ModelAdmin):
    """Copies of their data that people asked for; the files are theirs alone."""

    list_display = ("user", "created_at", "ready_at", "failed_at", "size_bytes")
    list_filter = (("failed_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("=user__handle",)
    list_select_related = ("user",)
    exclude = ("name",)
    ordering = ("-id",)
    show_full_result_count = False


@dashboard.shows("feeds.view_impression", order=30)
def view_figures(since: datetime) -> Figures:
    """How many clips people watched: each person and clip once, on the day of the last watch."""
    by_day = dashboard.per_day(
        Impression.objects.filter(WATCHED, last_at__gte=since),
        "last_at",
        views=Count("pk"),
        viewers=Count("user", distinct=True),
    )
    lines = [Line("Views", by_day["views"]), Line("Viewers", by_day["viewers"], in_total=False)]
    return Figures([Chart("views", "Views", lines)])
