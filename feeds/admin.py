"""What was watched, in the administration; to read."""

from datetime import datetime

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest

from feeds.models import VIEW_SECONDS, Impression
from tiktok_clone.common import dashboard
from tiktok_clone.common.dashboard import Chart, Figures, Line


@admin.register(Impression)
class ImpressionAdmin(admin.ModelAdmin):
    """Who was shown what."""

    list_display = ("user", "video", "times", "seconds", "completed", "last_at")
    search_fields = ("user__handle", "=video__id")
    list_select_related = ("user", "video")
    ordering = ("-last_at",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They come from watching."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Impression | None = None) -> bool:
        """To read."""
        return False


@dashboard.shows("feeds.view_impression", order=30)
def view_figures(since: datetime) -> Figures:
    """How many clips people watched: each person and clip once, on the day of the last watch."""
    watched = Q(seconds__gte=VIEW_SECONDS) | Q(completed__gt=0)
    by_day = dashboard.per_day(
        Impression.objects.filter(watched, last_at__gte=since),
        "last_at",
        views=Count("pk"),
        viewers=Count("user", distinct=True),
    )
    lines = [Line("Views", by_day["views"]), Line("Viewers", by_day["viewers"], in_total=False)]
    return Figures([Chart("views", "Views", lines)])
