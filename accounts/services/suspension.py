"""What moderators do to accounts: suspend one, and take that back."""

from django.db import transaction

from accounts import audit, signals
from accounts.models import User
from accounts.services.sessions import end_all_sessions
from tiktok_clone.common.errors import DomainError


@transaction.atomic
def suspend_person(person_id: int, by: User) -> bool:
    """Hide an account and all that it posted from everybody, at once, and end its sessions.

    Nothing is deleted: `restore_person` brings all of it back.

    Returns:
        Whether the account was active before.

    Raises:
        DomainError: one's own account (400), or an administrator's (403).
    """
    person = User.objects.select_for_update(no_key=True).filter(pk=person_id).first()
    if person is None or not person.is_active:
        return False
    check_can_suspend(by, person)
    _set_active(person, by, active=False)
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
    _set_active(person, by, active=True)
    return True


def may_change(by: User, person: User) -> bool:
    """Whether a moderator may change an account: one's own, or, of staff, if administrator."""
    return by.is_superuser or by.pk == person.pk or not (person.is_staff or person.is_superuser)


def check_can_suspend(by: User, person: User) -> None:
    """Raise when a moderator may not suspend or restore somebody, or remove what they posted."""
    if by.pk == person.pk:
        raise DomainError("cannot_suspend_yourself", "This is your own account.")
    if not may_change(by, person):
        raise DomainError(
            "permission_denied", "Only administrators may do this to staff.", status=403
        )


def _set_active(person: User, by: User, *, active: bool) -> None:
    person.is_active = active
    person.save(update_fields=["is_active"])
    signals.user_changed.send(User, user=person, changed=frozenset({"is_active"}))
    audit.record("restored" if active else "suspended", user=person.pk, by=by.pk)
