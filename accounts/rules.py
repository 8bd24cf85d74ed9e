"""What an address, a handle, a name and a password must be. One place for API, pages and code."""

import re
import unicodedata
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import TextChoices

from accounts.models import HANDLE_PATTERN, User
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.folding import fold, read_tag, whole_words

Problem = tuple[str, str]
NAME_MAX = 50
BIO_MAX = 160
MUTED_WORD_MAX = 100
APPEAL_MAX = 1000


class WrongError(Exception):
    """One value is wrong: code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.problems: list[Problem] = [(code, message)]


def gather(**checks: Callable[[], str]) -> dict[str, str]:
    """Run a check for each field; raise one DomainError that names every field that is wrong."""
    values: dict[str, str] = {}
    problems: dict[str, list[Problem]] = {}
    for field, check in checks.items():
        try:
            values[field] = check()
        except WrongError as wrong:
            problems[field] = wrong.problems
    if problems:
        raise invalid_fields(problems)
    return values


def invalid_fields(problems: dict[str, list[Problem]]) -> DomainError:
    """The error for fields that are wrong, by name."""
    field, first = next(iter(problems.items()))
    return DomainError("invalid", f"{field}: {first[0][1]}", fields=problems)


def email(value: str) -> str:
    """Return the address in small letters."""
    value = value.strip().lower()
    if "/" in value:
        raise WrongError("invalid_email", "Addresses with a slash cannot be used here.")
    try:
        validate_email(value)
    except ValidationError:
        raise WrongError("invalid_email", "Enter a complete e-mail address.") from None
    if len(value) > 254:
        raise WrongError("too_long", "The address may have at most 254 characters.")
    return value


def handle(value: str) -> str:
    """Return the handle in small letters, without a leading @."""
    value = value.strip().removeprefix("@").lower()
    if not re.fullmatch(HANDLE_PATTERN.strip("^$"), value):
        raise WrongError("invalid_handle", "Use 2 to 24 letters, digits, dots and underscores.")
    return value


def name(value: str) -> str:
    """Return the name on one line."""
    value = _plain(value).replace("\n", " ").strip()
    if not value:
        raise WrongError("required", "Enter a name.")
    if len(value) > NAME_MAX:
        raise WrongError("too_long", f"The name may have at most {NAME_MAX} characters.")
    return value


def bio(value: str) -> str:
    """Return the text about oneself."""
    value = _plain(value.replace("\r\n", "\n")).strip()
    if len(value) > BIO_MAX:
        raise WrongError("too_long", f"The bio may have at most {BIO_MAX} characters.")
    return value


def words(value: str, longest: int) -> str:
    """Return what a moderator or a person writes to the other, which may be nothing."""
    value = _plain(value.replace("\r\n", "\n")).strip()
    if len(value) > longest:
        raise WrongError("too_long", f"Use at most {longest} characters.")
    return value


def appeal(value: str) -> str:
    """Return what a person says to a decision, which must not be nothing."""
    text = words(value, APPEAL_MAX)
    if not text:
        raise WrongError("required", "Say why you think that it was a mistake.")
    return text


def choice(value: str, known: type[TextChoices]) -> str:
    """Return the value if it is one of those to choose from."""
    if value not in known.values:
        raise WrongError("invalid_choice", f"Choose one of: {', '.join(known.values)}.")
    return value


def muted_word(value: str) -> tuple[str, str, str]:
    """Return a word or hashtag to mute as it is shown, its tag (or nothing), and its pattern.

    The pattern is for `LIKE` over a folded text with a blank at both ends.
    """
    shown = " ".join(_plain(value).split())
    if len(shown) > MUTED_WORD_MAX:
        raise WrongError("too_long", f"Use at most {MUTED_WORD_MAX} characters.")
    if shown.startswith("#"):
        tag = read_tag(shown[1:])
        if tag is None:
            raise WrongError("invalid_hashtag", "This is no hashtag: use letters, without spaces.")
        return f"#{tag}", tag, "% #{} %".format(tag.replace("_", r"\_"))
    words = fold(shown)
    if not words:
        raise WrongError("no_word", "Write a word, some words, or a #hashtag.")
    return shown, "", f"%{whole_words(words)}%"


def password(value: str, *, email: str, handle: str) -> str:
    """Return the password if it is 8 to 128 characters, not common, and not like its owner."""
    if len(value) > settings.PASSWORD_MAX_LENGTH:
        raise WrongError("password_too_long", "The password may have at most 128 characters.")
    if "\0" in value:
        raise WrongError("control_character", "The password has a character that cannot be typed.")
    try:
        validate_password(value, User(email=email, handle=handle))
    except ValidationError as error:
        wrong = WrongError("", "")
        wrong.problems = [(str(one.code), one.messages[0]) for one in error.error_list]
        raise wrong from None
    return value


def _plain(value: str) -> str:
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign != "\n" for sign in value):
        raise WrongError("control_character", "Control characters cannot be used here.")
    return value
