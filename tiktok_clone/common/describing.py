"""What the API's description says of every endpoint alike: how it refuses."""

from typing import Any

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
