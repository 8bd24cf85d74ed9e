"""What moderators do to accounts: suspend one, warn, sign out, take a picture away, and back."""

from django.db import transaction

from accounts import audit, signals
from accounts.audit import Target
from accounts.models import Decision, DecisionKind, Session, StaffAct, User
from accounts.services.decisions import UNSAID, Why, decide, undo
from accounts.services.profiles import remove_avatar
from accounts.services.sessions import end_all_sessions, end_session
from tiktok_clone.common.errors import DomainError, not_found

BY_STAFF = "ended_by_staff"


@transaction.atomic
def suspend_person(person_id: int, by: User, why: Why = UNSAID) -> bool:
    """Hide an account and all that it posted from everybody, at once, and end its sessions.

    Nothing is deleted: `restore_person` brings all of it back. They are told when they sign in.

    Returns:
        Whether the account was active before.

    Raises:
        DomainError: one's own account (400), or an administrator's (403).
    """
    person = User.objects.select_for_update(no_key=True).filter(pk=person_id).first()
    if person is None or not person.is_active:
        return False
    check_can_suspend(by, person)
    _set_active(person, active=False)
    decide(by, DecisionKind.SUSPENDED, person.pk, audit.target_of(person), why)
    end_all_sessions(person, "suspended")
    return True


@transaction.atomic
def restore_person(person_id: int, by: User) -> bool:
    """Show a suspended account again.

    Returns:
        Whether it was suspended; a deleted one is not.

    Raises:
        DomainError: one's own account (400), or an administrator's (403).
    """
    people = User.objects.select_for_update(no_key=True).filter(deleted_at=None)
    person = people.filter(pk=person_id).first()
    if person is None or person.is_active:
        return False
    check_can_suspend(by, person)
    _set_active(person, active=True)
    audit.act(by, StaffAct.RESTORED, audit.target_of(person))
    undo(Decision.objects.about(DecisionKind.SUSPENDED, person.pk), by)
    return True


@transaction.atomic
def warn_person(
    person_id: int,
    by: User,
    why: Why = UNSAID,
    *,
    about: Target | None = None,
    subject: str = "",
) -> Decision:
    """Warn somebody.

    Args:
        person_id: whom.
        by: the moderator.
        why: the reason, and words for the person.
        about: what of theirs it is about, with the beginning of its text as `subject`;
            None: they themselves.

    Raises:
        DomainError: `not_found`; one's own account (400), or an administrator's (403).
    """
    person = _find(person_id)
    check_can_suspend(by, person)
    target = about or audit.target_of(person)
    return decide(by, DecisionKind.WARNED, person.pk, target, why, subject)


@transaction.atomic
def remove_picture(person_id: int, by: User, why: Why = UNSAID) -> None:
    """Take somebody's picture away.

    Raises:
        DomainError: `not_found`, also without a picture; otherwise as for `warn_person`.
    """
    person = _find(person_id)
    check_can_suspend(by, person)
    if not person.avatar:
        raise not_found("picture")
    remove_avatar(person)
    decide(by, DecisionKind.PICTURE_REMOVED, person.pk, audit.target_of(person), why)


@transaction.atomic
def sign_out_person(person: User, by: User) -> int:
    """End all sessions of somebody. Returns how many there were."""
    ended = end_all_sessions(person, BY_STAFF)
    audit.act(by, StaffAct.SIGNED_OUT, audit.target_of(person), detail=f"{ended} sessions")
    return ended


@transaction.atomic
def end_session_of(session: Session, by: User) -> None:
    """End one session of somebody."""
    end_session(session, BY_STAFF)
    audit.act(by, StaffAct.SIGNED_OUT, audit.target_of(session.user), detail="1 session")


def may_change(by: User, person: User) -> bool:
    """Whether a moderator may change an account: one's own, or, of staff, if administrator."""
    return by.is_superuser or by.pk == person.pk or not (person.is_staff or person.is_superuser)


def check_can_suspend(by: User, person: User) -> None:
    """Raise when a moderator may not decide about somebody: suspend, restore, warn, remove."""
    if by.pk == person.pk:
        raise DomainError("cannot_suspend_yourself", "This is your own account.")
    if not may_change(by, person):
        raise DomainError(
            "permission_denied", "Only administrators may do this to staff.", status=403
        )


def _find(person_id: int) -> User:
    people = User.objects.select_for_update(no_key=True).filter(deleted_at=None)
    person = people.filter(pk=person_id).first()
    if person is None:
        raise not_found("person")
    return person


def _set_active(person: User, *, active: bool) -> None:
    person.is_active = active
    person.save(update_fields=["is_active"])
    signals.user_changed.send(User, user=person, changed=frozenset({"is_active"}))
