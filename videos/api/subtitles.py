"""Subtitles of a video, one language at a time."""

from typing import Any

from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from videos.api.serializers import VideoSerializer
from videos.api.uploads import person, represent
from videos.receiving import SubtitlesHandler, stream_uploads
from videos.services import subtitles


class SubtitlesFileSerializer(serializers.Serializer[Any]):
    """The form; its rules stand in the service."""

    file = serializers.FileField(help_text="WebVTT or SubRip, in UTF-8.")
    label = serializers.CharField(  # type: ignore[assignment]
        required=False, allow_blank=True, help_text="The language's own name, unless given."
    )


class SubtitlesView(APIView):
    """`PUT|DELETE /videos/:id/subtitles/:language`."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Choose where the file goes before anything reads the form."""
        stream_uploads(request, SubtitlesHandler)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        summary="Give a video subtitles",
        operation_id="videos_subtitles_update",
        request={"multipart/form-data": SubtitlesFileSerializer},
        responses=VideoSerializer,
    )
    def put(self, request: Request, video_id: int, language: str) -> Response:
        """Set the subtitles in a language (a tag such as `en` or `pt-BR`), also in place of others.

        A file that cannot be used is a 400 (413 when too large) with a code and what to do.
        """
        row = subtitles.set_subtitles(
            person(request),
            video_id,
            language,
            request.FILES.get("file"),
            str(request.POST.get("label", "")),
        )
        return Response(represent(row.video, request))

    @extend_schema(
        summary="Remove subtitles",
        operation_id="videos_subtitles_destroy",
        responses={204: None},
    )
    def delete(self, request: Request, video_id: int, language: str) -> Response:
        """Remove the subtitles in a language."""
        subtitles.remove_subtitles(person(request), video_id, language)
        return Response(status=status.HTTP_204_NO_CONTENT)
