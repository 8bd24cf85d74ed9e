"""Counters of requests in PostgreSQL: exact under concurrency, and there when Redis is away."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts import audit
from accounts.models import ThrottleCount, User
from tiktok_clone.common.errors import DomainError

# One statement counts and reads, so that of many simultaneous requests none is missed.
COUNT = f"""
    INSERT INTO {ThrottleCount._meta.db_table} (key, window_start, count) VALUES (%s, %s, 1)
    ON CONFLICT (key, window_start)
    DO UPDATE SET count = {ThrottleCount._meta.db_table}.count + 1
    RETURNING count
"""  # noqa: S608 - the table's own name


# Where a person's object says which act of theirs has been counted.
AHEAD = "_counted_ahead"
Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Verdict:
    """Whether the request may go on, and else after how many seconds one may."""

    allowed: bool
    retry_after: int


def count(scope: str, who: str) -> Verdict:
    """Count one request.

    Args:
        scope: a key of `settings.THROTTLE_RATES`.
        who: an address or an account; only its keyed hash is stored.
    """
    limit, seconds = settings.THROTTLE_RATES[scope]
    now = int(time.time())
    start = now - now % seconds
    key = f"{scope}:{salted_hmac('throttle', who.lower()).hexdigest()[:32]}"
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [key, datetime.fromtimestamp(start, UTC)])
        counted: int = cursor.fetchone()[0]
    return Verdict(counted <= limit, start + seconds - now)


def check(scope: str, who: str) -> None:
    """Count one request; raise `throttled` (429) when it is one too many."""
    verdict = count(scope, who)
    if not verdict.allowed:
        audit.record("throttled", scope=scope)
        raise too_many(verdict.retry_after)


def limited(
    scope: str,
) -> Callable[
    [Callable[Concatenate[User, Given], Result]], Callable[Concatenate[User, Given], Result]
]:
    """Decorate what a person does (its first argument), so that it has a limit by account.

    It stands above `transaction.atomic`, so that refused attempts count too and no other request
    of the person waits for the counter's row.
    """

    def decorate(
        act: Callable[Concatenate[User, Given], Result],
    ) -> Callable[Concatenate[User, Given], Result]:
        @wraps(act)
        def counted(user: User, *args: Given.args, **kwargs: Given.kwargs) -> Result:
            if user.__dict__.pop(AHEAD, None) != scope:
                check(scope, str(user.pk))
            return act(user, *args, **kwargs)

        return counted

    return decorate


def ahead(scope: str) -> Callable[[HttpRequest], None]:
    """Count what somebody is about to ask of an act that is `limited`, instead of the act.

    For whoever calls it within a transaction, which would take the count of a refusal back.
    """

    def count_ahead(request: HttpRequest) -> None:
        check(scope, str(request.user.pk))
        request.user.__dict__[AHEAD] = scope

    return count_ahead


def too_many(retry_after: int) -> DomainError:
    """The answer to one request too many, in words."""
    minutes = -(-retry_after // 60)
    wait = f"{minutes} minutes" if minutes > 1 else "a minute"
    return DomainError(
        "throttled",
        f"Too many attempts. Try again in {wait}.",
        status=429,
        retry_after=retry_after,
    )
