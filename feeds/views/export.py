"""The settings page of one's own data."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import User
from feeds import export, services
from feeds.api.export import state_of
from feeds.views.scrolling import fresh


@fresh
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_data(request: HttpRequest) -> HttpResponse:
    """How the copy stands (GET), and have one made (POST).

    Context: `made` (an Export or None), `state`, `expires_at`. htmx gets the state alone.
    """
    user = cast(User, request.user)
    if request.method == "POST":
        services.request_export(user)
        return redirect("settings-export")
    made = export.current(user)
    context = {
        "made": made,
        "state": state_of(made) if made else "none",
        "expires_at": made.ready_at + export.KEPT if made and made.ready_at else None,
    }
    by_htmx = bool(request.headers.get("HX-Request"))
    template = "feeds/_export.html" if by_htmx else "feeds/settings_export.html"
    return render(request, template, context)
