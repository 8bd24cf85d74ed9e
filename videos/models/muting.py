"""Whether a person mutes a row: its author, or a word in it; conditions for every model here."""

from django.db.models import BooleanField, Exists, Func, OuterRef

from accounts.models import Mute, MutedWord


class HoldsAny(Func):
    """Whether a text, with a blank at both ends, is LIKE one of an array of patterns."""

    template = "(' ' || %(expressions)s)"
    arg_joiner = " || ' ') LIKE ANY ("
    arity = 2
    output_field = BooleanField()


class IsAny(Func):
    """Whether a value is one of an array."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    arity = 2
    output_field = BooleanField()


def by_muted_person(viewer: int) -> Exists:
    """Whether the viewer mutes the `author` of a row."""
    return Exists(Mute.objects.filter(muter=viewer, muted=OuterRef("author")))


def has_muted_word(viewer: int) -> HoldsAny:
    """Whether the `search_text` of a row has a word that the viewer mutes.

    The patterns are read once a query, however many rows it looks at.
    """
    return HoldsAny("search_text", MutedWord.objects.patterns_of(viewer))
