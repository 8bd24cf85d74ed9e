"""What one is told of: the list, whether there is news, marking as read, switches and bells."""

from typing import cast
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseNotModified, JsonResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from accounts.api.authentication import (
    BrowserSessionAuthentication,
    PollAuthentication,
    active_user,
)
from accounts.api.people import REFERENCE, actor, find_person
from accounts.api.serializers import current_session_id
from accounts.api.tokens import poll_token
from accounts.models import User
from feeds import bells, inbox, notifications, versions
from feeds.api.notification_shapes import (
    BellStateSerializer,
    GroupPageSerializer,
    ReadSerializer,
    RowsPageSerializer,
    SwitchesSerializer,
    UnreadSerializer,
    UnreadStateSerializer,
)
from feeds.notices import represent_group, represent_row
from tiktok_clone.common.api import PAGING, CursorPages, refuse_unknown_options
from tiktok_clone.common.errors import invalid

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of the last answer."
)


class NotificationsView(APIView):
    """`GET /notifications`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="List what you are told of",
        operation_id="notifications",
        parameters=PAGING,
        responses=GroupPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """In groups: what is told of one thing on one day; the latest first."""
        refuse_unknown_options(request, {"cursor", "limit"})
        limit = CursorPages().get_page_size(request)
        after = inbox.read_place("cursor", request.query_params.get("cursor"))
        page, last = inbox.groups(actor(request), after, limit)
        following = None
        if last is not None:
            options = urlencode({"cursor": inbox.write_place(last), "limit": limit})
            following = request.build_absolute_uri(f"{request.path}?{options}")
        results = [represent_group(group) for group in page]
        return Response({"next": following, "previous": None, "results": results})


class NotificationPages(CursorPages):
    """The latest first."""

    ordering = inbox.ORDER


class GroupView(APIView):
    """`GET /notifications/groups/:id`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="List all of a group",
        operation_id="notifications_group",
        parameters=PAGING,
        responses=RowsPageSerializer,
    )
    def get(self, request: Request, topic: str) -> Response:
        """The latest first; empty where nothing of it is shown (any more)."""
        refuse_unknown_options(request, {"cursor", "limit"})
        pages = NotificationPages()
        rows = inbox.group_rows(actor(request), topic)
        page = pages.paginate_queryset(rows, request, self) or []
        return pages.get_paginated_response([represent_row(row) for row in page])


class UnreadView(APIView):
    """`GET /notifications/unread-count`.

    Asked every few seconds by every page: as long as nothing is new it costs one round trip to
    Redis and no query, so its token is believed as it stands. What ends an account or a session
    changes the version of the person's notifications, and then the account is looked at.
    """

    authentication_classes = [PollAuthentication, BrowserSessionAuthentication]
    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="How many notifications are unread",
        operation_id="notifications_unread_count",
        auth=[{"bearer": []}, {"cookie": []}],  # type: ignore[list-item]
        parameters=[IF_NONE_MATCH],
        responses={200: UnreadSerializer, 304: None},
    )
    def get(self, request: Request) -> HttpResponse:
        """304 with `If-None-Match` while neither the count nor the list has changed."""
        refuse_unknown_options(request, set())
        seen = request.headers.get("If-None-Match", "").removeprefix("W/").strip('"')
        reader = cast(User, request.user).pk
        version = versions.current(reader)
        response: HttpResponse = HttpResponseNotModified()
        if version is None or version != seen:
            user = active_user(request)
            version = version or inbox.fingerprint(user)
            if version != seen:
                response = JsonResponse({"unread": inbox.unread(user), "token": _token(request)})
        response["ETag"] = f'"{version}"'
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response


def _token(request: Request) -> str | None:
    """For who asks with a cookie: what the next questions may be asked with."""
    session = current_session_id(request) if request.auth is None else None
    return poll_token(cast(User, request.user), session) if session else None


class ReadView(APIView):
    """`POST /notifications/read`."""

    parser_classes = [JSONParser]
    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="Mark notifications as read",
        operation_id="notifications_read",
        request=ReadSerializer,
        responses=UnreadStateSerializer,
    )
    def post(self, request: Request) -> Response:
        """Some, whole groups, or all; what is not yours is left alone. Again changes nothing."""
        wanted = ReadSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        if not any(values.values()):
            raise invalid("all", "required", "Name notifications or groups, or pass all=true.")
        user = actor(request)
        notifications.mark_read(
            user,
            ids=values["notifications"],
            topics=values["groups"],
            everything=values["all"],
        )
        return Response({"unread": inbox.unread(user)})


class SwitchesView(APIView):
    """`GET` and `PATCH /notifications/settings`."""

    parser_classes = [JSONParser]
    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="What you want to be told of",
        operation_id="notifications_settings",
        responses=SwitchesSerializer,
    )
    def get(self, request: Request) -> Response:
        """A switch for each kind."""
        refuse_unknown_options(request, set())
        return Response(notifications.switches(actor(request)))

    @extend_schema(
        summary="Choose what you are told of",
        operation_id="notifications_settings_update",
        request=SwitchesSerializer(partial=True),
        responses=SwitchesSerializer,
    )
    def patch(self, request: Request) -> Response:
        """What is off is not shown nor counted; on again, what came meanwhile is there as read."""
        wanted = SwitchesSerializer(data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        user = actor(request)
        notifications.set_switches(user, wanted.validated_data)
        return Response(notifications.switches(user))


class Bells(ViewSet):
    """`/users/:reference/bell`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="Whether you are told of somebody's new videos",
        operation_id="users_bell",
        parameters=[REFERENCE],
        responses=BellStateSerializer,
    )
    def retrieve(self, request: Request, reference: str) -> Response:
        """Only of whom you follow."""
        refuse_unknown_options(request, set())
        return Response({"bell": bells.is_on(actor(request), find_person(request, reference))})

    @extend_schema(
        summary="Be told of somebody's new videos",
        operation_id="users_bell_create",
        parameters=[REFERENCE],
        request=None,
        responses=BellStateSerializer,
    )
    def switch_on(self, request: Request, reference: str) -> Response:
        """409 `not_following` unless you follow them; it ends with the follow."""
        bells.switch_on(actor(request), find_person(request, reference))
        return Response({"bell": True})

    @extend_schema(
        summary="Be told no more",
        operation_id="users_bell_destroy",
        parameters=[REFERENCE],
        responses={200: BellStateSerializer},
    )
    def switch_off(self, request: Request, reference: str) -> Response:
        """Again changes nothing."""
        bells.switch_off(actor(request), find_person(request, reference))
        return Response({"bell": False})
