"""What administrators and moderators do with videos, comments, reports and tags."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.storage import store
from videos.admin import figures  # noqa: F401
from videos.models import Comment, Hashtag, Rendition, Report, Video
from videos.services import comments, moderation, publishing

EXCERPT = 60


class ReadOnly:
    """Rows that come from elsewhere: to look at, not to type in."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor changes them."""
        return False


class RenditionInline(ReadOnly, admin.TabularInline):
    """The files of a video."""

    model = Rendition
    extra = 0
    can_delete = False
    fields = ("rung", "width", "height", "bitrate", "size_bytes", "name")
    readonly_fields = fields


@admin.register(Video)
class VideoAdmin(admin.ModelAdmin):
    """Videos: watch, hide, show, delete. Everything goes through the services."""

    list_display = (
        "id", "picture", "author", "excerpt", "status", "visibility", "is_hidden",
        "likes_count", "comments_count", "views_count", "open_reports", "created_at",
    )  # fmt: skip
    list_filter = ("status", "visibility", ("hidden_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("author",)
    list_per_page = 50
    search_fields = ("caption", "author__handle", "=id")
    search_help_text = "Words of the caption, a handle, or an id"
    date_hierarchy = "created_at"
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (RenditionInline,)
    actions = ("hide", "show")
    fields = (
        "player", "author", "caption", "visibility", "status", "progress", "reason_code",
        "reason", "attempt", "size_bytes", "width", "height", "duration", "likes_count",
        "comments_count", "saves_count", "shares_count", "views_count", "watch_seconds", "slot",
        "created_at", "published_at", "hidden_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        """Count open reports in the same query."""
        is_open = Q(reports__resolved_at=None, reports__isnull=False)
        videos: QuerySet[Video] = super().get_queryset(request)
        return videos.annotate(reported=Count("reports", filter=is_open))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Videos come through the upload."""
        return False

    def delete_model(self, request: HttpRequest, obj: Video) -> None:
        """Delete with files and counters."""
        publishing.delete_video(obj.author, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Delete several with files and counters."""
        for video in queryset.select_related("author"):
            publishing.delete_video(video.author, video.pk)

    @admin.action(description="Hide from everybody but the author", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Hide videos and close their reports."""
        hidden = [video for video in queryset if moderation.hide_video(video.pk)]
        messages.success(request, f"{len(hidden)} videos are hidden.")

    @admin.action(description="Show again", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Show what was hidden."""
        shown = [video for video in queryset if moderation.show_video(video.pk)]
        messages.success(request, f"{len(shown)} videos are shown again.")

    @admin.display(description="")
    def picture(self, video: Video) -> SafeString | str:
        """The poster, small."""
        if not video.poster:
            return "–"
        url = store().url(video.poster, public=False)
        return format_html('<img src="{}" alt="" height="64" loading="lazy">', url)

    @admin.display(description="player")
    def player(self, video: Video) -> SafeString | str:
        """The smallest rendition, playable."""
        smallest = video.renditions.order_by("rung").first()
        if smallest is None:
            return "nothing to play yet"
        url = store().url(smallest.name, public=False)
        return format_html('<video src="{}" height="320" controls preload="metadata"></video>', url)

    @admin.display(description="caption")
    def excerpt(self, video: Video) -> str:
        """The beginning of the caption."""
        return _excerpt(video.caption)

    @admin.display(boolean=True, description="hidden")
    def is_hidden(self, video: Video) -> bool:
        """Hidden by a moderator."""
        return video.hidden_at is not None

    @admin.display(ordering="reported", description="open reports")
    def open_reports(self, video: Video) -> int:
        """How many reports wait."""
        count: int = video.reported  # type: ignore[attr-defined]
        return count


@admin.register(Comment)
class CommentAdmin(ReadOnly, admin.ModelAdmin):
    """Comments: read and delete."""

    list_display = ("id", "author", "excerpt", "video", "parent_id", "likes_count", "created_at")
    list_select_related = ("author", "video")
    list_filter = ("created_at",)
    search_fields = ("text", "author__handle")
    ordering = ("-id",)
    show_full_result_count = False

    def delete_model(self, request: HttpRequest, obj: Comment) -> None:
        """Delete with replies and counters."""
        comments.delete_comment(obj.author, obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        """Delete several with replies and counters."""
        for comment in queryset.select_related("author"):
            try:
                comments.delete_comment(comment.author, comment.pk)
            except DomainError as error:
                if error.status != 404:  # gone with its thread a moment ago
                    raise

    @admin.display(description="text")
    def excerpt(self, comment: Comment) -> str:
        """The beginning of the text."""
        return _excerpt(comment.text)


@admin.register(Report)
class ReportAdmin(ReadOnly, admin.ModelAdmin):
    """Reports: look, then hide the video or close the report."""

    list_display = ("id", "reason", "text", "video", "reporter", "created_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "reason", "created_at")
    list_select_related = ("video", "user")
    search_fields = ("text", "user__handle", "video__author__handle")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("resolve",)

    @admin.action(description="Close without hiding the video", permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        """Close reports."""
        closed = queryset.filter(resolved_at=None).update(resolved_at=timezone.now())
        messages.success(request, f"{closed} reports are closed.")

    @admin.display(ordering="user__handle")
    def reporter(self, report: Report) -> User:
        """Who reported it."""
        return report.user


@admin.register(Hashtag)
class HashtagAdmin(ReadOnly, admin.ModelAdmin):
    """Tags and how often they are used."""

    list_display = ("name", "videos_count", "created_at")
    search_fields = ("name",)
    ordering = ("-videos_count", "name")
    show_full_result_count = False


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1]}…"
