"""Other people and one's relation to them: `/users/…`."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import people, services
from accounts.api.serializers import (
    BlockStateSerializer,
    FollowStateSerializer,
    MeSerializer,
    MuteStateSerializer,
    PeoplePageSerializer,
    PersonSerializer,
    ProfileSerializer,
)
from accounts.clients import client_of
from accounts.models import Follow, User
from tiktok_clone.common.api import PAGING, CursorPages, refuse_unknown_options

REFERENCE = OpenApiParameter(
    "reference", str, OpenApiParameter.PATH, description="E-mail address or `@handle`."
)
PAGED = [REFERENCE, *PAGING]


def find_person(request: Request, reference: str) -> User:
    """The person that a path names, for whoever asks; see `people.find_person`."""
    return people.find_person(reference, request.user, client_of(request))


class People(ViewSet):
    """A person: public to read, one's own to change."""

    def get_permissions(self) -> list[BasePermission]:
        """Anybody may read."""
        reading = self.request.method in SAFE_METHODS
        return [AllowAny()] if reading else [IsAuthenticated()]

    @extend_schema(parameters=[REFERENCE], responses=PersonSerializer)
    def retrieve(self, request: Request, reference: str) -> Response:
        """Basic public data."""
        refuse_unknown_options(request, set())
        person = find_person(request, reference)
        return Response(shown(request, [person])[0])

    @extend_schema(parameters=[REFERENCE], request=ProfileSerializer, responses=MeSerializer)
    def update(self, request: Request, reference: str, partial: bool = False) -> Response:
        """Change one's own profile."""
        user = self._own(request, reference)
        serializer = ProfileSerializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        has_picture = "avatar" in values
        picture = values.pop("avatar", None)
        # Checked before anything is changed: a request is done wholly or not at all.
        image = services.check_avatar(picture, picture.size) if picture is not None else None
        services.update_profile(user, values)
        if image is not None:
            services.set_avatar(user, image)
        elif has_picture:
            services.remove_avatar(user)
        return Response(MeSerializer(user).data)

    @extend_schema(
        parameters=[REFERENCE], request=ProfileSerializer(partial=True), responses=MeSerializer
    )
    def partial_update(self, request: Request, reference: str) -> Response:
        """Change some of one's own profile."""
        return self.update(request, reference, partial=True)

    @extend_schema(
        parameters=[REFERENCE], responses={204: OpenApiResponse(description="Hidden at once.")}
    )
    def destroy(self, request: Request, reference: str) -> Response:
        """Delete one's own account and all that it posted."""
        services.delete_account(self._own(request, reference))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _own(self, request: Request, reference: str) -> User:
        person = find_person(request, reference)
        user = request.user
        if not isinstance(user, User) or person.pk != user.pk:
            raise PermissionDenied
        return user

    @extend_schema(
        methods=["POST"], parameters=[REFERENCE], request=None, responses=FollowStateSerializer
    )
    def follow(self, request: Request, reference: str) -> Response:
        """Follow, or ask a private account; following twice is following once."""
        return self._follow_state(request, reference, services.follow)

    @extend_schema(parameters=[REFERENCE], responses={200: FollowStateSerializer})
    def unfollow(self, request: Request, reference: str) -> Response:
        """Stop following, or take the request back; idempotent."""
        return self._follow_state(request, reference, services.unfollow)

    def _follow_state(
        self, request: Request, reference: str, act: Callable[[User, User], services.FollowState]
    ) -> Response:
        state = act(actor(request), find_person(request, reference))
        return Response(FollowStateSerializer(state).data)

    @extend_schema(
        parameters=[REFERENCE], responses={204: OpenApiResponse(description="Follows no more.")}
    )
    def remove_follower(self, request: Request, reference: str) -> Response:
        """Make this person stop following oneself; idempotent."""
        services.remove_follower(actor(request), find_person(request, reference))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(parameters=[REFERENCE], request=None, responses=MuteStateSerializer)
    def mute(self, request: Request, reference: str) -> Response:
        """Come across this person no more, in feeds, search and comments; idempotent."""
        services.mute(actor(request), find_person(request, reference))
        return Response({"muted": True})

    @extend_schema(parameters=[REFERENCE], responses={200: MuteStateSerializer})
    def unmute(self, request: Request, reference: str) -> Response:
        """Take the mute back; idempotent."""
        services.unmute(actor(request), find_person(request, reference))
        return Response({"muted": False})

    @extend_schema(parameters=[REFERENCE], request=None, responses=BlockStateSerializer)
    def block(self, request: Request, reference: str) -> Response:
        """Hide this person and oneself from each other; idempotent."""
        services.block(actor(request), find_person(request, reference))
        return Response({"blocked": True})

    @extend_schema(parameters=[REFERENCE], responses={200: BlockStateSerializer})
    def unblock(self, request: Request, reference: str) -> Response:
        """Take the block back; idempotent."""
        services.unblock(actor(request), find_person(request, reference))
        return Response({"blocked": False})


class FollowPages(CursorPages):
    """The latest follow first; the page's rows are follows."""

    ordering = "-id"


class Lists(ViewSet):
    """Followers and followed people."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=PAGED, responses=PeoplePageSerializer)
    def followers(self, request: Request, reference: str) -> Response:
        """Who follows this person."""
        return self._page(request, reference, people.followers_of, "follower")

    @extend_schema(parameters=PAGED, responses=PeoplePageSerializer)
    def following(self, request: Request, reference: str) -> Response:
        """Whom this person follows."""
        return self._page(request, reference, people.followed_by, "followee")

    def _page(
        self,
        request: Request,
        reference: str,
        rows_of: Callable[[User, Any], "QuerySet[Follow]"],
        side: str,
    ) -> Response:
        refuse_unknown_options(request, {"cursor", "limit"})
        person = find_person(request, reference)
        people.check_can_see_lists(person, request.user)
        pages = FollowPages()
        rows = pages.paginate_queryset(rows_of(person, request.user), request, self) or []
        return pages.get_paginated_response(shown(request, [getattr(row, side) for row in rows]))


def shown(request: Request, persons: list[User]) -> list[dict[str, Any]]:
    """People as JSON, with the reader's relation to each."""
    relations = people.relations(request.user, [person.pk for person in persons])
    data: Any = PersonSerializer(persons, many=True, context={"relations": relations}).data
    return list(data)


def actor(request: Request) -> User:
    """The account that asks."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user
