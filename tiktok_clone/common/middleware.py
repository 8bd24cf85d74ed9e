"""What must hold for every request."""

import logging
from collections.abc import Callable

from django.db import OperationalError
from django.db.utils import InterfaceError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.problems import problem_response, wants_json

logger = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = 5


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
    """The database is away: say so and when to come back; the log says why."""
    logger.error("The database did not answer: %s", cause)
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
