"""Pages and JSON travel compressed, also where no proxy does it."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TEXT = ("text/", "application/json", "application/problem+json", "application/vnd.oai")


class TextGZipMiddleware(GZipMiddleware):
    """Compresses text alone: a clip would only lose its length and its ranges.

    Django adds random padding, so that the length tells nothing about a secret in the page.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress what is text and complete."""
        kind = response.headers.get("Content-Type", "")
        if not isinstance(response, HttpResponse) or not kind.startswith(TEXT):
            return response
        return super().process_response(request, response)
