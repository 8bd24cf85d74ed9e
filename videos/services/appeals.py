"""Answers to appeals: a decision stays, or is taken back with what it did."""

from django.db import transaction
from django.utils import timezone

from accounts import audit, rules, signals
from accounts.audit import Target
from accounts.models import Appeal, Decision, DecisionKind, StaffAct, User
from accounts.models.moderation import WORDS_MAX
from accounts.services import restore_person, tell, undo
from tiktok_clone.common.errors import DomainError, invalid, not_found
from videos import publication
from videos.services.moderation import show_video

ANSWERS = (Appeal.State.UPHELD, Appeal.State.REVERSED)


@transaction.atomic
def answer_appeal(appeal_id: int, state: str, answer: str, by: User) -> Appeal:
    """Answer an appeal that waits; its person is told either way.

    Args:
        appeal_id: which.
        state: `upheld`: the decision stays; `reversed`: the clip is shown again, the suspension
            lifted. What was removed stays away, and its person reads that it should not have been.
        answer: words for the person; may be empty.
        by: the moderator.

    Raises:
        DomainError: `not_found`; `answered_already` (409); `own_appeal` (403); `invalid` for
            `state` or `answer`; or what lifting a suspension raises.
    """
    if state not in ANSWERS:
        raise invalid("state", "invalid_choice", f"Choose one of: {', '.join(ANSWERS)}.")
    words = rules.gather(answer=lambda: rules.words(answer, WORDS_MAX))["answer"]
    appeal = _lock(appeal_id, by)
    appeal.state, appeal.answer = state, words
    appeal.answered_by, appeal.answered_at = by, timezone.now()
    appeal.save(update_fields=["state", "answer", "answered_by", "answered_at"])
    decision = appeal.decision
    target = Target("appeal", appeal.pk, f"appeal of {decision.person}")
    detail = ". ".join(filter(None, [appeal.get_state_display(), words]))
    audit.act(by, StaffAct.APPEAL_ANSWERED, target, detail=detail, state=state)
    if appeal.is_reversed:
        _reverse(decision, by)
    else:
        tell(decision, signals.decision_settled)
    return appeal


def _lock(appeal_id: int, by: User) -> Appeal:
    """Lock what the decision is about before the appeal, as whoever undoes one without it does."""
    found = Appeal.objects.filter(pk=appeal_id).select_related("decision").first()
    if found is None:
        raise not_found("appeal")
    decision = found.decision
    if decision.person_id == by.pk:
        message = "This is your own appeal; somebody else has to answer it."
        raise DomainError("own_appeal", message, status=403)
    if decision.kind == DecisionKind.HIDDEN:
        publication.lock(decision.target_id)
    list(User.objects.select_for_update(no_key=True).filter(pk=decision.person_id))
    appeals = Appeal.objects.select_for_update(of=("self",)).select_related("decision__person")
    appeal = appeals.get(pk=appeal_id)
    if appeal.state != Appeal.State.WAITING:
        raise DomainError("answered_already", "This appeal has an answer already.", status=409)
    return appeal


def _reverse(decision: Decision, by: User) -> None:
    if decision.kind == DecisionKind.HIDDEN:
        show_video(decision.target_id, by)
    elif decision.kind == DecisionKind.SUSPENDED:
        restore_person(decision.person_id, by)
    # What cannot be undone, or was undone by somebody else, does not stand any longer.
    undo(Decision.objects.filter(pk=decision.pk), by)
