"""Problem details (RFC 9457): the one shape of an error in JSON."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse

from tiktok_clone.common.errors import DomainError

CONTENT_TYPE = "application/problem+json"
# Pages live beside the API at the root, so a path alone does not tell which one was meant.
API_PREFIXES = (
    "/user/",
    "/users",
    "/video",
    "/videos/",
    "/comments/",
    "/hashtags",
    "/schema",
    "/media/",
)


def problem(
    status: int, code: str, detail: str, errors: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Build the body: `{type, title, status, detail, code, errors?}`."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    return body


def problem_of(error: DomainError) -> dict[str, Any]:
    """Build the body for a rule that said no."""
    errors = {
        field: [{"code": code, "message": message} for code, message in problems]
        for field, problems in error.fields.items()
    }
    return problem(error.status, error.code, error.message, errors) | dict(error.facts)


def problem_response(error: DomainError) -> JsonResponse:
    """Answer outside of the REST framework's views."""
    response = JsonResponse(problem_of(error), status=error.status, content_type=CONTENT_TYPE)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def wants_json(request: HttpRequest) -> bool:
    """Whether an error for this request is read by a program."""
    return request.path.startswith(API_PREFIXES) or not request.accepts("text/html")
