"""Posting a video, and processing it again."""

from typing import Any

from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.throttles import UploadThrottle
from accounts.models import User
from videos.api.serializers import VideoSerializer
from videos.models import Video, Visibility
from videos.receiving import stream_uploads
from videos.representation import represent_videos
from videos.services import publishing


class NewVideoSerializer(serializers.Serializer[Any]):
    """The form of an upload; its rules stand in the service."""

    file = serializers.FileField(help_text="MP4, MOV, WebM, MKV, AVI, 3GP or MPEG-TS.")
    caption = serializers.CharField(required=False, allow_blank=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices, default=Visibility.PUBLIC)


class UploadView(APIView):
    """`POST /video`."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [UploadThrottle]
    parser_classes = [MultiPartParser, FormParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Choose where the file goes before anything reads the form."""
        stream_uploads(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        summary="Post a video",
        operation_id="video_create",
        request={"multipart/form-data": NewVideoSerializer},
        responses={201: VideoSerializer},
    )
    def post(self, request: Request) -> Response:
        """Check a file and take it in; the worker then makes it playable.

        A refused file is a 400 (413 when too large) with a code and what to do.
        """
        form = request.POST
        video = publishing.create_video(
            person(request),
            request.FILES.get("file"),
            form.get("caption", ""),
            form.get("visibility", Visibility.PUBLIC),
        )
        return Response(represent(video, request), status.HTTP_201_CREATED)


class RetryView(APIView):
    """`POST /videos/:id/retry`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="Process a video again",
        operation_id="videos_retry_create",
        request=None,
        responses=VideoSerializer,
    )
    def post(self, request: Request, video_id: int) -> Response:
        """Try again after processing failed."""
        return Response(represent(publishing.retry_processing(person(request), video_id), request))


def person(request: Request) -> User:
    """Who is signed in."""
    assert isinstance(request.user, User)  # noqa: S101 - the permission saw to it
    return request.user


def represent(video: Video, request: Request) -> dict[str, Any]:
    """The video as its author sees it."""
    row = Video.objects.for_cards().get(pk=video.pk)
    return represent_videos([row], request.user.pk)[0]
