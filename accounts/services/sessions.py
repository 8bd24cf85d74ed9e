"""Sign-ins as rows: opened, rotated, ended."""

import uuid
from importlib import import_module

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit, signals
from accounts.clients import Client
from accounts.models import Session, User
from tiktok_clone.common.errors import DomainError


def open_api_session(user: User, client: Client) -> Session:
    """Make the session whose `token_id` names the one valid refresh token."""
    audit.record("session_opened", user=user.pk, kind=Session.Kind.API)
    return Session.objects.create(
        user=user,
        kind=Session.Kind.API,
        token_id=uuid.uuid4(),
        ip=client.ip or None,
        user_agent=client.user_agent,
    )


def open_browser_session(user: User, session_key: str, client: Client) -> Session:
    """Remember a browser's Django session, so that its owner can see and end it."""
    audit.record("session_opened", user=user.pk, kind=Session.Kind.BROWSER)
    return Session.objects.create(
        user=user,
        kind=Session.Kind.BROWSER,
        session_key=session_key,
        ip=client.ip or None,
        user_agent=client.user_agent,
    )


def rotate(session_id: uuid.UUID, token_id: uuid.UUID) -> Session:
    """Exchange a refresh token for the next one.

    One conditional UPDATE on the row's own columns: of many simultaneous uses of one
    token exactly one matches. Any other use of a token that was already exchanged means
    that two parties have it, so the session ends.

    Raises:
        DomainError: `session_ended` (401).
    """
    next_id = uuid.uuid4()
    rotated = Session.objects.filter(pk=session_id, token_id=token_id, ended_at=None).update(
        token_id=next_id, last_used_at=timezone.now()
    )
    if not rotated:
        _end_reused(session_id)
        raise session_ended()
    session = Session.objects.select_related("user").get(pk=session_id)
    if not session.user.is_active:
        end_session(session, "account_inactive")
        raise session_ended()
    return session


def session_ended() -> DomainError:
    """The one answer to a refresh token that is not valid, whatever the reason."""
    return DomainError("session_ended", "This session has ended. Sign in again.", status=401)


def _end_reused(session_id: uuid.UUID) -> None:
    session = Session.objects.live().filter(pk=session_id).first()
    if session is not None:
        audit.record("token_reused", user=session.user_id, session=session_id)
        end_session(session, "token_reuse")


def end_session(session: Session, reason: str) -> None:
    """End one session; an ended one stays as it is."""
    _end(Session.objects.filter(pk=session.pk), reason)


def end_own_session(user: User, session_id: uuid.UUID, reason: str = "ended_by_owner") -> None:
    """End one of one's own sessions.

    Raises:
        DomainError: `not_found`, for those of others as well.
    """
    sessions = user.sessions.live().filter(pk=session_id)
    if not _end(sessions, reason):
        raise DomainError("not_found", "There is no such session.", status=404)


def end_all_sessions(user: User, reason: str, *, keep: uuid.UUID | None = None) -> int:
    """End all sessions of a person, but for `keep`. Returns how many were ended."""
    audit.record("sessions_ended", user=user.pk, reason=reason)
    others = user.sessions.exclude(pk=keep) if keep else user.sessions.all()
    return _end(others, reason)


def _end(sessions: QuerySet[Session], reason: str) -> int:
    with transaction.atomic():
        live = sessions.filter(ended_at=None)
        found = list(live.values_list("user_id", "session_key"))
        ended = live.update(ended_at=timezone.now(), ended_reason=reason, token_id=None)
        for _, key in found:
            if key:
                forget_browser(key)
        if found:
            signals.sessions_ended.send(Session, user_ids={user_id for user_id, _ in found})
    return ended


def forget_browser(session_key: str) -> None:
    """Delete a Django session: that browser's next request is anonymous."""
    import_module(settings.SESSION_ENGINE).SessionStore(session_key).delete()
