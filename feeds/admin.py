"""What was watched, in the administration; to read."""

from django.contrib import admin
from django.http import HttpRequest

from feeds.models import Impression


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
