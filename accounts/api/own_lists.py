"""Who asks to follow one; whom and what one mutes or blocks: `/user/requests`, `/user/muted` …"""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import people, services
from accounts.api.people import FollowPages, actor, shown
from accounts.api.serializers import (
    FollowRequestPageSerializer,
    MutedWordPageSerializer,
    MutedWordSerializer,
    MuteStateSerializer,
    PeoplePageSerializer,
    WriteMutedWordSerializer,
)
from tiktok_clone.common.api import PAGING, CursorPages, refuse_unknown_options


class FollowRequests(ViewSet):
    """Who asks to follow one's private account."""

    @extend_schema(parameters=PAGING, responses=FollowRequestPageSerializer)
    def list(self, request: Request) -> Response:
        """Requests that wait for an answer, the latest first."""
        refuse_unknown_options(request, {"cursor", "limit"})
        pages = FollowPages()
        rows = pages.paginate_queryset(people.requests_to(actor(request)), request, self) or []
        persons = shown(request, [row.requester for row in rows])
        items = [
            {"id": row.pk, "person": person, "created_at": row.created_at}
            for row, person in zip(rows, persons, strict=True)
        ]
        return pages.get_paginated_response(items)

    @extend_schema(
        request=None, responses={204: OpenApiResponse(description="They follow you now.")}
    )
    def accept(self, request: Request, request_id: int) -> Response:
        """Let them follow. 404 where the request was taken back or answered."""
        services.accept_request(actor(request), request_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={204: OpenApiResponse(description="They are not told.")})
    def decline(self, request: Request, request_id: int) -> Response:
        """Say no; they may ask again. 404 where the request was taken back or answered."""
        services.decline_request(actor(request), request_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class OwnPeople(ViewSet):
    """Whom one mutes or blocks."""

    @extend_schema(parameters=PAGING, responses=PeoplePageSerializer)
    def muted(self, request: Request) -> Response:
        """Whom one mutes, the latest first."""
        return self._page(request, people.muted_by(actor(request)), "muted")

    @extend_schema(parameters=PAGING, responses=PeoplePageSerializer)
    def blocked(self, request: Request) -> Response:
        """Whom one blocks, the latest first."""
        return self._page(request, people.blocked_by(actor(request)), "blocked")

    def _page(self, request: Request, rows: "QuerySet[Any]", side: str) -> Response:
        refuse_unknown_options(request, {"cursor", "limit"})
        pages = FollowPages()
        page = pages.paginate_queryset(rows, request, self) or []
        return pages.get_paginated_response(shown(request, [getattr(row, side) for row in page]))


class MutedWords(ViewSet):
    """Words, phrases and hashtags that one does not want to come across."""

    @extend_schema(parameters=PAGING, responses=MutedWordPageSerializer)
    def list(self, request: Request) -> Response:
        """What one mutes, the latest first."""
        refuse_unknown_options(request, {"cursor", "limit"})
        pages = CursorPages()
        rows = pages.paginate_queryset(people.muted_words_of(actor(request)), request, self)
        return pages.get_paginated_response(MutedWordSerializer(rows or [], many=True).data)

    @extend_schema(
        request=WriteMutedWordSerializer,
        responses={
            201: MutedWordSerializer,
            200: OpenApiResponse(MutedWordSerializer, description="It was muted already."),
        },
    )
    def create(self, request: Request) -> Response:
        """Mute a word, a phrase or a `#hashtag`, whatever its case and accents; at most 200."""
        wanted = WriteMutedWordSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        row, is_new = services.mute_word(actor(request), wanted.validated_data["text"])
        answer = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(MutedWordSerializer(row).data, answer)

    @extend_schema(responses={204: OpenApiResponse(description="Muted no more.")})
    def destroy(self, request: Request, word_id: int) -> Response:
        """Take a muted word back."""
        services.remove_muted_word(actor(request), word_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=MuteStateSerializer)
    def mute_hashtag(self, request: Request, name: str) -> Response:
        """Come across a hashtag no more; idempotent."""
        services.mute_word(actor(request), f"#{name}")
        return Response({"muted": True})

    @extend_schema(responses={200: MuteStateSerializer})
    def unmute_hashtag(self, request: Request, name: str) -> Response:
        """Take that back; idempotent."""
        services.unmute_word(actor(request), f"#{name}")
        return Response({"muted": False})
