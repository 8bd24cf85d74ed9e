"""Every sign-in of a browser, the administration's too, becomes a session row and a log line."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import audit
from accounts.clients import client_of
from accounts.models import Session, User
from accounts.services.sessions import end_session, open_browser_session

ROW = "session_row"


@receiver(user_logged_in)
def remember_browser(request: HttpRequest, user: User, **_: Any) -> None:
    """Write the row that the owner sees in the list of sessions."""
    if not request.session.session_key:
        request.session.create()
    session = open_browser_session(user, request.session.session_key or "", client_of(request))
    request.session[ROW] = str(session.pk)


@receiver(user_logged_out)
def forget_browser(request: HttpRequest, user: User | None, **_: Any) -> None:
    """End the row of the browser that signs out."""
    row = current_browser_session(request)
    if row is not None:
        end_session(row, "signed_out")


@receiver(user_login_failed)
def note_failure(credentials: dict[str, Any], **_: Any) -> None:
    """Log that somebody failed to sign in; the address stays out of the log."""
    audit.record("signin_failed")


def current_browser_session(request: HttpRequest) -> Session | None:
    """The row of this browser's sign-in."""
    row = request.session.get(ROW)
    return Session.objects.live().filter(pk=row).first() if row else None


def rename_browser(request: HttpRequest) -> None:
    """After a password change Django's session has another key; the row follows it."""
    row = current_browser_session(request)
    if row is not None and request.session.session_key:
        row.session_key = request.session.session_key
        row.save(update_fields=["session_key"])
