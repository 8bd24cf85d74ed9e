"""Throttles."""

from rest_framework.throttling import BaseThrottle


class AnonymousThrottle(BaseThrottle):
    """Placeholder until the counters land."""

    def allow_request(self, request, view):  # type: ignore[no-untyped-def]
        return True
