"""The keyboard of the feed, for templates."""

from django import template

from videos.shortcuts import SHORTCUTS, Shortcut

register = template.Library()


@register.simple_tag
def shortcuts() -> tuple[Shortcut, ...]:
    """Every key of the feed with what it does."""
    return SHORTCUTS
