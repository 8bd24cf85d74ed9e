"""Videos: one, many, and what people do with one."""

from typing import Any, cast

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.permissions import IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.clients import client_of
from accounts.models import User
from accounts.people import find_person
from accounts.throttling import ahead
from tiktok_clone.common import idempotent
from tiktok_clone.common.api import refuse_unknown_options
from tiktok_clone.common.errors import not_found
from videos import listing
from videos.api import serializers
from videos.api.paging import EngagedPages, NewestFirst, OrderedVideos
from videos.filters import VideoFilter
from videos.models import Video
from videos.representation import represent_video, represent_videos
from videos.services import engagement, publishing

PAGING = {"cursor", "limit"}
CARDS = serializers.VideoSerializer(many=True)
ORDERING = OpenApiParameter(
    "ordering",
    str,
    enum=[sign + name for name in OrderedVideos.CHOICES for sign in ("-", "")],
    description="Latest first unless said otherwise; with `q` by relevance.",
)


def viewer_of(request: Request) -> User:
    """Who asks; for endpoints that need somebody to be signed in."""
    return cast(User, request.user)


class VideoLists(GenericViewSet[Video]):
    """What all lists of videos share."""

    queryset = Video.objects.none()  # tells the schema that ids are whole numbers
    serializer_class = serializers.VideoSerializer
    filter_backends: list[Any] = []

    def page(self, videos: QuerySet[Video]) -> Response:
        """Answer a page of cards as the asker sees them."""
        rows = self.paginate_queryset(videos.for_cards())  # type: ignore[attr-defined]
        return self.get_paginated_response(represent_videos(rows or [], self.request.user.pk))


@extend_schema_view(
    list=extend_schema(summary="List and search videos", parameters=[ORDERING]),
    retrieve=extend_schema(summary="Get a video"),
)
class VideoViewSet(VideoLists):
    """Videos that the asker may see; changes only to one's own."""

    permission_classes = [IsAuthenticatedOrReadOnly]
    pagination_class = OrderedVideos
    filter_backends = [DjangoFilterBackend]
    filterset_class = VideoFilter
    lookup_url_kwarg = "video_id"

    def list(self, request: Request) -> Response:
        """Published videos, filtered by author, tag and words."""
        refuse_unknown_options(request, PAGING | {"author", "tag", "q", "ordering"})
        videos = Video.objects.published().visible_to(request.user)
        return self.page(self.filter_queryset(videos))

    def retrieve(self, request: Request, video_id: int) -> Response:
        """A published video that the asker may see, or one's own in any state."""
        return Response(self._represent(video_id))

    @extend_schema(
        summary="Replace caption and visibility",
        request=serializers.EditVideoSerializer,
        responses=serializers.VideoSerializer,
    )
    def update(self, request: Request, video_id: int, partial: bool = False) -> Response:
        """Change one's own video."""
        wanted = serializers.EditVideoSerializer(data=request.data, partial=partial)
        wanted.is_valid(raise_exception=True)
        publishing.edit_video(viewer_of(request), video_id, **wanted.validated_data)
        return Response(self._represent(video_id))

    @extend_schema(
        summary="Change caption or visibility",
        request=serializers.EditVideoSerializer(partial=True),
        responses=serializers.VideoSerializer,
    )
    def partial_update(self, request: Request, video_id: int) -> Response:
        """Change parts of one's own video."""
        return self.update(request, video_id, partial=True)

    @extend_schema(summary="Delete a video", responses={204: None})
    def destroy(self, request: Request, video_id: int) -> Response:
        """Delete one's own video, in every state, with its files."""
        publishing.delete_video(viewer_of(request), video_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Like", request=None, responses=serializers.LikedSerializer)
    def like(self, request: Request, video_id: int) -> Response:
        """Like a video; again changes nothing."""
        count = engagement.like_video(viewer_of(request), video_id)
        return Response({"liked": True, "likes_count": count})

    @extend_schema(summary="Unlike", responses={200: serializers.LikedSerializer})
    def unlike(self, request: Request, video_id: int) -> Response:
        """Take the like back; again changes nothing."""
        count = engagement.unlike_video(viewer_of(request), video_id)
        return Response({"liked": False, "likes_count": count})

    @extend_schema(summary="Save", request=None, responses=serializers.SavedSerializer)
    def save(self, request: Request, video_id: int) -> Response:
        """Keep a video for later; again changes nothing."""
        count = engagement.save_video(viewer_of(request), video_id)
        return Response({"saved": True, "saves_count": count})

    @extend_schema(summary="Unsave", responses={200: serializers.SavedSerializer})
    def unsave(self, request: Request, video_id: int) -> Response:
        """Keep it no longer; again changes nothing."""
        count = engagement.unsave_video(viewer_of(request), video_id)
        return Response({"saved": False, "saves_count": count})

    @extend_schema(
        summary="Count a share",
        parameters=[idempotent.PARAMETER],
        request=None,
        responses=serializers.SharedSerializer,
    )
    @idempotent.idempotent(ahead("react_user"))
    def share(self, request: Request, video_id: int) -> Response:
        """Say that a video was passed on; each person counts once."""
        count = engagement.share_video(viewer_of(request), video_id)
        url = self._represent(video_id)["share_url"]
        return Response({"shared": True, "shares_count": count, "share_url": url})

    @extend_schema(
        summary="Report to the moderators",
        parameters=[idempotent.PARAMETER],
        request=serializers.WriteReportSerializer,
        responses=serializers.ReportedSerializer,
    )
    @idempotent.idempotent(ahead("report_user"))
    def report(self, request: Request, video_id: int) -> Response:
        """Report a video; the first report of a person stands."""
        wanted = serializers.WriteReportSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        engagement.report_video(viewer_of(request), video_id, **wanted.validated_data)
        return Response({"reported": True})

    def _represent(self, video_id: int) -> dict[str, Any]:
        viewer = self.request.user
        video = Video.objects.visible_to(viewer).for_cards().filter(pk=video_id).first()
        if video is None:
            raise not_found("video")
        if viewer.pk is None:
            return represent_video(video)
        return represent_videos([video], viewer.pk)[0]


class PersonVideos(VideoLists):
    """The videos of one person."""

    permission_classes = [IsAuthenticatedOrReadOnly]
    pagination_class = NewestFirst

    @extend_schema(summary="List a person's videos")
    def list(self, request: Request, reference: str) -> Response:
        """What the asker may see of a person's videos; one's own in every state."""
        refuse_unknown_options(request, PAGING)
        person = find_person(reference, request.user, client_of(request))
        return self.page(listing.videos_of(person, request.user))


class OwnLists(VideoLists):
    """Lists that only their owner sees."""

    permission_classes = [IsAuthenticated]
    pagination_class = EngagedPages

    @extend_schema(
        summary="List the videos that you like", operation_id="user_liked", responses=CARDS
    )
    def liked(self, request: Request) -> Response:
        """The last liked comes first."""
        refuse_unknown_options(request, PAGING)
        return self.page(listing.liked_by(viewer_of(request)))

    @extend_schema(
        summary="List the videos that you saved", operation_id="user_saved", responses=CARDS
    )
    def saved(self, request: Request) -> Response:
        """The last saved comes first."""
        refuse_unknown_options(request, PAGING)
        return self.page(listing.saved_by(viewer_of(request)))
