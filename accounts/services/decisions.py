"""Decisions of moderators about people: made with a reason, told, and taken back."""

from dataclasses import dataclass

from django.dispatch import Signal
from django.utils import timezone

from accounts import audit, rules, signals, tasks
from accounts.audit import Target
from accounts.models import Appeal, Decision, DecisionKind, Reason, User
from accounts.models.moderation import SUBJECT_MAX, WORDS_MAX, DecisionQuerySet
from tiktok_clone.common import jobs


@dataclass(frozen=True)
class Why:
    """The reason for a decision, and what the person is told besides."""

    reason: str = Reason.OTHER
    words: str = ""


# For our own code; the forms of the administration ask for a reason.
UNSAID = Why()


def read_why(reason: str, words: str) -> Why:
    """Check what a moderator entered; whoever chooses "something else" says what.

    Raises:
        DomainError: `invalid` for `reason` or `words`.
    """
    values = rules.gather(
        reason=lambda: rules.choice(reason, Reason),
        words=lambda: rules.words(words, WORDS_MAX),
    )
    if values["reason"] == Reason.OTHER and not values["words"]:
        missing = ("required", "Say in words why.")
        raise rules.invalid_fields({"words": [missing]})
    return Why(**values)


def decide(
    by: User | None,
    kind: DecisionKind,
    person_id: int,
    target: Target,
    why: Why,
    subject: str = "",
    **facts: object,
) -> Decision:
    """Write down what was decided, in the transaction of the act, and have the person told.

    Args:
        by: the moderator; None for our own code.
        kind: what was done.
        person_id: whom it concerns.
        target: what it was done to.
        why: the reason, and words for the person.
        subject: the caption or the text that it is about; its beginning is kept.
        facts: more for the log line.
    """
    decision = Decision.objects.create(
        person_id=person_id,
        kind=kind,
        target_kind=target.kind,
        target_id=target.pk,
        subject=_beginning(subject),
        reason=why.reason,
        words=why.words,
        by=by,
    )
    audit.act(by, kind, target, reason=why.reason, detail=why.words, **facts)
    tell(decision, signals.decision_made)
    return decision


def undo(decisions: DecisionQuerySet, by: User | None) -> None:
    """Take back those of some decisions that stand; an appeal that waits has been right.

    To be called in the transaction of what undoes the act itself.
    """
    standing = decisions.standing().select_for_update(no_key=True).order_by("pk")
    for decision in standing:
        decision.undone_at = timezone.now()
        decision.save(update_fields=["undone_at"])
        waiting = Appeal.objects.filter(decision=decision, state=Appeal.State.WAITING)
        waiting.update(state=Appeal.State.REVERSED, answered_by=by, answered_at=decision.undone_at)
        tell(decision, signals.decision_settled)


def tell(decision: Decision, news: Signal) -> None:
    """Tell the person on the site, by who listens, and by e-mail."""
    news.send(Decision, decision=decision)
    jobs.enqueue(
        tasks.send_decision,
        decision_id=decision.pk,
        settled=news is signals.decision_settled,
    )


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SUBJECT_MAX else f"{line[: SUBJECT_MAX - 1]}…"
