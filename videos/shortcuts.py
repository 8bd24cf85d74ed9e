"""The keyboard of the feed: one table for the page and the dialog, where keys.js reads it."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Shortcut:
    """`act` is done by keys.js on `keys` (`KeyboardEvent.key`, lower case); people see `shown`."""

    act: str
    keys: str
    shown: tuple[str, ...]
    words: Promise


SHORTCUTS = (
    Shortcut("next", "j arrowdown pagedown", ("J", "↓"), _("Next clip")),
    Shortcut("previous", "k arrowup pageup", ("K", "↑"), _("Previous clip")),
    Shortcut("first", "home", ("Home",), _("First clip")),
    Shortcut("toggle", "space", ("Space",), _("Play or pause")),
    Shortcut("sound", "m", ("M",), _("Sound")),
    Shortcut("captions", "t", ("T",), _("Captions")),
    Shortcut("back", "arrowleft", ("←",), _("Back 2 seconds")),
    Shortcut("ahead", "arrowright", ("→",), _("Ahead 2 seconds")),
    Shortcut("seek", "0 1 2 3 4 5 6 7 8 9", ("0", "9"), _("Jump within the clip")),
    Shortcut("full", "f", ("F",), _("Full screen")),
    Shortcut("like", "l", ("L",), _("Like")),
    Shortcut("save", "s", ("S",), _("Save")),
    Shortcut("comments", "c", ("C",), _("Comments")),
    Shortcut("refuse", "n", ("N",), _("Not interested")),
    Shortcut("menu", ".", (".",), _("Menu of the clip")),
    Shortcut("help", "?", ("?",), _("This list")),
)
