"""Finding people and hashtags, what trends, and one's own history, as JSON."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.people import shown
from accounts.api.serializers import PeoplePageSerializer
from accounts.finding import search_people
from accounts.models import User
from feeds import history
from feeds.search import find_tags, represent_tag
from feeds.trending import trending_tags
from tiktok_clone.common.api import LIMIT, PAGING, CursorPages, refuse_unknown_options
from tiktok_clone.common.errors import invalid
from tiktok_clone.common.searching import WHOLE_NUMBER, clean_query
from videos.api.serializers import Description, VideoSerializer
from videos.text import ID_DIGITS

WORDS = OpenApiParameter("q", str, description="Words or their beginnings.")


class RankedPages(CursorPages):
    """The best match first; the rows have `sort_key`."""

    ordering = "-sort_key"

    def decode_cursor(self, request: Request) -> Any:
        """Refuse a position that is not a whole number."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position and not WHOLE_NUMBER.fullmatch(str(cursor.position)):
            raise ValueError(cursor.position)
        return cursor


class HistoryPages(CursorPages):
    """The latest watch first."""

    ordering = history.ORDER


class HashtagSerializer(Description):
    """A hashtag."""

    name = serializers.CharField(help_text="Folded, without the #.")
    videos_count = serializers.IntegerField(help_text="Of everybody's videos.")
    url = serializers.CharField(help_text="Path of its page.")


@extend_schema_serializer(many=False)
class HashtagsPageSerializer(Description):
    """A page of hashtags; `next` and `previous` are addresses or null."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = HashtagSerializer(many=True)


class TrendingSerializer(Description):
    """Hashtags that many use and watch at present."""

    results = HashtagSerializer(many=True)


class WatchedVideoSerializer(VideoSerializer):
    """A video of the history."""

    watched_at = serializers.DateTimeField(help_text="Last watched.")


@extend_schema_serializer(many=False)
class HistoryPageSerializer(Description):
    """A page of the history; `next` and `previous` are addresses or null."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = WatchedVideoSerializer(many=True)


class PeopleSearch(ViewSet):
    """`GET /users`."""

    permission_classes = [AllowAny]

    @extend_schema(
        summary="Find people",
        operation_id="users_search",
        parameters=[
            OpenApiParameter("q", str, required=True, description=WORDS.description),
            *PAGING,
        ],
        responses=PeoplePageSerializer,
    )
    def list(self, request: Request) -> Response:
        """People by handle or name: the handle itself first, then the most followed."""
        refuse_unknown_options(request, {"q", "cursor", "limit"})
        words = clean_query("q", request.query_params.get("q", ""))
        if not words:
            raise invalid("q", "required", "Say whom to look for.")
        pages = RankedPages()
        found = pages.paginate_queryset(search_people(request.user, words), request, self)
        return pages.get_paginated_response(shown(request, found or []))


class Hashtags(ViewSet):
    """`GET /hashtags` and `GET /hashtags/trending`."""

    permission_classes = [AllowAny]

    @extend_schema(
        summary="Find hashtags",
        operation_id="hashtags_search",
        parameters=[WORDS, *PAGING],
        responses=HashtagsPageSerializer,
    )
    def list(self, request: Request) -> Response:
        """Hashtags that begin so, the very one first; without words the most used."""
        refuse_unknown_options(request, {"q", "cursor", "limit"})
        words = clean_query("q", request.query_params.get("q", ""))
        pages = RankedPages()
        found = pages.paginate_queryset(find_tags(request.user, words), request, self)
        return pages.get_paginated_response([represent_tag(tag) for tag in found or []])

    @extend_schema(
        summary="Trending hashtags",
        operation_id="hashtags_trending",
        parameters=[LIMIT],
        responses=TrendingSerializer,
    )
    def trending(self, request: Request) -> Response:
        """What most people post with and watch at present; each person counts once."""
        refuse_unknown_options(request, {"limit"})
        limit = CursorPages().get_page_size(request)
        tags = trending_tags(request.user)[:limit]
        return Response({"results": [represent_tag(tag) for tag in tags]})


class History(ViewSet):
    """`/user/history`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="List what you watched",
        operation_id="user_history",
        parameters=PAGING,
        responses=HistoryPageSerializer,
    )
    def list(self, request: Request) -> Response:
        """The last watched comes first; only what you may still see."""
        refuse_unknown_options(request, {"cursor", "limit"})
        user = cast(User, request.user)
        pages = HistoryPages()
        rows = pages.paginate_queryset(history.history_of(user), request, self) or []
        return pages.get_paginated_response(history.represent_history(rows, user))

    @extend_schema(
        summary="Remove a video from your history",
        operation_id="user_history_remove",
        parameters=[OpenApiParameter("video_id", int, OpenApiParameter.PATH)],
        responses={204: None},
    )
    def destroy(self, request: Request, video_id: int) -> Response:
        """It comes back when you watch it again. Again changes nothing."""
        if len(str(video_id)) <= ID_DIGITS:
            history.forget_watch(cast(User, request.user), video_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Clear your history", operation_id="user_history_clear", responses={204: None}
    )
    def clear(self, request: Request) -> Response:
        """Views stay counted."""
        history.forget_everything(cast(User, request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)
