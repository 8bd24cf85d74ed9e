"""One way to fold text, so that what people type finds what others wrote."""

import unicodedata


def fold(text: str) -> str:
    """Return the text without accents and letter case, its whitespace squeezed.

    NFKD splits a letter from its accents, which are dropped; casefold also makes `ß` to `ss`.
    It is done here, as the database's own extension for it may not be installed.
    """
    # Twice, as casefolding may bring back what NFKD takes apart.
    for _ in range(2):
        split = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in split if not unicodedata.combining(char)).casefold()
    return " ".join(text.replace("\x00", " ").split())
