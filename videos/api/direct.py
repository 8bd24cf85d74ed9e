"""Uploads in pieces, which go on after a broken connection: reserve, send, ask, post.

Both stores take the same: forms with the signed `fields` and the `file`, with Content-Range and
X-Unique-Upload-Id. The first piece is sent before the others and the last one after them.
"""

from functools import partial
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiktok_clone.common.api import Input
from tiktok_clone.common.idempotency import attempt, fingerprint_of
from tiktok_clone.common.idempotent import PARAMETER, key_of, replay
from videos.api.uploads import person
from videos.media.refusals import refused
from videos.models import Upload, Visibility
from videos.receiving import PieceHandler, stream_uploads
from videos.services import uploads

CHECKSUM = "X-Piece-Checksum"
HEADERS = [
    OpenApiParameter("Content-Range", str, "header", required=True, description="bytes 0-9/100"),
    OpenApiParameter(CHECKSUM, str, "header", description="SHA-256 of the piece, hexadecimal."),
]


class NewUploadSerializer(Input):
    """What is announced of a file."""

    size = serializers.IntegerField(min_value=0, help_text="Bytes of the file.")
    etag = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=32,
        help_text="MD5 of the file, hexadecimal, if it is known already.",
    )
    caption = serializers.CharField(required=False, default="", allow_blank=True)
    visibility = serializers.ChoiceField(Visibility.choices, default=Visibility.PRIVATE)


class EtagSerializer(Input):
    """What is known of a file once it has been read."""

    etag = serializers.CharField(max_length=32, help_text="MD5 of the file, hexadecimal.")


class UploadSerializer(serializers.Serializer[Any]):
    """Where the pieces go, and which are there."""

    id = serializers.UUIDField()
    video = serializers.IntegerField(help_text="Id of the clip to be.")
    url = serializers.CharField(help_text="Where each piece is posted.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="Go with each piece."
    )
    size_bytes = serializers.IntegerField()
    chunk_bytes = serializers.IntegerField(help_text="Of each piece but the last.")
    received = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="Numbers of pieces, from 0."
    )
    checksum = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField()


class PieceSerializer(serializers.Serializer[Any]):
    """The form of a piece."""

    file = serializers.FileField()


class ProgressSerializer(serializers.Serializer[Any]):
    """Whether the file is complete."""

    done = serializers.BooleanField()


class DirectUploads(APIView):
    """`POST /video/upload`."""

    permission_classes = [IsAuthenticated]
    parser_classes = [JSONParser, FormParser]

    @extend_schema(
        summary="Begin an upload in pieces",
        operation_id="video_upload_create",
        parameters=[PARAMETER],
        request=NewUploadSerializer,
        responses={201: UploadSerializer},
    )
    def post(self, request: Request) -> Response:
        """Reserve a clip; what is too large or over the quota is refused before it is sent.

        With the key of an earlier request, the upload that it began: as it is now.
        """
        form = NewUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        begin = partial(uploads.reserve_upload, person(request), **form.validated_data)
        key = key_of(request)
        if key is None:
            return Response(_describe(request, begin()), status.HTTP_201_CREATED)
        asked = fingerprint_of(request.method, request.path, sorted(form.validated_data.items()))
        with attempt(person(request).pk, key, asked) as held:
            if held.answer is None:
                upload = begin(on_reserved=lambda u: held.finish(201, {"id": str(u.video.uuid)}))
                return Response(_describe(request, upload), status.HTTP_201_CREATED)
            code, body = held.answer
            begun = uploads.find_upload(person(request), UUID(body["id"]))
            return replay((code, _describe(request, begun)))


class DirectUpload(APIView):
    """`GET, PATCH, DELETE /video/upload/:id`."""

    permission_classes = [IsAuthenticated]
    parser_classes = [JSONParser, FormParser]

    @extend_schema(
        summary="How an upload goes",
        operation_id="video_upload_retrieve",
        responses=UploadSerializer,
    )
    def get(self, request: Request, upload_id: UUID) -> Response:
        """Say what is there, with freshly signed fields; 404 once it is posted, or expired."""
        return Response(_describe(request, uploads.find_upload(person(request), upload_id)))

    @extend_schema(
        summary="Announce the checksum of an upload",
        operation_id="video_upload_partial_update",
        request=EtagSerializer,
        responses={204: None},
    )
    def patch(self, request: Request, upload_id: UUID) -> Response:
        """Have the whole file compared with its MD5 at the end; say it before the last piece."""
        form = EtagSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        uploads.announce_etag(person(request), upload_id, form.validated_data["etag"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Give an upload up", operation_id="video_upload_destroy", responses={204: None}
    )
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """Remove what came of it."""
        uploads.give_up_upload(person(request), upload_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Pieces(APIView):
    """`POST /video/upload/:id/pieces`."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser, FormParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Choose where the piece goes before anything reads the form."""
        stream_uploads(request, PieceHandler)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        summary="Send a piece",
        operation_id="video_upload_piece_create",
        parameters=HEADERS,
        request={"multipart/form-data": PieceSerializer},
        responses=ProgressSerializer,
    )
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Take a piece. When this answers, it is on the disk; the same again changes nothing."""
        piece = request.FILES.get("file")
        if piece is None:
            raise refused("missing")
        done = uploads.add_piece(
            person(request),
            upload_id,
            request.headers.get("Content-Range", ""),
            cast(Any, piece),
            request.headers.get(CHECKSUM, ""),
        )
        return Response({"done": done})


def _describe(request: Request, upload: Upload) -> dict[str, Any]:
    url = request.build_absolute_uri(reverse("api-upload-pieces", args=[upload.video.uuid]))
    return uploads.describe_upload(upload, url)
