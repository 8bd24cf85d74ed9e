"""The API's description: served from memory, and how every endpoint refuses."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "For people."},
        "code": {"type": "string", "description": "Stable, for programs."},
        "errors": {
            "type": "object",
            "description": "What is wrong, by field.",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
                    "required": ["code", "message"],
                },
            },
        },
    },
    "required": ["type", "title", "status", "detail", "code"],
}
RETRY_AFTER = {
    "description": "Seconds after which to try again, where that makes sense (409, 429, 503).",
    "schema": {"type": "integer", "minimum": 0},
}
REFUSALS = {"4XX": "Refused; `code` says why.", "5XX": "Our fault, or away for a moment."}


class DescriptionView(SpectacularAPIView):
    """GET /schema, as YAML or JSON."""

    permission_classes = []

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Send what was written once."""
        renderer = request.accepted_renderer
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        return HttpResponse(
            written(renderer.format),
            content_type=f"{renderer.media_type}{charset}",
            headers={"Content-Disposition": f'inline; filename="schema.{renderer.format}"'},
        )


@cache
def written(name: str) -> bytes:
    """Return the description, `yaml` or `json`; the same for everybody, once in a process's life.

    It takes a fifth of a second, and depends on nothing but the program and its settings.
    """
    with translation.override(settings.LANGUAGE_CODE):
        description = SchemaGenerator().get_schema(request=None, public=True)
    renderer = OpenApiYamlRenderer() if name == "yaml" else OpenApiJsonRenderer()
    return bytes(renderer.render(description, renderer_context={}))


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give every operation the one shape of an error; a hook of drf-spectacular."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, meaning in REFUSALS.items():
                operation["responses"].setdefault(status, _refusal(meaning))
    return result


def _refusal(meaning: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": meaning,
        "headers": {"Retry-After": RETRY_AFTER},
        "content": {"application/problem+json": {"schema": schema}},
    }
