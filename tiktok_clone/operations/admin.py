"""The stores in the administration: what is there, for whom, what is wrong, what was erased."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from tiktok_clone.common import dashboard
from tiktok_clone.common.administration import Act, ActsAdmin, ReadOnly
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import CLOUDINARY, naming
from tiktok_clone.operations import figures, orphans
from tiktok_clone.operations.models import STORES, Erasure, Orphan, Sweep


class StoreFilter(admin.SimpleListFilter):
    """Which store has it: the name says so."""

    title = "store"
    parameter_name = "store"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All stores."""
        return list(STORES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those in one of them."""
        hosted = naming.named(CLOUDINARY, "")
        if self.value() is None:
            return queryset
        if self.value() == CLOUDINARY:
            return queryset.filter(name__startswith=hosted)
        return queryset.exclude(name__startswith=hosted)


class StateFilter(admin.SimpleListFilter):
    """What was decided about an orphan."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The three states."""
        return [("fresh", "noticed"), ("quarantined", "in quarantine"), ("kept", "kept for good")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Orphan]) -> QuerySet[Orphan]:
        """Those in one state."""
        states = {
            "fresh": Q(kept_at=None, quarantined_at=None),
            "quarantined": Q(kept_at=None, quarantined_at__isnull=False),
            "kept": Q(kept_at__isnull=False),
        }
        return queryset.filter(states.get(self.value() or "", Q()))


class Sized:
    """Shows `size_bytes` as people write it."""

    @admin.display(ordering="size_bytes", description="size")
    def size(self, row: Any) -> str:
        """With a unit."""
        return filesizeformat(row.size_bytes)


@admin.register(StoredObject)
class StoredObjectAdmin(Sized, ReadOnly, admin.ModelAdmin):
    """The books: a row for each object in a store. Above the list, the way to the figures."""

    change_list_template = "admin/operations/objects.html"
    list_display = ("name", "size", "owner_id", "kept_at", "missing_since")
    list_filter = (
        StoreFilter,
        ("missing_since", admin.EmptyFieldListFilter),
        ("kept_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("^name", "=owner_id")
    search_help_text = "The beginning of a name, or the id of an account"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        """The page with the figures."""
        view = self.admin_site.admin_view(self.storage_view)
        return [path("storage/", view, name="operations_storage"), *super().get_urls()]

    def storage_view(self, request: HttpRequest) -> HttpResponse:
        """What is stored, for whom, how it grew, and what is wrong."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **figures.storage(dashboard.read_period(request.GET.get("days"))),
            "title": "Storage",
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/operations/storage.html", context)


@admin.register(Orphan)
class OrphanAdmin(Sized, ActsAdmin):
    """Objects of nobody: kept or removed at once, or left to their quarantine."""

    list_display = (
        "name", "size", "since", "first_seen", "last_seen", "passes", "quarantined_at", "kept_at",
    )  # fmt: skip
    list_filter = (StateFilter, StoreFilter)
    search_fields = ("^name",)
    ordering = ("-first_seen", "-id")
    list_per_page = 100
    show_full_result_count = False
    fields = readonly_fields = (*list_display, "last_sweep")
    actions = ("keep", "remove")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The sweep finds them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Removing the object is what is meant, not forgetting it."""
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Nothing is typed in here, so there is nothing to save."""
        context |= {"show_save": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **options)

    def acts_for(self, obj: Orphan) -> list[Act]:
        """Keep, remove."""
        may = "operations.change_orphan"
        remove = Act("remove", "Remove now", may, _remove, is_dangerous=True)
        return [remove] if obj.kept_at else [Act("keep", "Keep for good", may, _keep), remove]

    @admin.action(description="Keep for good", permissions=["change"])
    def keep(self, request: HttpRequest, queryset: QuerySet[Orphan]) -> None:
        """Have objects stay."""
        self._log(request, queryset, "Kept.")
        messages.success(request, f"{orphans.keep(queryset)} objects stay.")

    @admin.action(description="Remove now", permissions=["change"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Orphan]) -> None:
        """Have objects removed without waiting for the end of their quarantine."""
        self._log(request, queryset, "Removed.")
        messages.success(request, f"{orphans.remove(queryset)} objects are removed in a moment.")

    def _log(self, request: HttpRequest, queryset: QuerySet[Orphan], what: str) -> None:
        for orphan in queryset:
            self.log_change(request, orphan, what)


def _keep(request: HttpRequest, orphan: Orphan) -> str:
    orphans.keep(Orphan.objects.filter(pk=orphan.pk))
    return "Kept."


def _remove(request: HttpRequest, orphan: Orphan) -> str:
    orphans.remove(Orphan.objects.filter(pk=orphan.pk))
    return "It is removed in a moment."


@admin.register(Sweep)
class SweepAdmin(ReadOnly, admin.ModelAdmin):
    """Comparisons of the stores with the books."""

    list_display = (
        "id", "store", "created_at", "ended_at", "listed", "orphans", "quarantined", "removed",
        "missing", "lost", "regained", "held_back", "last_error",
    )  # fmt: skip
    list_filter = ("store", "held_back", ("ended_at", admin.EmptyFieldListFilter))
    exclude = ("cursor",)
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False


@admin.register(Erasure)
class ErasureAdmin(Sized, ReadOnly, admin.ModelAdmin):
    """That nothing of a deleted account is left in the stores."""

    list_display = (
        "person_id", "requested_at", "objects_count", "size", "verified_at", "last_error",
    )  # fmt: skip
    list_filter = (("verified_at", admin.EmptyFieldListFilter),)
    search_fields = ("=person_id",)
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
