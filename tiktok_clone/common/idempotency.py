"""Answers kept by the key that a client sends, so that a repeated request is done once.

Whoever works on a key holds an advisory lock of PostgreSQL, which ends with the connection: a
process that is killed leaves no key behind that looks as if it were still at work. The answer is
written in the transaction of the act, so there is never one without the other.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.models import IdempotencyRecord

KEPT = timedelta(hours=24)
VISIBLE = re.compile(r"[!-~]{1,255}")
RETRY_SECONDS = 1


@dataclass(frozen=True)
class Attempt:
    """A request under a key. `answer` is what was answered before, as (status, body), or None."""

    actor: int
    key: str
    fingerprint: str
    answer: tuple[int, Any] | None

    def finish(self, status: int, body: Any) -> None:
        """Keep the answer; call it within the transaction of the act. Again replaces it."""
        record = IdempotencyRecord(
            actor=self.actor,
            key=self.key,
            fingerprint=self.fingerprint,
            status=status,
            body=body,
        )
        IdempotencyRecord.objects.bulk_create(
            [record],
            update_conflicts=True,
            unique_fields=["actor", "key"],
            update_fields=["fingerprint", "status", "body", "created_at"],
        )


@contextmanager
def attempt(actor: int, key: str, fingerprint: str) -> Iterator[Attempt]:
    """Hold a key while its request is worked on.

    Args:
        actor: id of the account; keys of different accounts have nothing to do with each other.
        key: 1 to 255 visible ASCII characters, chosen by the client.
        fingerprint: of what is asked, see `fingerprint_of`.

    Raises:
        DomainError: `invalid_idempotency_key` (400), `idempotency_key_reused` (422) for another
            request, `idempotency_key_in_use` (409) while the first is still at work.
    """
    if not VISIBLE.fullmatch(key):
        raise DomainError(
            "invalid_idempotency_key", "Idempotency-Key takes 1 to 255 visible ASCII characters."
        )
    with _held(actor, key):
        yield Attempt(actor, key, fingerprint, _answer(actor, key, fingerprint))


def fingerprint_of(*parts: Any) -> str:
    """Return the SHA-256 of what a request asks for, in hexadecimal."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def forget_old_answers() -> int:
    """Delete answers that nobody may ask for any more; returns how many."""
    deleted, _ = IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted


def _answer(actor: int, key: str, fingerprint: str) -> tuple[int, Any] | None:
    since = timezone.now() - KEPT
    held = IdempotencyRecord.objects.filter(actor=actor, key=key, created_at__gte=since).first()
    if held is None:
        return None
    if held.fingerprint != fingerprint:
        raise DomainError(
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request. Choose a new one.",
            status=422,
        )
    return held.status, held.body


@contextmanager
def _held(actor: int, key: str) -> Iterator[None]:
    digest = hashlib.sha256(f"idempotency:{actor}:{key}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    if not _ask("SELECT pg_try_advisory_lock(%s)", number):
        raise DomainError(
            "idempotency_key_in_use",
            "The first request with this Idempotency-Key is still at work. Try again.",
            status=409,
            retry_after=RETRY_SECONDS,
        )
    try:
        yield
    finally:
        with suppress(DatabaseError):  # a connection that broke has let go of it by itself
            _ask("SELECT pg_advisory_unlock(%s)", number)


def _ask(sql: str, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [number])
        return bool(cursor.fetchone()[0])
