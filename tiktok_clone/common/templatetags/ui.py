"""Small words that every template uses: icons, compact numbers, clocks, ages."""

import json
from datetime import datetime
from typing import Any
from zlib import crc32

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

STEPS = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K"))
AGES = ((31_536_000, "y"), (604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"))
TALL = 0.72
WIDE = 1.2


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon of the sprite; decoration only, so it is hidden from assistive technology."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("img/sprite.svg"),
        name,
    )


@register.simple_tag
def preload_modules(*names: str, priority: str = "auto") -> SafeString:
    """Links that fetch modules of `static/js` at once instead of one after the other."""
    return format_html_join(
        "\n",
        '<link rel="modulepreload" href="{}" fetchpriority="{}">',
        ((static(f"js/{name}.js"), priority) for name in names),
    )


@register.filter
def compact(number: int | None) -> str:
    """1234 as 1.2K, cut (never rounded up), so that a count is not shown before it is reached."""
    value = int(number or 0)
    for size, letter in STEPS:
        if value >= size:
            tenths = value * 10 // size
            whole, rest = divmod(tenths, 10)
            return f"{whole}{letter}" if rest == 0 or whole >= 100 else f"{whole}.{rest}{letter}"
    return str(value)


@register.filter
def picture(person: Any) -> str:
    """Address of the uploaded picture of a user or of a card's author; empty without one."""
    url = person.get("avatar") if isinstance(person, dict) else getattr(person, "avatar_url", "")
    return "" if not url or url == static("img/avatar.svg") else url


@register.filter
def tint(handle: str) -> int:
    """Which of the eight colors stands for somebody without a picture; the same everywhere."""
    return crc32(str(handle).encode()) % 8


@register.filter
def clock(seconds: float | None) -> str:
    """A duration in seconds as 0:07."""
    minutes, rest = divmod(round(seconds or 0), 60)
    return f"{minutes}:{rest:02d}"


@register.filter
def age(moment: datetime | str | None) -> str:
    """How long ago, in the short form of social sites: now, 5m, 3h, 2d, 6w, 1y."""
    if isinstance(moment, str):
        moment = parse_datetime(moment)
    if moment is None:
        return ""
    seconds = (timezone.now() - moment).total_seconds()
    for size, letter in AGES:
        if seconds >= size:
            return f"{int(seconds // size)}{letter}"
    return "now"


@register.filter
def shape(card: dict) -> str:
    """tall, square or wide: which stage suits the dimensions of a clip."""
    ratio = (card.get("width") or 9) / (card.get("height") or 16)
    if ratio <= TALL:
        return "tall"
    return "wide" if ratio > WIDE else "square"


@register.filter
def source_list(card: dict) -> str:
    """The renditions for the player: `url width bitrate` triples, parted by commas."""
    return ", ".join(
        f"{source['url']} {source['width']} {source.get('bitrate') or 0}"
        for source in card.get("sources") or []
    )


@register.filter
def first_source(card: dict) -> dict:
    """The rendition that the page itself starts to load: sharp on a phone, light for most lines."""
    sources = card["sources"]
    light = [one for one in sources if one["width"] <= 540 and (one.get("bitrate") or 0) <= 1e6]
    return (light or sources[:1])[-1]


@register.filter
def waiting(user: Any) -> int:
    """How many people ask to follow the reader; only a private account has any, or is asked for."""
    if not getattr(user, "is_private", False):
        return 0
    return int(user.requests_received.filter(requester__is_active=True).count())


@register.filter
def to_json(value: Any) -> str:
    """Plain data as JSON for a data attribute (where it is escaped like any text)."""
    return json.dumps(value, separators=(",", ":"))
