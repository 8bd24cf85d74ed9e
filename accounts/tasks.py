"""Jobs about people: messages, purging, sweeping. Thin adapters that take ids."""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session as DjangoSession
from django.db.models import Exists, OuterRef
from django.utils import timezone
from procrastinate import RetryStrategy

from accounts import avatars, following, mail, purging
from accounts.models import Decision, Session, ThrottleCount, User
from tiktok_clone.common import jobs, keeping

KEEP_ENDED_SESSIONS = timedelta(days=30)
AFTER_A_BACKUP_SECONDS = 60
# Waits 3, 9, 27, … seconds, 8 hours in all: mail servers are away for longer than databases,
# and some take a stranger's message only at the second try, minutes later.
MAIL_RETRY = RetryStrategy(max_attempts=9, exponential_wait=3)
REQUESTS_A_JOB = 200


@jobs.task(queue="default", retry=MAIL_RETRY)
def send_verification(user_id: int) -> None:
    """Send the link that verifies the address, unless it is verified."""
    user = User.objects.active().filter(pk=user_id, email_verified_at=None).first()
    if user is not None:
        mail.send_verification_mail(user)


@jobs.task(queue="default", retry=MAIL_RETRY)
def send_password_reset(user_id: int) -> None:
    """Send the link that sets a new password; 0 stands for an address that nobody has."""
    user = User.objects.active().filter(pk=user_id).first()
    if user is not None:
        mail.send_reset_mail(user)


@jobs.task(queue="default", retry=MAIL_RETRY)
def send_decision(decision_id: int, settled: bool) -> None:
    """Tell somebody what moderators decided, suspended people too, or what became of it."""
    decisions = Decision.objects.select_related("person", "appeal")
    decision = decisions.filter(pk=decision_id, person__deleted_at=None).first()
    if decision is not None:
        mail.send_decision_mail(decision, settled=settled)


@jobs.task(queue="default", retry=jobs.RETRY)
def purge_account(user_id: int) -> None:
    """Remove a deleted account with everything that it posted."""
    purging.purge(user_id)


@jobs.task(queue="default", retry=jobs.RETRY)
def accept_waiting(user_id: int) -> None:
    """Accept who asked to follow an account that has become public, some in each job."""
    if following.accept_waiting(user_id, limit=REQUESTS_A_JOB):
        jobs.enqueue(accept_waiting, user_id=user_id)


@jobs.task(queue="default", retry=jobs.RETRY)
def sweep_avatar(folder: str) -> None:
    """Remove a picture's objects unless somebody shows it, or a backup copies them now."""
    with keeping.deleting() as allowed:
        if allowed:
            avatars.remove_if_unused(folder)
            return
    jobs.enqueue(sweep_avatar, delay=AFTER_A_BACKUP_SECONDS, folder=folder)


@jobs.periodic(cron="37 3 * * *")
@jobs.task(queue="default", queueing_lock="forget_old_rows", retry=jobs.RETRY)
def forget_old_rows(timestamp: int) -> None:
    """Drop throttle counts of past windows and sessions that ended or ran out long ago."""
    now = timezone.now()
    ThrottleCount.objects.filter(window_start__lt=now - timedelta(days=1)).delete()
    Session.objects.filter(ended_at__lt=now - KEEP_ENDED_SESSIONS).delete()
    Session.objects.filter(
        kind=Session.Kind.API, last_used_at__lt=now - settings.REFRESH_TOKEN_LIFETIME
    ).delete()
    DjangoSession.objects.filter(expire_date__lt=now).delete()
    alive = DjangoSession.objects.filter(session_key=OuterRef("session_key"))
    Session.objects.filter(kind=Session.Kind.BROWSER, ended_at=None).exclude(Exists(alive)).delete()
