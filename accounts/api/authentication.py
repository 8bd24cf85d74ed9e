"""Who asks: a Bearer token, or the browser's session cookie with CSRF."""

from rest_framework.authentication import SessionAuthentication
from rest_framework_simplejwt.authentication import JWTAuthentication, JWTStatelessUserAuthentication


class ActiveUserAuthentication(JWTAuthentication):
    """Bearer token; loads the account and refuses one that is gone."""


class StatelessAuthentication(JWTStatelessUserAuthentication):
    """Bearer token believed as it stands, for reads on the hot path."""


class BrowserSessionAuthentication(SessionAuthentication):
    """The session cookie; unsafe methods need the CSRF token."""
