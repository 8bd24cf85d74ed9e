"""People in the administration."""

from datetime import datetime

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.models import Session, User
from tiktok_clone.common import dashboard
from tiktok_clone.common.dashboard import Chart, Figures, Line


@admin.register(User)
class PersonAdmin(UserAdmin):
    """Search and filter people; suspend by taking `active` away."""

    list_display = (
        "handle",
        "email",
        "name",
        "is_active",
        "is_private",
        "is_staff",
        "followers_count",
        "videos_count",
        "created_at",
    )
    list_filter = ("is_active", "is_staff", "is_private", "created_at")
    search_fields = ("handle", "email", "name")
    ordering = ("-id",)
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = (
        "avatar",
        "followers_count",
        "following_count",
        "videos_count",
        "likes_count",
        "email_verified_at",
        "deleted_at",
        "last_login",
        "created_at",
    )
    fieldsets = (
        (None, {"fields": ("email", "handle", "password")}),
        ("Profile", {"fields": ("name", "bio", "avatar", "is_private", "findable_by_email")}),
        (
            "Counts",
            {"fields": ("followers_count", "following_count", "videos_count", "likes_count")},
        ),
        (
            "Rights",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Times", {"fields": ("created_at", "last_login", "email_verified_at", "deleted_at")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("email", "handle", "name", "usable_password", "password1", "password2")},
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts are suspended here; deleting one must correct the counts of others."""
        return False


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):
    """Where people are signed in; to read."""

    list_display = ("user", "kind", "user_agent", "created_at", "last_used_at", "ended_reason")
    list_filter = ("kind", "ended_reason")
    search_fields = ("user__handle", "user__email")
    list_select_related = ("user",)
    raw_id_fields = ("user",)
    exclude = ("session_key", "token_id")
    ordering = ("-last_used_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Sessions begin by signing in."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """To read."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Without the keys."""
        return super().get_queryset(request).defer("session_key", "token_id")


@dashboard.shows("accounts.view_user", order=10)
def sign_up_figures(since: datetime) -> Figures:
    """How many accounts were made."""
    by_day = dashboard.per_day(
        User.objects.filter(created_at__gte=since), "created_at", total=Count("pk")
    )
    return Figures([Chart("sign-ups", "Sign-ups", [Line("Accounts", by_day["total"])])])
