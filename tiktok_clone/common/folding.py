"""One way to fold text, so that what people type finds what others wrote."""

import unicodedata

# Dropped rather than taken for the end of a word: don't is one word.
_INSIDE_WORDS = str.maketrans("", "", "'’ʼ`")


def fold(text: str) -> str:
    """Return the words of a text without accents and letter case, a space between them.

    NFKD splits a letter from its accents, which are dropped; casefold also makes `ß` to `ss`.
    It is done here, as the database's own extension for it may not be installed. Everything
    but letters and digits separates words: the database's parser would otherwise keep
    `mia.waves` as the name of a host and `sea/wave` as a path, each in one piece.
    """
    text = text.translate(_INSIDE_WORDS)
    # Twice, as casefolding may bring back what NFKD takes apart.
    for _ in range(2):
        split = unicodedata.normalize("NFKD", text)
        text = "".join(map(_plain, split)).casefold()
    return " ".join(text.split())


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if unicodedata.combining(char) or category == "Cf":  # Cf: joiners and soft hyphens
        return ""
    return char if category[0] in "LMN" else " "
