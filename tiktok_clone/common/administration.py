"""The administration as a whole: its name, its first page, and habits that its pages share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from tiktok_clone.common import dashboard
from tiktok_clone.common.errors import DomainError


class Administration(AdminSite):
    """Django's administration with figures on its first page."""

    site_header = settings.SITE_NAME
    site_title = f"{settings.SITE_NAME} administration"
    index_title = "Dashboard"
    index_template = "admin/dashboard.html"

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the figures that the person may see, above the list of models."""
        days = dashboard.read_period(request.GET.get("days"))
        board = dashboard.board(request.user.has_perm, days)
        return super().index(request, {"board": board, **(extra_context or {})})


class ReadOnly:
    """Rows that come from elsewhere: to look at, not to type in."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor deletes them."""
        return False


class DeletedByService:
    """Says what will be deleted without reading everything that hangs on it, which may be much."""

    def get_deleted_objects(
        self, objs: Iterable[Model], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Name the rows themselves; what depends on them is the service's business."""
        rows = list(objs)
        named = str(rows[0]._meta.verbose_name_plural) if rows else ""
        return [str(row) for row in rows], {named: len(rows)}, set(), []


@dataclass(frozen=True)
class Act:
    """A button on the page of one row. `run` does it and returns what was done, for the log.

    With a `form`, its fields are asked for first; `run` reads them from the request.
    """

    name: str
    label: str
    permission: str
    run: Callable[[HttpRequest, Any], str]
    is_dangerous: bool = False
    form: type[Form] | None = None


@dataclass(frozen=True)
class Link:
    """A way from the page of one row to another page."""

    label: str
    url: str


class ActsAdmin(ModelAdmin):
    """Pages of rows with buttons that do one thing each, through the services."""

    change_form_template = "admin/acts_form.html"

    def acts_for(self, obj: Any) -> Sequence[Act]:
        """Return the buttons that make sense for a row."""
        return []

    def links_for(self, obj: Any) -> Sequence[Link]:
        """Return where to go on from a row."""
        return []

    def get_urls(self) -> list[URLPattern]:
        """The address to which the buttons are sent."""
        act = self.admin_site.admin_view(require_POST(self.act_view))
        route = path("<path:object_id>/act/<slug:name>/", act, name=f"{self._route}_act")
        return [route, *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Do what a button says, and go back to the row, or to the list when it is gone."""
        obj = self.get_object(request, object_id)
        act = next((act for act in self.acts_for(obj) if act.name == name), None) if obj else None
        if act is None:
            raise Http404
        if not self._may(request, act, obj):
            raise PermissionDenied
        try:
            done = act.run(request, obj)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            self.log_change(request, obj, done)
            messages.success(request, done)
        if self.get_object(request, object_id) is None:
            return HttpResponseRedirect(reverse(f"admin:{self._route}_changelist"))
        return HttpResponseRedirect(reverse(f"admin:{self._route}_change", args=[object_id]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Offer the buttons that the person may press."""
        obj = options.get("obj")
        if obj is not None:
            route = f"admin:{self._route}_act"
            context["acts"] = [
                (act, reverse(route, args=[obj.pk, act.name]))
                for act in self.acts_for(obj)
                if self._may(request, act, obj)
            ]
            context["links"] = self.links_for(obj)
        return super().render_change_form(request, context, *args, **options)

    def _may(self, request: HttpRequest, act: Act, obj: Any) -> bool:
        """Who may not change a row presses no button on it."""
        return request.user.has_perm(act.permission) and self.has_change_permission(request, obj)

    @property
    def _route(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"
