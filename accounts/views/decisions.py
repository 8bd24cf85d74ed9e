"""What moderators decided about one, and appeals: signed in, or suspended with a signed link."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.forms import AppealForm
from accounts.models import Decision
from accounts.views.common import login_required, person_of, private, show_invalid, show_refused
from accounts.views.people import PAGE, pager
from tiktok_clone.common.errors import DomainError

FORM_METHODS = ["GET", "HEAD", "POST"]


@private
@require_safe
@login_required
def decisions(request: HttpRequest) -> HttpResponse:
    """All of them, the latest first. Context: `decisions`, and the pager's."""
    page = Paginator(services.decisions_about(person_of(request)), PAGE).get_page(
        request.GET.get("page")
    )
    context = {"decisions": list(page), **pager(request, page)}
    return render(request, "accounts/decisions.html", context)


@private
@login_required
@require_http_methods(FORM_METHODS)
def decision(request: HttpRequest, decision_id: int) -> HttpResponse:
    """One of them, with the form to appeal as long as one may."""
    found = services.find_own(person_of(request), decision_id)
    return _appealing(request, "accounts/decision.html", found)


@private
@require_http_methods(FORM_METHODS)
def suspension(request: HttpRequest, token: str) -> HttpResponse:
    """Why one's account is suspended, for who got the link by their password."""
    try:
        found = services.find_suspension(token)
    except DomainError as error:
        context = {"error": error, "sign_in": True}
        return render(request, "accounts/bad_link.html", context, status=error.status)
    response = _appealing(request, "accounts/suspension.html", found)
    # The address of this page is a secret: no other site may learn it from a link.
    response["Referrer-Policy"] = "same-origin"
    return response


def _appealing(request: HttpRequest, template: str, found: Decision) -> HttpResponse:
    form = AppealForm(request.POST or None)
    if request.method != "POST":
        return render(request, template, {"form": form, "decision": found})
    if not form.is_valid():
        return show_invalid(request, template, form, decision=found)
    try:
        services.appeal(found, form.cleaned_data["text"])
    except DomainError as error:
        return show_refused(request, template, form, error, decision=found)
    messages.success(request, "Your appeal is with the moderators. You are told of their answer.")
    return redirect(request.path)
