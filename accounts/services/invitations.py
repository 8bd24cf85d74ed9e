"""Who may sign up: everybody, whoever brings an invitation, or nobody (`SIGNUP_MODE`)."""

from datetime import datetime

from django.conf import settings
from django.db.models import F

from accounts.models import Invitation, User
from tiktok_clone.common.errors import DomainError

OPEN, INVITE, CLOSED = settings.SIGNUP_MODES


def invite(
    created_by: User | None = None,
    *,
    note: str = "",
    max_uses: int = 1,
    expires_at: datetime | None = None,
) -> Invitation:
    """Make an invitation, with which `max_uses` people may sign up.

    Args:
        created_by: who invites; None for the command line.
        note: for whom or what for, up to 100 characters.
        max_uses: 1 or more.
        expires_at: works until then; None: until it is used up.
    """
    return Invitation.objects.create(
        created_by=created_by, note=note, max_uses=max_uses, expires_at=expires_at
    )


def check_sign_up_is_open() -> None:
    """Raise `sign_up_closed` (403) where nobody may make an account."""
    if settings.SIGNUP_MODE == CLOSED:
        raise DomainError(
            "sign_up_closed", "This site takes no new accounts at present.", status=403
        )


def find_invitation(code: str) -> Invitation | None:
    """Look whether somebody may sign up now, before anything else is done for them.

    The answer depends on the mode and the code alone, so that it tells nothing about the
    address or handle that was entered with it.

    Returns:
        The invitation to use; None where none is needed.

    Raises:
        DomainError: `sign_up_closed` (403); `invitation_required` or `invitation_invalid`
            for the field `invitation`.
    """
    check_sign_up_is_open()
    if settings.SIGNUP_MODE == OPEN:
        return None
    code = code.strip()
    if not code:
        raise _refused("invitation_required", "You need an invitation to sign up here.")
    found = None if "\0" in code else Invitation.objects.usable().filter(code=code).first()
    if found is None:
        raise _unusable()
    return found


def use_invitation(invitation: Invitation) -> None:
    """Count one use, in the transaction that makes the account.

    One conditional UPDATE on the row's own columns: of many sign-ups at the same moment no
    more get through than the invitation is good for, and one that fails gives its use back.

    Raises:
        DomainError: `invitation_invalid`, as the last use went to somebody else meanwhile.
    """
    usable = Invitation.objects.usable().filter(pk=invitation.pk)
    if not usable.update(used_count=F("used_count") + 1):
        raise _unusable()


def _unusable() -> DomainError:
    return _refused(
        "invitation_invalid",
        "This invitation does not work: it was used up, is too old, or was mistyped.",
    )


def _refused(code: str, message: str) -> DomainError:
    return DomainError(code, message, fields={"invitation": [(code, message)]})
