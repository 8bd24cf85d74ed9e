"""All routes, and one whose view does nothing but look who asks."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiktok_clone.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class Constant(APIView):
    """Answers the same to whoever is signed in."""

    def get(self, request: Request) -> Response:
        """A constant."""
        return Response({"unread": 0})


urlpatterns = [path("constant", Constant.as_view()), *urlpatterns]
