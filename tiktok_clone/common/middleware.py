"""What must hold for every request."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError
from django.db.utils import InterfaceError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from psycopg.errors import DiskFull

from tiktok_clone.common import logs
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.problems import problem_response, wants_json

logger = logging.getLogger(__name__)
access = logging.getLogger("access")
RETRY_AFTER_SECONDS = 5
FULL_RETRY_AFTER_SECONDS = 300


class RequestLogMiddleware:
    """Gives each request an id, and one line in the log: method, route, status, milliseconds.

    The line has the name of the route and not the path, in which tokens and addresses stand.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        with logs.belonging_to(logs.sane_id(request.headers.get("X-Request-ID", ""))):
            response = self.get_response(request)
            response["X-Request-ID"] = logs.current_id()
            milliseconds = round((time.monotonic() - began) * 1000)
            facts = {
                "method": request.method,
                "route": _route(request),
                "status": response.status_code,
                "ms": milliseconds,
            }
            access.info("%(method)s %(route)s %(status)s %(ms)sms", facts, extra=facts)
            # Django would log each 5xx once more, with the path and without the id.
            response._has_been_logged = True  # type: ignore[attr-defined]
        return response


def _route(request: HttpRequest) -> str:
    if request.resolver_match is not None:
        return request.resolver_match.view_name or "unnamed"
    return "static" if request.path.startswith(settings.STATIC_URL) else "none"


class ServiceUnavailableMiddleware:
    """Answers 503 with Retry-After while the database is away, and translates rules for pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError) as error:
            return unavailable(request, error)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Turn what a view raised into an answer; None leaves it to Django."""
        if isinstance(error, OperationalError | InterfaceError):
            return unavailable(request, error)
        if isinstance(error, DomainError):
            return domain_error_response(request, error)
        return None


def unavailable(request: HttpRequest, cause: Exception) -> HttpResponse:
    """The database is away or full: say so and when to come back; the log says why."""
    logger.error("The database did not answer: %s", cause)
    if isinstance(cause.__cause__, DiskFull):
        error = DomainError(
            "out_of_space",
            "There is no room left to save this. Try again later.",
            status=503,
            retry_after=FULL_RETRY_AFTER_SECONDS,
        )
    else:
        error = DomainError(
            "unavailable",
            "The service is restarting. Try again in a few seconds.",
            status=503,
            retry_after=RETRY_AFTER_SECONDS,
        )
    return domain_error_response(request, error)


def domain_error_response(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A rule said no: JSON for programs, the designed page for people."""
    if wants_json(request):
        return problem_response(error)
    template = f"{error.status}.html" if error.status in (403, 404, 429, 503) else "400.html"
    # Rendered without context processors, which would ask the database again.
    request_free = None if error.status == 503 else request
    response = render(request_free, template, {"error": error}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response
