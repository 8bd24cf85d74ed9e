"""What a text means: tags, mentions and addresses in it, and which texts are let in."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tiktok_clone.common.errors import invalid
from tiktok_clone.common.folding import JOINERS, in_tag, read_tag

CAPTION_MAX = 2200
COMMENT_MAX = 1000

Kind = Literal["text", "tag", "mention", "url"]

# A URL first, so that its `#fragment` and `@` are not taken for a tag or a mention.
# The text after `#` is cut to tag letters below: `\w` knows no combining marks, without
# which words of Hindi, Thai or Arabic would end in the middle.
_TOKEN = re.compile(
    r"""
    (?P<url>https?://[^\s<>"'\x60]+)
    | \#(?P<tag>[^\s\#@]+)
    | (?<![\w.@/\#])@(?P<mention>[A-Za-z0-9_.]{2,})
    """,
    re.VERBOSE,
)
# What may not stand before a `#`: the rest of a word, of an entity, of an address.
_NO_TAG_AFTER = re.compile(r"[\w&/#@]")
_URL_TAIL = ".,:;!?…)]}»”’*_~"
ID_DIGITS = 18  # fits the database's numbers; thousands of digits make int() fail


@dataclass(frozen=True)
class Segment:
    """A piece of a text.

    `text` is what was written; `value` is what it refers to: the folded tag, the handle
    in small letters, the address.
    """

    kind: Kind
    text: str
    value: str = ""


def parse(text: str) -> list[Segment]:
    """Cut a text into plain pieces, hashtags, mentions and addresses, losing nothing."""
    segments: list[Segment] = []
    position = 0
    for segment, start in _references(text):
        if start > position:
            segments.append(Segment("text", text[position:start]))
        segments.append(segment)
        position = start + len(segment.text)
    if position < len(text):
        segments.append(Segment("text", text[position:]))
    return segments


def hashtags(text: str) -> list[str]:
    """Return the folded tags of a text, each once, in their order."""
    return list(dict.fromkeys(s.value for s, _ in _references(text) if s.kind == "tag"))


def mentions(text: str) -> list[str]:
    """Return the handles that a text mentions, each once, in their order."""
    return list(dict.fromkeys(s.value for s, _ in _references(text) if s.kind == "mention"))


def clean_text(field: str, text: str, *, max_length: int, required: bool = False) -> str:
    """Return a text ready to store, with single line ends and no blank edges.

    Raises:
        DomainError: it has control characters, is too long, or is empty and required;
            the error names `field`.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if any(_is_control(char) for char in text):
        raise invalid(field, "control_characters", "Remove the control characters.")
    if len(text) > max_length:
        raise invalid(field, "max_length", f"Use at most {max_length} characters.")
    if required and not _is_visible(text):
        raise invalid(field, "blank", "Write something.")
    return text


def clean_caption(text: str) -> str:
    """Return a caption ready to store. Raises DomainError as `clean_text` does."""
    return clean_text("caption", text, max_length=CAPTION_MAX)


def clean_comment(text: str) -> str:
    """Return a comment ready to store. Raises DomainError as `clean_text` does."""
    return clean_text("text", text, max_length=COMMENT_MAX, required=True)


def _references(text: str) -> Iterator[tuple[Segment, int]]:
    tag_end = 0  # tags may touch: #one#two
    for match in _TOKEN.finditer(text):
        segment = _reference(match, text, touches_tag=match.start() == tag_end)
        if segment is not None:
            if segment.kind == "tag":
                tag_end = match.start() + len(segment.text)
            yield segment, match.start()


def _reference(match: re.Match[str], text: str, *, touches_tag: bool) -> Segment | None:
    if match["url"]:
        return _url(match["url"])
    if match["mention"]:
        return _mention(match["mention"])
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    if _NO_TAG_AFTER.match(before) and not touches_tag:
        return None
    return _tag(match["tag"])


def _url(written: str) -> Segment | None:
    url = written.rstrip(_URL_TAIL)
    # Keep a closing bracket that was opened inside: …/wiki/Loop_(music)
    while "(" in url and url.count("(") > url.count(")") and written[len(url) :].startswith(")"):
        url += ")"
    return Segment("url", url, url) if len(url) > len("https://") else None


def _tag(written: str) -> Segment | None:
    length = next((i for i, char in enumerate(written) if not in_tag(char)), len(written))
    name = written[:length].rstrip(JOINERS)
    folded = read_tag(name)
    return Segment("tag", f"#{name}", folded) if folded else None


def _mention(written: str) -> Segment | None:
    handle = written.rstrip(".")  # the end of a sentence
    if not 2 <= len(handle) <= 24:
        return None
    return Segment("mention", f"@{handle}", handle.lower())


def _is_control(char: str) -> bool:
    """Control characters but line ends and tabs, lone surrogates, and overrides of direction."""
    if char in "\n\t":
        return False
    return unicodedata.category(char) in ("Cc", "Cs") or char in "\u202a\u202b\u202d\u202e"


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(char) not in ("Cf", "Zs", "Zl", "Zp") for char in text)


def read_id(raw: str) -> int | None:
    """Return the number that a request names a row by; None for what cannot be one."""
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= ID_DIGITS else None
