"""Where people are signed in, in the administration."""

from typing import cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import services
from accounts.models import Session, User
from tiktok_clone.common.administration import ReadOnly


@admin.register(Session)
class SessionAdmin(ReadOnly, admin.ModelAdmin):
    """To read, and to end."""

    list_display = ("user", "kind", "user_agent", "created_at", "last_used_at", "ended_reason")
    list_filter = ("kind", ("ended_at", admin.EmptyFieldListFilter), "ended_reason")
    search_fields = ("=user__handle", "=user__email")
    search_help_text = "A handle or an address"
    list_select_related = ("user",)
    exclude = ("session_key", "token_id")
    ordering = ("-last_used_at",)
    show_full_result_count = False
    actions = ("end",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Without the keys."""
        return super().get_queryset(request).defer("session_key", "token_id")

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Looking at sessions is one thing, ending them another."""
        return request.user.has_perm("accounts.change_session")

    @admin.action(description="End", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """Sign people out there, but not those whose account is not to be changed."""
        by = cast(User, request.user)
        live = list(queryset.filter(ended_at=None).select_related("user"))
        allowed = [session for session in live if services.may_change(by, session.user)]
        for session in allowed:
            services.end_session_of(session, by)
            self.log_change(request, session, "Ended.")
        if len(allowed) < len(live):
            messages.error(request, "Those of staff were left out.")
        messages.success(request, f"{len(allowed)} sessions ended.")
