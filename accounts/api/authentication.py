"""Who asks: a Bearer token, or the browser's session cookie with CSRF."""

from typing import Any

from django.db.models import Exists
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError

from accounts.api.tokens import (
    SESSION_CLAIM,
    SessionAccessToken,
    SessionPollToken,
    TokenPerson,
)
from accounts.models import Session, User
from accounts.services.sessions import session_ended
from tiktok_clone.common.errors import DomainError


def _gone() -> DomainError:
    return DomainError("account_gone", "This account is not there any more.", status=401)


class ActiveUserAuthentication(JWTAuthentication):
    """Bearer token; refuses an account that is suspended or gone, and a session that ended."""

    def get_validated_token(self, raw_token: bytes) -> Any:
        """Check signature, algorithm, audience, type, expiry and epoch."""
        try:
            return SessionAccessToken(raw_token)  # type: ignore[arg-type]
        except TokenError:
            raise InvalidToken("The access token is not valid or too old.") from None

    def get_user(self, validated_token: Any) -> Any:
        """Load the account and look whether the session still lives; one query."""
        lives = Session.objects.live().filter(pk=validated_token[SESSION_CLAIM])
        people = User.objects.active().annotate(session_lives=Exists(lives))
        user = people.filter(pk=int(validated_token["user_id"])).first()
        if user is None:
            raise _gone()
        if not user.session_lives:
            raise session_ended()
        return user


class StatelessAuthentication(ActiveUserAuthentication):
    """Bearer token believed as it stands, without a query, for reads on the hot path.

    `request.user` is a TokenPerson: it has an id and nothing else. For up to five
    minutes it may belong to an account that has ended; acts use ActiveUserAuthentication.
    """

    def get_user(self, validated_token: Any) -> Any:
        """Wrap the token."""
        return TokenPerson(validated_token)


class PollAuthentication(StatelessAuthentication):
    """The same for what a page asks again and again: its own kind of token does as well."""

    def get_validated_token(self, raw_token: bytes) -> Any:
        """Check either kind."""
        try:
            return SessionPollToken(raw_token)  # type: ignore[arg-type]
        except TokenError:
            return super().get_validated_token(raw_token)


def active_user(request: Request) -> User:
    """Return the account of who asks, for a view that began with StatelessAuthentication.

    Raises:
        DomainError: `account_gone` or `session_ended` (401), as ActiveUserAuthentication does.
    """
    person: Any = request.user
    if isinstance(person, TokenPerson):
        person = ActiveUserAuthentication().get_user(person.token)
    user: User = person
    return user


class BrowserSessionAuthentication(SessionAuthentication):
    """The session cookie; unsafe methods need the CSRF token (header or form field)."""
