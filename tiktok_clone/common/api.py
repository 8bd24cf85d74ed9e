"""What the APIs of all apps share: errors, pagination, and strict query options."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from tiktok_clone.common.errors import DomainError, invalid
from tiktok_clone.common.problems import CONTENT_TYPE, problem, problem_of

# What `CursorPages` reads, for the description of an endpoint.
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous`.")
LIMIT = OpenApiParameter("limit", int, description="1 to 50, 20 unless told.")
PAGING = [CURSOR, LIMIT]


class CursorPages(CursorPagination):
    """Pages by cursor; `limit` asks for 1 to 50 rows."""

    ordering: Any = "-id"
    page_size_query_param = "limit"
    max_page_size = 50

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """Cut a page; a cursor that no page returned is refused by name."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (exceptions.NotFound, ValidationError, ValueError, OverflowError) as error:
            message = "Pass what the previous page returned, or leave it out."
            raise invalid("cursor", "invalid_cursor", message) from error

    def get_page_size(self, request: Request) -> int:
        """Read `limit`; what is not a number from 1 to 50 is refused by name."""
        raw = request.query_params.get("limit")
        if raw is None:
            return self.page_size or 20
        is_number = raw.isascii() and raw.isdigit() and len(raw) <= 6
        if not is_number or not 1 <= int(raw) <= 50:
            raise DomainError(
                "invalid",
                "limit must be a whole number from 1 to 50.",
                fields={"limit": [("out_of_range", "Must be a whole number from 1 to 50.")]},
            )
        return int(raw)


class Input(serializers.Serializer[Any]):
    """Input that is held to its description.

    The stock fields take `0` for `false` and `7` for `"7"` in JSON, and measure a text only when
    what surrounds it is cut off. That would hide a client's mistake.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Check types and lengths as sent, then all the rest."""
        if isinstance(data, Mapping):
            is_form = isinstance(data, MultiValueDict)
            problems = {
                name: problem
                for name, field in self.fields.items()
                if name in data and (problem := _first_misfit(field, data[name], is_form))
            }
            if problems:
                raise exceptions.ValidationError(problems)
        return super().to_internal_value(data)


def _first_misfit(field: Any, value: Any, is_form: bool) -> list[exceptions.ErrorDetail]:
    """Say what is wrong with a value, or with the first one in a list that does not fit."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        found = (_misfit(field.child, one, is_form) for one in value)
        return next(filter(None, found), [])
    return _misfit(field, value, is_form)


def _misfit(field: Any, value: Any, is_form: bool) -> list[exceptions.ErrorDetail]:
    """Say what is wrong with a value as sent; forms have text alone."""
    longest = getattr(field, "max_length", None)
    if isinstance(field, serializers.CharField) and isinstance(value, str):
        if longest is not None and len(value) > longest:
            return [exceptions.ErrorDetail(f"At most {longest} characters.", "max_length")]
        return []
    if value is None or is_form:
        return []
    for kind, (types, wanted) in JSON_TYPES.items():
        if isinstance(field, kind):
            is_number = isinstance(value, types) and not isinstance(value, bool)
            fits = is_number or (bool in types and isinstance(value, bool))
            return [] if fits else [exceptions.ErrorDetail(f"Must be {wanted}.", "invalid_type")]
    return []


JSON_TYPES: dict[type, tuple[tuple[type, ...], str]] = {
    serializers.BooleanField: ((bool,), "true or false"),
    serializers.CharField: ((str,), "a string"),
    serializers.ChoiceField: ((str,), "a string"),
    serializers.IntegerField: ((int, float), "a number"),
    serializers.FloatField: ((int, float), "a number"),
}


def refuse_unknown_options(request: Request, known: set[str]) -> None:
    """Raise a 400 that names the query options that the endpoint does not have."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        message = f"Unknown option. Known here: {', '.join(sorted(known)) or 'none'}."
        raise DomainError(
            "unknown_option",
            f"Unknown: {', '.join(unknown)}. {message}",
            fields={name: [("unknown_option", message)] for name in unknown},
        )


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """The REST framework's exception handler: every error as problem details."""
    if isinstance(error, DomainError):
        response = Response(problem_of(error), status=error.status)
        if error.retry_after is not None:
            response["Retry-After"] = str(error.retry_after)
    else:
        handled = exception_handler(error, context)
        if handled is None:
            return None
        response = handled
        response.data = _body(error, response.status_code)
    response.content_type = CONTENT_TYPE
    return response


def _body(error: Exception, status: int) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        errors = _fields(error.get_full_details())
        first = next(iter(errors.items()))
        return problem(status, "invalid", f"{first[0]}: {first[1][0]['message']}", errors)
    if isinstance(error, Http404):
        return problem(404, "not_found", "There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return problem(403, "permission_denied", "You may not do this.")
    if isinstance(error, exceptions.APIException):
        codes = error.get_codes()
        code = codes if isinstance(codes, str) else error.default_code
        return problem(status, code, _sentence(error.detail))
    return problem(status, "error", "The request failed.")


def _sentence(detail: Any) -> str:
    if isinstance(detail, dict):
        return str(detail.get("detail", "The request failed."))
    return str(detail)


def _fields(details: Any, prefix: str = "") -> dict[str, list[dict[str, str]]]:
    """Flatten nested validation details to `{"views.0.video": [{code, message}]}`."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        return {
            prefix or "non_field_errors": [
                {"code": str(details["code"]), "message": str(details["message"])}
            ]
        }
    flat: dict[str, list[dict[str, str]]] = {}
    is_list = isinstance(details, list)
    for key, value in enumerate(details) if is_list else details.items():
        leaf = isinstance(value, dict) and set(value) == {"message", "code"}
        path = prefix if is_list and leaf else f"{prefix}.{key}".lstrip(".")
        for field, problems in _fields(value, path).items():
            flat.setdefault(field, []).extend(problems)
    return flat
