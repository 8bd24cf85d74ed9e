"""What the feed asks a browser to fetch before anybody did anything stays small."""

import gzip
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
# Where icons are named: in templates, in modules, and in what templates are given.
NAMING = ("templates/**/*.html", "static/js/*.js", "*/templatetags/*.py", "*/*.py", "*/*/*.py")
IMPORT = re.compile(r'^import [^;]*?"\./([\w-]+\.js)"|^export [^;]*? from "\./([\w-]+\.js)"', re.M)
AT_ONCE = ("main.js", "feed.js", "pull.js")  # pull.js where there is a touch screen
JAVASCRIPT_MAX = 25_000
CSS_MAX = 12_000


def compressed(path: Path) -> int:
    """Size in bytes as it travels where brotli is not spoken."""
    return len(gzip.compress(path.read_bytes(), 9))


def modules_of(name: str, seen: set[str]) -> set[str]:
    """The module and all that it imports before it runs."""
    if name not in seen:
        seen.add(name)
        for groups in IMPORT.findall((STATIC / "js" / name).read_text()):
            modules_of(next(filter(None, groups)), seen)
    return seen


def test_the_scripts_of_the_feed_are_light() -> None:
    seen: set[str] = set()
    for name in AT_ONCE:
        modules_of(name, seen)
    sizes = {name: compressed(STATIC / "js" / name) for name in sorted(seen)}
    assert len(sizes) > 10
    assert sum(sizes.values()) <= JAVASCRIPT_MAX, sizes


def test_the_styles_of_the_feed_are_light() -> None:
    assert compressed(STATIC / "css" / "app.css") <= CSS_MAX


def test_what_is_not_needed_at_once_is_not_loaded_at_once() -> None:
    seen: set[str] = set()
    for name in AT_ONCE:
        modules_of(name, seen)
    assert not seen & {"talk.js", "clipmenu.js", "share.js", "upload.js", "stills.js"}


def test_the_sprite_has_the_icons_that_are_used_and_no_others() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "img" / "sprite.svg").read_text()))
    texts = [path.read_text() for pattern in NAMING for path in ROOT.glob(pattern)]
    quoted = {name for text in texts for name in re.findall(r"[\"'#]([a-z-]+)[\"']", text)}
    named = {name for text in texts for name in re.findall(r'{% icon "([\w-]+)"', text)}
    assert named <= drawn
    assert len(named) > 30
    assert drawn - quoted <= {"bell", "bell-line"}  # for what will tell of news
