"""`Idempotency-Key` for views of the API."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import transaction
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from tiktok_clone.common.idempotency import attempt, fingerprint_of

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    description=(
        "Send the same key when you repeat a request: it is done once, and the first answer comes"
        f" again, with the header {REPLAYED}. Kept for 24 hours."
    ),
)
Handler = TypeVar("Handler", bound=Callable[..., Response])


def key_of(request: Request) -> str | None:
    """The key that the request carries; None for who is not signed in."""
    return request.headers.get(HEADER) if request.user.is_authenticated else None


def replay(answer: tuple[int, Any]) -> Response:
    """The stored answer again."""
    status, body = answer
    return Response(body, status, headers={REPLAYED: "true"})


def idempotent(first: Callable[[Request], None]) -> Callable[[Handler], Handler]:
    """Decorate a method of a view, so that a request with a key is done once.

    The method runs in one transaction with the answer. A refusal or a failure is not kept: nothing
    happened, so the same key may be tried again.

    Args:
        first: called with a request that is about to be done, outside of the transaction: what
            it writes stays, also when the request is refused.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            key = key_of(request)
            if key is None:
                return handler(view, request, *args, **kwargs)
            with attempt(cast(int, request.user.pk), key, _asked(request)) as held:
                if held.answer is not None:
                    return replay(held.answer)
                first(request)
                with transaction.atomic():
                    response = handler(view, request, *args, **kwargs)
                    held.finish(response.status_code, response.data)
                return response

        return cast(Handler, once)

    return decorate


def _asked(request: Request) -> str:
    data = request.data
    fields = dict(data.lists()) if isinstance(data, QueryDict) else data
    body = json.dumps(fields, sort_keys=True, default=str)
    return fingerprint_of(request.method, request.path, body)
