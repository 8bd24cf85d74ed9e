"""Captions and comments as HTML: everything escaped, links made here."""

from datetime import datetime

from django import template
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from videos.text import Segment, parse

register = template.Library()


@register.filter
def caption_html(text: str | None) -> SafeString:
    """Escape a text and link its hashtags, mentions and addresses.

    Line ends stay as they are; the style sheet shows them (`white-space: pre-line`).
    """
    return format_html_join("", "{}", ((_html(segment),) for segment in parse(text or "")))


@register.filter
def moment(iso: str | datetime | None) -> datetime | None:
    """Return the time of a card's `created_at` or `published_at`, for `|naturaltime`."""
    return parse_datetime(iso) if isinstance(iso, str) else iso


@register.filter
def compact(count: int | None) -> str:
    """Shorten a count: 999, 1.2K, 34K, 5.6M."""
    number = float(count or 0)
    for suffix in ("", "K", "M"):
        if number < 999.5:
            break
        number /= 1000
    else:
        suffix = "B"
    digits = f"{number:.1f}" if suffix and number < 9.95 else f"{number:.0f}"
    return digits.removesuffix(".0") + suffix


def _html(segment: Segment) -> SafeString | str:
    if segment.kind == "tag":
        return _link("tag", reverse("tag", args=[segment.value]), segment.text)
    if segment.kind == "mention":
        return _link("mention", reverse("profile", args=[segment.value]), segment.text)
    if segment.kind == "url":
        # What people post is not vouched for: no referrer, no rank, no handle on our window.
        return format_html(
            '<a href="{}" rel="nofollow ugc noopener noreferrer">{}</a>',
            segment.value,
            segment.text,
        )
    return segment.text


def _link(kind: str, url: str, text: str) -> SafeString:
    return format_html('<a class="{}" href="{}">{}</a>', mark_safe(kind), url, text)  # noqa: S308
