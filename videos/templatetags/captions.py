"""Captions and comments as HTML: everything escaped, links made here."""

from django import template
from django.urls import reverse
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
