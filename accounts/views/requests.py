"""Who asks to follow one's private account."""

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import people, services
from accounts.models import User
from accounts.views.common import login_required, person_of, private
from accounts.views.people import PAGE, pager
from tiktok_clone.common.errors import DomainError


@private
@require_safe
@login_required
def requests(request: HttpRequest) -> HttpResponse:
    """The requests that wait for an answer."""
    rows = people.requests_to(person_of(request))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"requests": list(page), **pager(request, page)}
    return render(request, "accounts/requests.html", context)


@require_POST
@login_required
def accept(request: HttpRequest, request_id: int) -> HttpResponse:
    """Let somebody follow."""
    return _answer(request, request_id, services.accept_request)


@require_POST
@login_required
def decline(request: HttpRequest, request_id: int) -> HttpResponse:
    """Say no."""
    return _answer(request, request_id, services.decline_request)


def _answer(
    request: HttpRequest, request_id: int, act: Callable[[User, int], None]
) -> HttpResponse:
    try:
        act(person_of(request), request_id)
    except DomainError as error:
        if error.code != "not_found":
            raise
        messages.info(request, "That request was taken back.")
    return redirect("follow-requests")
