"""Tags, and what waits to be removed from the store; to read."""

from django.contrib import admin

from tiktok_clone.common.administration import ReadOnly
from videos.models import Hashtag, Tombstone


@admin.register(Hashtag)
class HashtagAdmin(ReadOnly, admin.ModelAdmin):
    """Tags and how often they are used."""

    list_display = ("name", "videos_count", "trend", "created_at")
    search_fields = ("^search_text",)
    ordering = ("-videos_count", "name")
    show_full_result_count = False


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnly, admin.ModelAdmin):
    """Objects of deleted videos that are not gone yet, and why."""

    list_display = ("name", "due_at", "attempts", "last_error", "created_at")
    list_filter = ("attempts",)
    search_fields = ("name",)
    ordering = ("due_at",)
    show_full_result_count = False
