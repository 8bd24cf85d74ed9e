"""Mute words and hashtags, and take it back: idempotent, and never more than MOST_MUTED_WORDS."""

from django.db import transaction

from accounts import rules, signals
from accounts.models import MutedWord, User
from tiktok_clone.common.errors import DomainError, not_found

MOST_MUTED_WORDS = 200


@transaction.atomic
def mute_word(user: User, text: str) -> tuple[MutedWord, bool]:
    """Come across a word, a phrase or a `#hashtag` no more; the same again changes nothing.

    Words are the same whatever their letter case and accents.

    Returns:
        The row, and whether it is new.

    Raises:
        DomainError: `invalid` for `text`, or `too_many_muted_words` (409).
    """
    shown, tag, pattern = _read(text)
    _lock(user)
    held = MutedWord.objects.filter(user=user)
    known = held.filter(pattern=pattern).first()
    if known is not None:
        return known, False
    if held.count() >= MOST_MUTED_WORDS:
        raise DomainError(
            "too_many_muted_words",
            f"You mute {MOST_MUTED_WORDS} words already. Remove one of them first.",
            status=409,
        )
    row = MutedWord.objects.create(user=user, text=shown, tag=tag, pattern=pattern)
    _tell(user, mutes_words=True)
    return row, True


def unmute_word(user: User, text: str) -> None:
    """Take a muted word or `#hashtag` back, if there is one.

    Raises:
        DomainError: `invalid` for `text`.
    """
    _delete(user, pattern=_read(text)[2])


def remove_muted_word(user: User, word_id: int) -> None:
    """Take a muted word back by its id.

    Raises:
        DomainError: `not_found`, as it is not one's own or went before.
    """
    if not _delete(user, pk=word_id):
        raise not_found("muted word")


@transaction.atomic
def _delete(user: User, **which: str | int) -> bool:
    _lock(user)
    held = MutedWord.objects.filter(user=user)
    gone, _ = held.filter(**which).delete()
    if gone:
        _tell(user, mutes_words=held.exists())
    return bool(gone)


def _lock(user: User) -> None:
    """Keep two at once from going over the limit, and the account's flag equal to the rows."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _tell(user: User, *, mutes_words: bool) -> None:
    User.objects.filter(pk=user.pk).update(mutes_words=mutes_words)
    user.mutes_words = mutes_words
    signals.muted_words_changed.send(MutedWord, user_id=user.pk)


def _read(text: str) -> tuple[str, str, str]:
    try:
        return rules.muted_word(text)
    except rules.WrongError as wrong:
        raise rules.invalid_fields({"text": wrong.problems}) from None
