"""Access and refresh tokens: signed names of a session row."""

import uuid

from django.conf import settings
from django.utils.functional import cached_property
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.models import TokenUser
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import Session, User
from accounts.services.sessions import session_ended
from tiktok_clone.common.signing import current_epoch

SESSION_CLAIM = "sid"
EPOCH_CLAIM = "epoch"


class OurClaims:
    """What both kinds carry beside user, type, audience and expiry."""

    def verify(self) -> None:
        """Refuse a token of another epoch: its ids may name other rows by now."""
        super().verify()  # type: ignore[misc]
        if self.get(EPOCH_CLAIM) != current_epoch() or not self.get(SESSION_CLAIM):  # type: ignore[attr-defined]
            raise TokenError("Token is invalid")


class SessionAccessToken(OurClaims, AccessToken):
    """Believed for five minutes."""


class SessionRefreshToken(OurClaims, RefreshToken):  # type: ignore[misc]
    """Names the session and the one token id that is valid now."""

    access_token_class = SessionAccessToken


class SessionPollToken(OurClaims, Token):
    """What a page may ask with whether there is news, and nothing else."""

    token_type = "poll"  # noqa: S105 (its name)
    lifetime = settings.POLL_TOKEN_LIFETIME


class TokenPerson(TokenUser):
    """The person of an access token, with a numeric id and no rights of staff."""

    is_staff = False
    is_superuser = False

    @cached_property
    def id(self) -> int:  # type: ignore[override]
        """The row's id."""
        return int(self.token["user_id"])

    @cached_property
    def pk(self) -> int:  # type: ignore[override]
        """The row's id."""
        return self.id


def token_pair(session: Session) -> dict[str, str]:
    """Sign `{access, refresh}` for the session's present token id."""
    refresh = SessionRefreshToken.for_user(session.user)
    refresh[SESSION_CLAIM] = str(session.pk)
    refresh[EPOCH_CLAIM] = current_epoch()
    refresh["jti"] = session.token_id.hex if session.token_id else ""
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def poll_token(user: User, session_id: str) -> str:
    """Sign the token of a page for one of the user's sessions."""
    token = SessionPollToken.for_user(user)
    token[SESSION_CLAIM] = session_id
    token[EPOCH_CLAIM] = current_epoch()
    return str(token)


def read_refresh(raw: str) -> tuple[uuid.UUID, uuid.UUID]:
    """Return session id and token id of a refresh token that is signed and in date.

    Raises:
        DomainError: `session_ended` (401).
    """
    try:
        token = SessionRefreshToken(raw)  # type: ignore[arg-type]
        return uuid.UUID(token[SESSION_CLAIM]), uuid.UUID(token["jti"])
    except (TokenError, ValueError, KeyError):
        raise session_ended() from None
