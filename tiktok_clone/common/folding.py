"""One way to fold words and hashtags, so that what people type finds what others wrote."""

import unicodedata

# Dropped rather than taken for the end of a word: don't is one word.
_INSIDE_WORDS = str.maketrans("", "", "'’ʼ`")
TAG_MAX = 50
# Joiners belong inside words of Persian and of the Indic scripts.
JOINERS = "\u200c\u200d"
# Scripts that set no space between words, or, as Korean, glue endings to them.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")


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


def whole_words(folded: str) -> str:
    """Return folded words as they stand in a folded text that has a blank at both ends.

    A blank at an end keeps `cat` out of `category`. There is none beside a letter of a script
    that sets no spaces: what is in such a script is found anywhere.
    """
    first, last = ("" if _is_unspaced(char) else " " for char in (folded[0], folded[-1]))
    return f"{first}{folded}{last}"


def fold_tag(name: str) -> str:
    """Return the form under which a hashtag is kept: NFKC, without letter case.

    Follows Unicode's toNFKC_Casefold closely enough that folding twice changes nothing.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", folded)


def read_tag(name: str) -> str | None:
    """Return a hashtag, written without its sign, as it is kept; None for what cannot be one."""
    folded = fold_tag(name)
    if not any(unicodedata.category(char)[0] == "L" for char in folded):
        return None  # "#1" is a number, not a tag
    # Folding may lengthen, and may make characters that end a tag (½ becomes 1⁄2).
    if len(folded) > TAG_MAX or not all(map(in_tag, folded)):
        return None
    return folded


def in_tag(char: str) -> bool:
    """Whether a hashtag goes on with this character."""
    return char == "_" or char in JOINERS or unicodedata.category(char)[0] in "LMN"


def _is_unspaced(char: str) -> bool:
    return unicodedata.name(char, "").startswith(_UNSPACED)


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if unicodedata.combining(char) or category == "Cf":  # Cf: joiners and soft hyphens
        return ""
    return char if category[0] in "LMN" else " "
