"""Views of no app: health, readiness, and the error pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from tiktok_clone.common import readiness
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.problems import problem_response, wants_json

View = Callable[..., HttpResponseBase]


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; it asks nothing of anybody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether requests can be served: database, migrations and media store. Redis is optional."""
    checks = readiness.look()
    ready = all(checks[name] == "ok" for name in readiness.NEEDED)
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def page_or_api(page: View, api: View) -> View:
    """Return a view for an address that a page and the API share.

    Browsers say that they want `text/html`; who does not gets the API, and so does who asks with
    a token. The view is described as the API's.
    """

    @wraps(api)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        by_browser = "text/html" in request.headers.get("Accept", "")
        is_page = by_browser and "Authorization" not in request.headers
        response = (page if is_page else api)(request, *args, **kwargs)
        patch_vary_headers(response, ["Accept", "Authorization"])
        return response

    return view


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's protection cookie is missing or stale."""
    if wants_json(request):
        return problem_response(
            DomainError("csrf_failed", "Reload the page and try again.", status=403)
        )
    return render(request, "403_csrf.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such route or object."""
    if wants_json(request):
        return problem_response(
            DomainError("not_found", "There is nothing at this address.", status=404)
        )
    return render(request, "404.html", status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The request cannot be understood."""
    if wants_json(request):
        return problem_response(
            DomainError("bad_request", "The request cannot be understood.", status=400)
        )
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Not allowed."""
    if wants_json(request):
        return problem_response(
            DomainError("permission_denied", "You may not do this.", status=403)
        )
    return render(request, "403.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Our fault; rendered without the database, which may be the reason."""
    if wants_json(request):
        return problem_response(
            DomainError("server_error", "Something went wrong on our side. Try again.", status=500)
        )
    return render(None, "500.html", status=500)


def is_on_this_site(request: HttpRequest, address: str) -> bool:
    """Whether an address that a request names is a path or an address of this site.

    A word without a slash is none: Django would take it for the name of a route.
    """
    return "/" in address and url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
