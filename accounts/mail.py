"""Messages to a person's address, and the signed links in them."""

from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import audit
from accounts.models import Decision, User
from tiktok_clone.common.signing import current_epoch

SALT = "accounts.verify-email"
VERIFICATION_LIFETIME_SECONDS = 7 * 24 * 60 * 60
REFUSED_FOR_GOOD = 500  # statuses of SMTP from here on; those in the 400s mean: later


def verification_token(user: User) -> str:
    """Sign that this account asked to verify this address."""
    return signing.dumps([user.pk, user.email, current_epoch()], salt=SALT)


def read_verification_token(token: str) -> tuple[int, str]:
    """Return user id and address; raises `signing.BadSignature` for what is not ours or old."""
    user_id, email, epoch = signing.loads(token, salt=SALT, max_age=VERIFICATION_LIFETIME_SECONDS)
    if epoch != current_epoch():
        raise signing.BadSignature
    return user_id, email


def reset_link(user: User) -> tuple[str, str]:
    """Return the two parts that a link to reset the password carries."""
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)


def send_verification_mail(user: User) -> None:
    """Send the link that verifies the address."""
    path = reverse("verify-email", args=[verification_token(user)])
    _send(user, "verify", "Verify your e-mail address", path)


def send_reset_mail(user: User) -> None:
    """Send the link that sets a new password."""
    path = reverse("password-reset-confirm", args=reset_link(user))
    _send(user, "reset", "Reset your password", path)


def send_decision_mail(decision: Decision, *, settled: bool) -> None:
    """Say what moderators decided, or what became of it, and how to appeal."""
    person = decision.person
    path = decision.get_absolute_url() if person.is_active else reverse("signin")
    template = "settled" if settled else "decision"
    _send(person, template, "A message from the moderators", path, decision=decision)


def _send(user: User, template: str, subject: str, path: str, **context: object) -> None:
    """Hand a message to the mail server.

    A server that says that there is no such mailbox is believed: trying again would change
    nothing. Whatever else goes wrong is raised, and the job tries again.
    """
    context |= {
        "person": user,
        "SITE_NAME": settings.SITE_NAME,
        "link": f"{settings.SITE_URL}{path}",
        "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
    }
    message = EmailMessage(
        f"{subject} – {settings.SITE_NAME}",
        render_to_string(f"accounts/mail/{template}.txt", context),
        to=[user.email],
        headers={"Auto-Submitted": "auto-generated"},  # no answers from absent people
    )
    try:
        message.send()
    except SMTPRecipientsRefused as refused:
        [(status, _)] = refused.recipients.values()
        if status < REFUSED_FOR_GOOD:
            raise
        audit.record("mail_refused", user=user.pk, status=status)
