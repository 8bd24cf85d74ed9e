"""From what a person typed to a query over WORDS; see `models.Searchable`."""

import re

from django.contrib.postgres.search import SearchQuery
from django.db.models import DecimalField, F
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Floor

from tiktok_clone.common.errors import invalid
from tiktok_clone.common.folding import fold

LONGEST_QUERY = 100  # characters
# More words than that narrow nothing down any more, and each costs a read of the index.
MOST_WORDS = 8
_LONGEST_WORD = 200  # folding may lengthen; the database refuses words above 2 kB
# So many of the matches are ranked: the best known and, for clips, the newest. Ranking reads
# their rows; words that half of all rows have must not cost a read of half the table.
CANDIDATES = 500
# Above every count: how well something fits comes before how many it has.
KIND = 10**10
# Above every id, so that score · STRIDE + id sorts by score, then by id, without ties.
STRIDE = 10**19
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,40}", re.ASCII)  # a sort key, as a cursor has it


def clean_query(field: str, typed: str) -> str:
    """Return a search as it was typed, without blank edges.

    Raises:
        DomainError: it is too long, or has characters that no text has.
    """
    if len(typed) > LONGEST_QUERY:
        raise invalid(field, "max_length", f"Use at most {LONGEST_QUERY} characters.")
    if any(char < " " or "\x7f" <= char < "\xa0" or "\ud800" <= char <= "\udfff" for char in typed):
        raise invalid(field, "control_characters", "Remove the control characters.")
    return typed.strip()


def prefix_query(typed: str) -> SearchQuery | None:
    """Match texts that have all the words, each of them perhaps only begun.

    Returns:
        None where nothing typed is a word (emoji, punctuation, blanks).
    """
    return _query(typed, ":*")


def whole_query(typed: str) -> SearchQuery | None:
    """Match texts that have all the words in full. Returns None where there is no word."""
    return _query(typed, "")


def _query(typed: str, ending: str) -> SearchQuery | None:
    # A folded word has letters and digits only: nothing in it could end the quotation.
    words = [f"'{word[:_LONGEST_WORD]}'{ending}" for word in fold(typed).split()[:MOST_WORDS]]
    if not words:
        return None
    return SearchQuery(" & ".join(words), config="simple", search_type="raw")


def sort_key(score: Combinable, id_field: str = "id") -> Combinable:
    """Turn a score into whole numbers that sort by it and then by id: a cursor has no ties.

    Four digits after the point of the score count. The latest id comes first in a tie.
    """
    whole = Cast(Floor(score * 10_000), DecimalField(max_digits=40, decimal_places=0))
    return whole * STRIDE + F(id_field)
