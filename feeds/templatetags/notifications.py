"""The badge of every page, and the bell of a profile."""

from typing import Any

from django import template
from django.http import HttpRequest

from accounts.api.tokens import poll_token
from accounts.models import User
from accounts.receivers import ROW
from feeds import bells, inbox

register = template.Library()


@register.filter
def unread_count(user: Any) -> int:
    """How many notifications of the reader are unread."""
    return inbox.unread(user) if isinstance(user, User) else 0


@register.simple_tag(takes_context=True)
def news_token(context: dict[str, Any]) -> str:
    """What this page asks for news with; empty for who is not signed in."""
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if request is None or not isinstance(user, User):
        return ""
    session = request.session.get(ROW)
    return poll_token(user, session) if session else ""


@register.filter
def rings_for(creator: User, listener: Any) -> bool:
    """Whether a reader is told of somebody's new clips."""
    return isinstance(listener, User) and bells.is_on(listener, creator)
