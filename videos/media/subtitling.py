"""Subtitles that people bring, as WebVTT or SubRip, made into plain WebVTT of our own.

Nothing of the file is passed on as it is: times are read and written anew, of the markup only
bold, italic and underlined stay, and everything else is text. Pure.
"""

import codecs
import html
import re
from dataclasses import dataclass

from django.conf import settings

from tiktok_clone.common.errors import DomainError

FIELD = "file"
CUES_MAX = 5000
SENTENCES = {
    "missing": "Choose a .vtt or .srt file.",
    "too_large": "The file is larger than {kilobytes} kB. Subtitles are text: is it the right one?",
    "not_text": "The file is not plain text. Save it as UTF-8 and try again.",
    "bad_time": "Line {line} should be a time such as 00:01.500 --> 00:04.000.",
    "no_cues": "There are no subtitles in this file. Choose a .vtt or .srt file.",
    "too_many_cues": "There are more than {cues} subtitles in this file.",
}

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s+(.*))?", re.ASCII)
_SETTING = re.compile(r"(?:line|position|size|align):[\w%.,-]{1,30}", re.ASCII)
_KEPT_TAG = re.compile(r"(</?[biu]>)", re.IGNORECASE)
_OTHER_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Cue:
    """A text and when it is shown, in milliseconds of the clip."""

    start: int
    end: int
    settings: str
    text: str


def refused(code: str, line: int = 0) -> DomainError:
    """Build the refusal of a file of subtitles for a code of SENTENCES; names the field `file`."""
    sentence = SENTENCES[code].format(
        kilobytes=settings.SUBTITLES_MAX_BYTES // 1024, cues=CUES_MAX, line=line
    )
    status = 413 if code == "too_large" else 400
    code = f"subtitles_{code}"
    return DomainError(code, sentence, status=status, fields={FIELD: [(code, sentence)]})


def to_vtt(content: bytes) -> str:
    """Return WebVTT with what a file of subtitles says.

    Raises:
        DomainError: `subtitles_…`, one of the codes of SENTENCES.
    """
    if len(content) > settings.SUBTITLES_MAX_BYTES:
        raise refused("too_large")
    cues = sorted(_cues(_decode(content).split("\n")), key=lambda cue: (cue.start, cue.end))
    if not cues:
        raise refused("no_cues")
    if len(cues) > CUES_MAX:
        raise refused("too_many_cues")
    return "WEBVTT\n\n" + "\n".join(_written(cue) for cue in cues)


def _decode(content: bytes) -> str:
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise refused("not_text") from None
    if "\0" in text:
        raise refused("not_text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _cues(lines: list[str]) -> list[Cue]:
    """A cue is a line with times and the lines below it, up to an empty one or other times."""
    cues = []
    position = 0
    while position < len(lines):
        if "-->" not in lines[position]:
            position += 1
            continue
        timing = _TIMING.fullmatch(lines[position].rstrip())
        if timing is None:
            raise refused("bad_time", position + 1)
        position += 1
        first = position
        while position < len(lines) and lines[position].strip() and "-->" not in lines[position]:
            position += 1
        text = "\n".join(filter(None, (_plain(line) for line in lines[first:position])))
        *times, rest = timing.groups()
        start, end = _milliseconds(times[:4]), _milliseconds(times[4:])
        if text and end > start:
            cues.append(Cue(start, end, " ".join(_SETTING.findall(rest or "")), text))
    return cues


def _milliseconds(parts: list[str | None]) -> int:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + int(fraction.ljust(3, "0"))


def _plain(line: str) -> str:
    pieces = _KEPT_TAG.split(_CONTROL.sub("", line).strip())
    # Every second piece is a tag that stays; of the others, what looks like a tag goes.
    for index in range(0, len(pieces), 2):
        text = html.unescape(_OTHER_MARKUP.sub("", pieces[index]))
        pieces[index] = html.escape(_CONTROL.sub("", text), quote=False)
    return "".join(pieces)


def _written(cue: Cue) -> str:
    times = f"{_clock(cue.start)} --> {_clock(cue.end)} {cue.settings}".rstrip()
    return f"{times}\n{cue.text}\n"


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
