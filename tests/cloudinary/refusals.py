"""How Cloudinary refuses: a status and a sentence."""

import json
from collections.abc import Mapping, Sequence

from werkzeug import Response


class RefusalError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The error as JSON; deliveries have only the header."""
        body = json.dumps({"error": {"message": self.message}})
        response = Response(body, self.status, self.headers, mimetype="application/json")
        response.headers["X-Cld-Error"] = self.message.replace("\n", " ")
        return response


def missing(name: str) -> RefusalError:
    """A parameter that must be there is not."""
    return RefusalError(400, f"Missing required parameter - {name}")


def invalid(name: str, value: object) -> RefusalError:
    """A parameter has a value that it cannot have."""
    return RefusalError(400, f"Invalid value {value} for parameter {name}")


def too_many(public_ids: Sequence[str]) -> RefusalError:
    """More assets are named than one request may name."""
    return RefusalError(400, f"Too many public_ids: {len(public_ids)}, at most 100 are allowed")


def not_found(public_id: str) -> RefusalError:
    """No asset has this name."""
    return RefusalError(404, f"Resource not found - {public_id}")
