"""The administration as a whole: its name, and the dashboard as its first page."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse

from tiktok_clone.common import dashboard


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
