"""A copy of all that one has here, by API."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from feeds import export, services
from feeds.api.serializers import ExportSerializer
from feeds.models import Export
from tiktok_clone.common import serving
from tiktok_clone.common.api import refuse_unknown_options
from tiktok_clone.common.errors import not_found
from tiktok_clone.common.storage import local_store
from videos.representation import iso


class ExportView(APIView):
    """`GET` and `POST /user/export`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="How the copy of your data stands",
        operation_id="user_export",
        responses=ExportSerializer,
    )
    def get(self, request: Request) -> Response:
        """None, under way, ready or failed."""
        refuse_unknown_options(request, set())
        return Response(represent_export(request, export.current(cast(User, request.user))))

    @extend_schema(
        summary="Have a copy of your data made",
        operation_id="user_export_create",
        request=None,
        responses={202: ExportSerializer},
    )
    def post(self, request: Request) -> Response:
        """One at a time; a new one replaces the one before."""
        made = services.request_export(cast(User, request.user))
        return Response(represent_export(request, made), status.HTTP_202_ACCEPTED)


class ZipRenderer(BaseRenderer):
    """Names the type of the file, so that it can be asked for."""

    media_type = "application/zip"
    format = "zip"
    charset = None
    render_style = "binary"

    def render(self, data: Any, *args: Any, **options: Any) -> Any:
        """Refusals are JSON all the same."""
        return JSONRenderer().render(data)


class ExportDownloadView(APIView):
    """`GET /user/export/download`."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, ZipRenderer]

    @extend_schema(
        summary="Download the copy of your data",
        operation_id="user_export_download",
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The ZIP, for its owner alone; 404 unless it is ready."""
        refuse_unknown_options(request, set())
        user = cast(User, request.user)
        made = export.current(user)
        if made is None or made.ready_at is None:
            raise not_found("export")
        response = _archive(made)
        name = f"{user.handle}-{made.ready_at:%Y-%m-%d}.zip"
        response.headers["Content-Disposition"] = content_disposition_header(True, name)
        response.headers["Cache-Control"] = "private, no-store"
        return response


def _archive(made: Export) -> HttpResponseBase:
    """The bytes, or who sends them."""
    try:
        size = local_store().size(made.name)
        if settings.MEDIA_ACCEL_PREFIX:
            return serving.handed_over(made.name, ZipRenderer.media_type)
        response = serving.streamed(local_store().path(made.name), ZipRenderer.media_type)
    except FileNotFoundError:
        raise not_found("export") from None
    response.headers["Content-Length"] = str(size)
    return response


def represent_export(request: Any, made: Export | None) -> dict[str, Any]:
    """Return an export as its owner sees it."""
    state = "none" if made is None else state_of(made)
    ready_at = made.ready_at if made else None
    url = request.build_absolute_uri(reverse("api-export-download"))
    return {
        "state": state,
        "requested_at": iso(made.created_at) if made else None,
        "ready_at": iso(ready_at),
        "expires_at": iso(ready_at + export.KEPT) if ready_at else None,
        "size_bytes": made.size_bytes if made else 0,
        "download_url": url if state == "ready" else None,
    }


def state_of(made: Export) -> str:
    """Return `running`, `ready` or `failed`."""
    if made.failed_at:
        return "failed"
    return "ready" if made.ready_at else "running"
