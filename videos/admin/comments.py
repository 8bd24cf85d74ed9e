"""Comments in the administration: read and removed."""

from typing import cast

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.reasons import DeletedForReason, why_of
from accounts.models import User
from videos.admin import shown
from videos.models import Comment
from videos.services import moderation


@admin.register(Comment)
class CommentAdmin(DeletedForReason):
    """Removing one takes its replies with it, and counts."""

    list_display = (
        "id", "author", "excerpt", "video", "parent_id", "state", "likes_count", "created_at",
    )  # fmt: skip
    list_select_related = ("author", "video")
    list_filter = ("created_at", "state", ("parent", admin.EmptyFieldListFilter))
    search_fields = ("text", "=author__handle")
    search_help_text = "Part of the text, or a handle"
    date_hierarchy = "created_at"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    fields = (
        "author", "video", "parent", "text", "state", "likes_count", "replies_count", "created_at",
    )  # fmt: skip
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People comment on the site."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Comment | None = None) -> bool:
        """Nobody's words are changed."""
        return False

    def delete_model(self, request: HttpRequest, obj: Comment) -> None:
        """Delete with replies and counters."""
        moderation.remove_comment(obj.pk, cast(User, request.user), why_of(request))

    @admin.display(description="text")
    def excerpt(self, comment: Comment) -> str:
        """The beginning of the text."""
        return shown.excerpt(comment.text)
