"""Posting a video, and processing it again."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import throttling
from accounts.api.throttles import UploadThrottle, is_short
from accounts.models import CommentsFrom, CommentsHeld, User
from tiktok_clone.common.errors import invalid, not_found
from tiktok_clone.common.idempotency import attempt, fingerprint_of
from tiktok_clone.common.idempotent import PARAMETER, key_of, replay
from videos.api.serializers import VideoSerializer
from videos.models import Video, Visibility
from videos.receiving import stream_uploads
from videos.representation import represent_videos
from videos.services import publishing, uploads


class NewVideoSerializer(serializers.Serializer[Any]):
    """The form of an upload; its rules stand in the service."""

    file = serializers.FileField(
        required=False, help_text="MP4, MOV, WebM, MKV, AVI, 3GP or MPEG-TS."
    )
    upload = serializers.UUIDField(
        required=False, help_text="In place of the file: an upload in pieces that is complete."
    )
    caption = serializers.CharField(required=False, allow_blank=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices, default=Visibility.PUBLIC)
    comments_from = serializers.ChoiceField(
        CommentsFrom.choices, required=False, help_text="Who may comment; else as the account says."
    )
    comments_held = serializers.ChoiceField(
        CommentsHeld.choices, required=False, help_text="Whose comments wait for approval."
    )


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
        parameters=[PARAMETER],
        request={"multipart/form-data": NewVideoSerializer},
        responses={201: VideoSerializer},
    )
    def post(self, request: Request) -> Response:
        """Check a file and take it in; the worker then makes it playable.

        Send the file, or the id of an upload in pieces (`POST /video/upload`). A refused file
        is a 400 (413 when too large) with a code and what to do.
        """
        key = key_of(request)
        if key is None:
            return Response(_create(request), status.HTTP_201_CREATED)
        with attempt(person(request).pk, key, _fingerprint(request)) as held:
            if held.answer is None:
                body = _create(request, lambda video: held.finish(201, {"id": video.pk}))
                held.finish(201, body)
                return Response(body, status.HTTP_201_CREATED)
            code, body = held.answer
            if set(body) == {"id"}:  # cut off before the whole answer was kept
                body = _represent_own(request, body["id"])
            return replay((code, body))


def _create(request: Request, on_stored: Callable[[Video], None] | None = None) -> dict[str, Any]:
    form = request.POST
    if "upload" in form:
        return represent(_post_upload(request), request)
    if is_short(request):
        throttling.check(UploadThrottle.scope, str(person(request).pk))
    video = publishing.create_video(
        person(request),
        request.FILES.get("file"),
        form.get("caption", ""),
        form.get("visibility", Visibility.PUBLIC),
        on_stored=on_stored,
        **_comment_rules(form),
    )
    return represent(video, request)


def _post_upload(request: Request) -> Video:
    form = request.POST
    try:
        key = UUID(form["upload"])
    except ValueError:
        raise invalid("upload", "invalid", "Send the id that `POST /video/upload` gave.") from None
    throttling.check("take_in_user", str(person(request).pk))
    said = form.get("caption"), form.get("visibility")
    return uploads.post_upload(person(request), key, *said, **_comment_rules(form))


def _comment_rules(form: QueryDict) -> dict[str, Any]:
    return {name: form.get(name) for name in publishing.COMMENT_RULES}


def _represent_own(request: Request, video_id: int) -> dict[str, Any]:
    video = Video.objects.editable_by(person(request)).filter(pk=video_id).first()
    if video is None:
        raise not_found("video")
    return represent(video, request)


def _fingerprint(request: Request) -> str:
    """Of the fields and of the bytes; the file's name does not matter."""
    upload: Any = request.FILES.get("file")
    digest = hashlib.file_digest(upload, "sha256").hexdigest() if upload else ""
    if upload:
        upload.seek(0)
    fields = json.dumps(dict(request.POST.lists()), sort_keys=True)
    return fingerprint_of(request.method, request.path, fields, digest)


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
