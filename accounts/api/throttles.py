"""Throttles of the REST framework, counted in PostgreSQL."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import throttling
from accounts.clients import client_of

if TYPE_CHECKING:  # the framework's views read this module's name from the settings
    from rest_framework.views import APIView


SHORT_BYTES = 64 * 1024


class CountedThrottle(BaseThrottle):
    """Counts under a scope of `settings.THROTTLE_RATES`."""

    scope = ""
    retry_after = 0

    def who(self, request: Request) -> str | None:
        """Whom to count; None lets the request pass."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request."""
        who = self.who(request)
        if who is None:
            return True
        verdict = throttling.count(self.scope, who)
        self.retry_after = verdict.retry_after
        return verdict.allowed

    def wait(self) -> float:
        """Seconds until a request is welcome again."""
        return self.retry_after


class AnonymousThrottle(CountedThrottle):
    """Requests of people who are not signed in, by network."""

    scope = "anonymous_ip"

    def who(self, request: Request) -> str | None:
        """The network of somebody who is not signed in."""
        return None if request.user.is_authenticated else client_of(request).network


class UploadThrottle(CountedThrottle):
    """Files of one account, refused before they are read.

    A form so short that it may well have no file is counted when it has been read: one that
    posts an upload in pieces was counted when that began.
    """

    scope = "upload_user"

    def who(self, request: Request) -> str | None:
        """The account."""
        if not request.user.is_authenticated or is_short(request):
            return None
        return str(request.user.pk)


def is_short(request: Request) -> bool:
    """Whether all of a form is so short that there is no harm in reading it first."""
    length = request.headers.get("Content-Length", "")
    return length.isdigit() and int(length) <= SHORT_BYTES
