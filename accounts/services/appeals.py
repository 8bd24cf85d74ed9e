"""Appeals: what a person says to a decision about them, once, signed in or by a signed link."""

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from accounts import audit, rules
from accounts.models import Appeal, Decision, DecisionKind, User
from accounts.models.moderation import DecisionQuerySet
from tiktok_clone.common.errors import DomainError, not_found
from tiktok_clone.common.signing import current_epoch

SALT = "accounts.appeal"
# Whoever signs in gets a new one, so it needs to last no longer than writing takes.
LINK_LIFETIME_SECONDS = 60 * 60


def suspension_of(user: User) -> Decision | None:
    """Return the decision by which an account is suspended; None for one that is not."""
    if user.is_active or user.is_deleted:
        return None
    found = Decision.objects.standing().about(DecisionKind.SUSPENDED, user.pk)
    return found.order_by("-pk").first()


def account_suspended(decision: Decision) -> DomainError:
    """The answer to who knows the password of a suspended account: why, and how to appeal."""
    token = appeal_token(decision)
    return DomainError(
        "account_suspended",
        f"This account is suspended. The reason: {decision.why}",
        status=403,
        facts={
            "appeal_token": token,
            "appeal_url": f"{settings.SITE_URL}{reverse('suspension', args=[token])}",
        },
    )


def appeal_token(decision: Decision) -> str:
    """Sign that its person may read a suspension and appeal for a while, without a session."""
    return signing.dumps([decision.pk, current_epoch()], salt=SALT)


def find_suspension(token: str) -> Decision:
    """Return the decision that a link names.

    Raises:
        DomainError: `invalid_link`, also for one that is too old.
    """
    try:
        pk, epoch = signing.loads(token, salt=SALT, max_age=LINK_LIFETIME_SECONDS)
    except signing.BadSignature:
        raise _bad_link() from None
    decisions = Decision.objects.select_related("person", "appeal")
    decision = decisions.filter(pk=pk, person__deleted_at=None).first()
    if decision is None or epoch != current_epoch():
        raise _bad_link()
    return decision


def decisions_about(person: User) -> DecisionQuerySet:
    """Return what was decided about somebody with their appeals, the latest first."""
    return Decision.objects.filter(person=person).select_related("appeal").order_by("-pk")


def find_own(person: User, decision_id: int) -> Decision:
    """Return a decision about oneself. Raises `not_found`, for those about others as well."""
    decision = decisions_about(person).filter(pk=decision_id).first()
    if decision is None:
        raise not_found("decision")
    return decision


def appeal(decision: Decision, text: str) -> Appeal:
    """Appeal to a decision about oneself, once; whoever calls knows that it is.

    Raises:
        DomainError: `invalid` for `text`; `appealed_already` or `decision_undone` (409).
    """
    words = rules.gather(text=lambda: rules.appeal(text))["text"]
    with transaction.atomic():
        # The lock keeps it from being taken back meanwhile, and the second of two at once out.
        locked = Decision.objects.select_for_update(no_key=True).filter(pk=decision.pk).first()
        if locked is None:
            raise not_found("decision")
        if locked.undone_at is not None:
            raise DomainError("decision_undone", "This was taken back already.", status=409)
        if Appeal.objects.filter(decision=locked).exists():
            message = "You have appealed already. The answer stands here when there is one."
            raise DomainError("appealed_already", message, status=409)
        made = Appeal.objects.create(decision=locked, text=words)
        audit.record("appealed", user=locked.person_id, decision=locked.pk, appeal=made.pk)
    return made


def _bad_link() -> DomainError:
    return DomainError("invalid_link", "This link is too old. Sign in again to get a new one.")
