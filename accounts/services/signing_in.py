"""Sign-up, sign-in, and passwords."""

from dataclasses import dataclass

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode

from accounts import audit, rules, signals, tasks, throttling
from accounts.clients import Client
from accounts.mail import read_verification_token
from accounts.models import Session, User
from accounts.services import appeals
from accounts.services.invitations import check_sign_up_is_open, find_invitation, use_invitation
from accounts.services.sessions import end_all_sessions
from tiktok_clone.common import jobs
from tiktok_clone.common.errors import DomainError, invalid


@dataclass(frozen=True)
class SignUp:
    """What a person enters; `name` may be empty, `invitation` where none is needed."""

    email: str
    password: str
    handle: str
    name: str = ""
    invitation: str = ""


def sign_up(entered: SignUp, client: Client) -> User:
    """Create an account and send a message to verify its address.

    The password is hashed before anybody looks whether the address is known, so that
    the time it takes tells nothing.

    Args:
        entered: what the person entered.
        client: counted against the limit of sign-ups.

    Raises:
        DomainError: `invalid` with the fields, `throttled`, `sign_up_closed` (403),
            `invitation_required` or `invitation_invalid`.
    """
    check_sign_up_is_open()
    values = rules.gather(
        email=lambda: rules.email(entered.email),
        handle=lambda: rules.handle(entered.handle),
        name=lambda: rules.name(entered.name or entered.handle),
        password=lambda: rules.password(
            entered.password, email=entered.email, handle=entered.handle
        ),
    )
    throttling.check("signup_ip", client.network)
    invitation = find_invitation(entered.invitation)
    hashed = make_password(values.pop("password"))
    try:
        with transaction.atomic():
            if invitation is not None:
                use_invitation(invitation)
            user = User(**values, password=hashed, invitation=invitation)
            user.save()
            jobs.enqueue(tasks.send_verification, user_id=user.pk)
            signals.user_signed_up.send(User, user=user)
    except IntegrityError as error:
        raise taken(error) from error
    audit.record("signup", user=user.pk)
    return user


def taken(error: IntegrityError) -> DomainError:
    """Say which of the unique values somebody else has."""
    if "handle" in str(error):
        return invalid("handle", "taken", "This handle is taken. Choose another one.")
    if "email" in str(error):
        return invalid("email", "taken", "There is an account with this address. Sign in instead.")
    raise error


def sign_in(email: str, password: str, client: Client) -> User:
    """Check an address and a password, at the same price whether or not the address is known.

    Raises:
        DomainError: `invalid_credentials` (401), one sentence for every reason; `throttled`;
            for who knows the password of a suspended account, `account_suspended` (403).
    """
    throttling.check("signin_ip", client.network)
    throttling.check("signin_email", email.strip())
    user = None
    if "\0" not in email and len(password) <= 128:
        user = authenticate(username=email.strip(), password=password)
    suspended = appeals.suspension_of(user) if isinstance(user, User) else None
    if suspended is not None:
        audit.record("signin_refused", user=suspended.person_id, reason="suspended")
        raise appeals.account_suspended(suspended)
    if not isinstance(user, User) or not user.is_active:
        raise DomainError(
            "invalid_credentials", "The e-mail address or the password is wrong.", status=401
        )
    return user


def check_password(user: User, password: str, field: str = "current_password") -> None:
    """Ask again who it is; raises `invalid` for `field`, or `throttled`."""
    throttling.check("signin_email", user.email)
    if len(password) > 128 or not user.check_password(password):
        audit.record("password_refused", user=user.pk)
        raise invalid(field, "wrong_password", "This is not your password.")


def change_password(user: User, current: str, new: str, *, keep: Session | None = None) -> None:
    """Set another password and end every session but `keep`.

    Raises:
        DomainError: `invalid` for `current_password` or `new_password`, or `throttled`.
    """
    check_password(user, current)
    _set_password(user, new, "password_changed", keep)


def request_password_reset(email: str, client: Client) -> None:
    """Send a link to the address if it is known; the caller cannot tell.

    A job is written in both cases: the work in the request is the same.
    """
    throttling.check("password_reset_ip", client.network)
    throttling.check("password_reset_ip", f"address {email.strip()}")
    known = None
    if "\0" not in email:
        known = User.objects.active().by_reference(email.strip().lstrip("@")).first()
    jobs.enqueue(tasks.send_password_reset, user_id=known.pk if known else 0)


def find_by_reset_link(uid: str, token: str) -> User:
    """The person whom a link from a message names.

    Raises:
        DomainError: `invalid_link`, also for one that is too old or was used.
    """
    try:
        user_id = int(urlsafe_base64_decode(uid).decode("ascii"))
    except (ValueError, OverflowError):
        raise bad_link() from None
    user = User.objects.active().filter(pk=user_id).first() if user_id < 2**63 else None
    if user is None or not default_token_generator.check_token(user, token):
        raise bad_link()
    return user


def reset_password(uid: str, token: str, new: str) -> User:
    """Set the password by a link from a message; ends all sessions.

    Raises:
        DomainError: `invalid_link`, or `invalid` for `new_password`.
    """
    user = find_by_reset_link(uid, token)
    _set_password(user, new, "password_reset", None)
    return user


def verify_email(token: str) -> User:
    """Believe that the address belongs to the account that a link names.

    Raises:
        DomainError: `invalid_link`.
    """
    try:
        user_id, email = read_verification_token(token)
    except signing.BadSignature:
        raise bad_link() from None
    user = User.objects.active().filter(pk=user_id, email__iexact=email).first()
    if user is None:
        raise bad_link()
    User.objects.filter(pk=user.pk, email_verified_at=None).update(email_verified_at=timezone.now())
    return user


def send_verification_again(user: User, client: Client) -> None:
    """Send the message with the link once more."""
    throttling.check("password_reset_ip", client.network)
    jobs.enqueue(tasks.send_verification, user_id=user.pk)


def bad_link() -> DomainError:
    """The one answer to a link that does not work, whatever the reason."""
    return DomainError("invalid_link", "This link is too old or was used. Ask for a new one.")


def _set_password(user: User, new: str, reason: str, keep: Session | None) -> None:
    rules.gather(new_password=lambda: rules.password(new, email=user.email, handle=user.handle))
    user.password = make_password(new)
    with transaction.atomic():
        user.save(update_fields=["password"])
        end_all_sessions(user, reason, keep=keep.pk if keep else None)
    audit.record(reason, user=user.pk)
