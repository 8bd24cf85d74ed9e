"""The log of sign-ins, failures and denials: ids and reasons, never addresses or tokens.

What staff does to people and to what is theirs is a row as well, in the transaction of the act.
"""

import logging
from dataclasses import dataclass

from accounts.models import ModerationAct, User
from accounts.models.moderation import WORDS_MAX

log = logging.getLogger("audit")


def record(event: str, **facts: object) -> None:
    """Write one line, e.g. `signin user=7 kind=api`."""
    log.info("%s", " ".join([event, *(f"{name}={value}" for name, value in facts.items())]))


@dataclass(frozen=True)
class Target:
    """What an act is about, as the log names it: `Target("video", 7, "clip 7 of @ada")`."""

    kind: str
    pk: int
    label: str


def target_of(person: User) -> Target:
    """Name a person."""
    return Target("user", person.pk, str(person))


def act(
    by: User | None,
    name: str,
    target: Target,
    *,
    reason: str = "",
    detail: str = "",
    **facts: object,
) -> None:
    """Write what staff did as a row and as a line.

    Args:
        by: who did it; None for our own code.
        name: of `ModerationAct.ACTS`.
        target: to whom or what.
        reason: of `Reason`.
        detail: the words that came with it, or what was changed; up to 500 characters.
        facts: more for the line alone.
    """
    ModerationAct.objects.create(
        by_id=by.pk if by is not None else None,
        by_label=str(by) if by is not None else "system",
        act=name,
        target_kind=target.kind,
        target_id=target.pk,
        target_label=target.label[:100],
        reason=reason,
        detail=detail[:WORDS_MAX],
    )
    record(name, **{target.kind: target.pk}, **facts, by=by.pk if by is not None else "system")
