"""The one exception that rules raise; the API and the pages translate it."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A rule said no.

    Args:
        code: stable, for programs, e.g. `caption_too_long`.
        message: for people: what is wrong and what to do.
        status: the HTTP status that the API answers with.
        fields: problems by field, as `{field: [(code, message), …]}`.
        retry_after: seconds after which trying again makes sense.
        facts: more that a program can use, as members of the answer.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        fields: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        retry_after: int | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields or {}
        self.retry_after = retry_after
        self.facts = facts or {}


def not_found(what: str) -> DomainError:
    """The answer for what is not there and for what the asker may not see."""
    return DomainError("not_found", f"There is no such {what}.", status=404)


def invalid(field: str, code: str, message: str) -> DomainError:
    """One field is wrong."""
    return DomainError(
        "invalid", f"{field}: {message}", status=400, fields={field: [(code, message)]}
    )
