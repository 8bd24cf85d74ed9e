"""The product's routes, and the ceiling: an authenticated view with an answer in memory."""

from django.http import HttpResponse
from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api.authentication import BrowserSessionAuthentication, StatelessAuthentication
from tiktok_clone import urls

kept: dict[str, bytes] = {}


class Memory(APIView):
    """The bytes that were put here before: `PUT`, then `GET`."""

    authentication_classes = [StatelessAuthentication, BrowserSessionAuthentication]
    permission_classes = [IsAuthenticated]

    def put(self, request: Request) -> HttpResponse:
        """Keep the body."""
        kept["body"] = request._request.body
        return HttpResponse(status=204)

    def get(self, request: Request) -> HttpResponse:
        """Answer with it."""
        return HttpResponse(kept["body"], content_type="application/json")


urlpatterns = [path("bench/memory", Memory.as_view()), *urls.urlpatterns]
