"""Giving a clip subtitles, and taking them away."""

import re
from unicodedata import normalize

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from tiktok_clone.common.errors import DomainError, invalid, not_found
from videos import signals
from videos.media.subtitling import refused, to_vtt
from videos.models import Subtitles, Video
from videos.services.publishing import check_own, lock_own

LANGUAGES_MAX = 20
LABEL_MAX = 60
_TAG = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?", re.IGNORECASE | re.ASCII)


def set_subtitles(
    user: User, video_id: int, language: str, file: "File[bytes] | None", label: str = ""
) -> Subtitles:
    """Give one's own video subtitles in a language, in place of those that it had.

    Args:
        language: a BCP 47 tag: language, script, region.
        file: WebVTT or SubRip.
        label: how players name them; "" for the language's own name.

    Raises:
        DomainError: `not_found`; `invalid` for language or label; `subtitles_…` for the file;
            `too_many` languages (409).
    """
    check_own(user, video_id)
    language = language_tag(language)
    label = _clean_label(label) or language_name(language)
    if file is None:
        raise refused("missing")
    if file.size > settings.SUBTITLES_MAX_BYTES:
        raise refused("too_large")
    vtt = to_vtt(file.read())
    with transaction.atomic():
        video = lock_own(user, video_id)
        others = video.subtitles.exclude(language=language)
        if others.count() >= LANGUAGES_MAX:
            raise DomainError(
                "too_many",
                f"A clip has subtitles in {LANGUAGES_MAX} languages at most.",
                status=409,
            )
        row, _created = Subtitles.objects.update_or_create(
            video=video,
            language=language,
            defaults={"label": label, "vtt": vtt, "created_at": timezone.now()},
        )
        signals.video_edited.send(sender=Video, video=video)
    return row


@transaction.atomic
def remove_subtitles(user: User, video_id: int, language: str) -> None:
    """Take the subtitles in a language from one's own video.

    Raises:
        DomainError: `not_found`, also when there are none in that language.
    """
    video = lock_own(user, video_id)
    deleted, _ = video.subtitles.filter(language__iexact=language).delete()
    if not deleted:
        raise not_found("subtitles")
    signals.video_edited.send(sender=Video, video=video)


def language_tag(raw: str) -> str:
    """Return a language's tag as it is written: `pt-BR`, `zh-Hans`; raise `invalid` for others."""
    if not _TAG.fullmatch(raw):
        raise invalid("language", "invalid", "Use a language tag such as en, pt-BR or zh-Hans.")
    language, *rest = raw.split("-")
    written = {2: str.upper, 4: str.title}
    return "-".join([language.lower(), *(written.get(len(part), str)(part) for part in rest)])


def language_name(tag: str) -> str:
    """Return what a language calls itself, or the tag itself where that is not known."""
    for known in (tag.lower(), tag.lower().partition("-")[0]):
        name = LANG_INFO.get(known, {}).get("name_local")
        if name:
            # Django has one or two with their accents apart.
            return normalize("NFC", name[0].upper() + name[1:])
    return tag


def languages() -> list[tuple[str, str]]:
    """Return the tags and names of the languages to choose from, by name."""
    known = {language_tag(tag) for tag, info in LANG_INFO.items() if "name_local" in info}
    return sorted(((tag, language_name(tag)) for tag in known), key=lambda pair: pair[1].lower())


def _clean_label(label: str) -> str:
    label = " ".join(label.split())
    if len(label) > LABEL_MAX or not label.isprintable():
        raise invalid("label", "invalid", f"Use at most {LABEL_MAX} letters.")
    return label
