"""Signing in and one's own account: `/user/…`."""

from typing import Any
from uuid import UUID

from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from accounts import finding, people, services
from accounts.api.serializers import (
    MeSerializer,
    PasswordSerializer,
    RefreshSerializer,
    ResetConfirmSerializer,
    ResetSerializer,
    SessionSerializer,
    SessionsSerializer,
    SignedInSerializer,
    SignInSerializer,
    SignUpSerializer,
    SuggestionSerializer,
    SuggestionsSerializer,
    TokensSerializer,
    current_session_id,
)
from accounts.api.tokens import read_refresh, token_pair
from accounts.clients import client_of
from accounts.models import Session, User
from accounts.receivers import rename_browser
from tiktok_clone.common.api import refuse_unknown_options

NOTHING = OpenApiResponse(description="Done.")


def entered(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body, checked for its shape; raises the 400 that names the fields."""
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    values: dict[str, Any] = checked.validated_data
    return values


def signed_in(user: User, request: Request) -> dict[str, Any]:
    """Open a session: `{user, access, refresh}`."""
    session = services.open_api_session(user, client_of(request))
    return {"user": MeSerializer(user).data, **token_pair(session)}


class SigningIn(ViewSet):
    """For people who are not signed in; an old Authorization header does no harm."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(request=SignUpSerializer, responses={201: SignedInSerializer})
    def sign_up(self, request: Request) -> Response:
        """Create an account."""
        values = entered(SignUpSerializer, request)
        user = services.sign_up(services.SignUp(**values), client_of(request))
        return Response(signed_in(user, request), status=status.HTTP_201_CREATED)

    @extend_schema(request=SignInSerializer, responses=SignedInSerializer)
    def sign_in(self, request: Request) -> Response:
        """Exchange e-mail address and password for tokens."""
        values = entered(SignInSerializer, request)
        user = services.sign_in(values["email"], values["password"], client_of(request))
        return Response(signed_in(user, request))

    @extend_schema(request=RefreshSerializer, responses=TokensSerializer)
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for the next pair; each one works once."""
        session_id, token_id = read_refresh(entered(RefreshSerializer, request)["refresh"])
        return Response(token_pair(services.rotate(session_id, token_id)))

    @extend_schema(request=ResetSerializer, responses={202: NOTHING})
    def reset(self, request: Request) -> Response:
        """Ask for a link to set a new password. The answer is the same for every address."""
        email = entered(ResetSerializer, request)["email"]
        services.request_password_reset(email, client_of(request))
        return Response(
            {"detail": "If there is an account with this address, a message is on its way."},
            status=status.HTTP_202_ACCEPTED,
        )

    @extend_schema(request=ResetConfirmSerializer, responses={204: NOTHING})
    def confirm_reset(self, request: Request) -> Response:
        """Set a new password with the link's two parts; ends all sessions."""
        values = entered(ResetConfirmSerializer, request)
        services.reset_password(values["uid"], values["token"], values["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class OwnAccount(ViewSet):
    """The account that asks."""

    @extend_schema(responses=MeSerializer)
    def me(self, request: Request) -> Response:
        """One's own account, e-mail address included."""
        return Response(MeSerializer(_person(request)).data)

    @extend_schema(request=None, responses={204: NOTHING})
    def sign_out(self, request: Request) -> Response:
        """End the session of this access token, or of this browser."""
        session = _current_session(request)
        if session is not None:
            services.end_session(session, "signed_out")
        if request.auth is None:
            logout(_django(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=PasswordSerializer, responses=TokensSerializer)
    def change_password(self, request: Request) -> Response:
        """Set another password. Every session ends; the answer opens a new one."""
        values = entered(PasswordSerializer, request)
        user = _person(request)
        keep = None if request.auth is not None else _current_session(request)
        services.change_password(
            user, values["current_password"], values["new_password"], keep=keep
        )
        if keep is not None:
            update_session_auth_hash(_django(request), user)
            rename_browser(_django(request))
        session = services.open_api_session(user, client_of(request))
        return Response(token_pair(session))

    @extend_schema(responses=SuggestionsSerializer)
    def suggestions(self, request: Request) -> Response:
        """Up to 20 people to follow."""
        refuse_unknown_options(request, set())
        user = _person(request)
        found = finding.suggest(user)
        context = {"relations": people.relations(user, [person.pk for person in found])}
        return Response({"results": SuggestionSerializer(found, many=True, context=context).data})


class Sessions(ViewSet):
    """Where one is signed in."""

    @extend_schema(responses=SessionsSerializer)
    def list(self, request: Request) -> Response:
        """All sessions that have not ended, the latest first."""
        refuse_unknown_options(request, set())
        rows = _person(request).sessions.live().order_by("-last_used_at")[:200]
        context = {"current": current_session_id(request)}
        return Response({"results": SessionSerializer(rows, many=True, context=context).data})

    @extend_schema(responses={204: NOTHING})
    def destroy(self, request: Request, session_id: UUID) -> Response:
        """End one of one's own sessions."""
        services.end_own_session(_person(request), session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={204: NOTHING})
    def destroy_all(self, request: Request) -> Response:
        """End every session, this one included."""
        services.end_all_sessions(_person(request), "signed_out_everywhere")
        return Response(status=status.HTTP_204_NO_CONTENT)


def _person(request: Request) -> User:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - these views authenticate real accounts
    return user


def _current_session(request: Request) -> Session | None:
    current = current_session_id(request)
    return _person(request).sessions.live().filter(pk=current).first() if current else None


def _django(request: Request) -> HttpRequest:
    return request._request
