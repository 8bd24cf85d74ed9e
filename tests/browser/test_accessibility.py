"""axe on every page, dark on a phone and light on a desktop: no violation.

`make bench-web` looks at all four, for they take as long again.
"""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.models import User
from tests.browser.screens import Screen
from tests.factories import CommentFactory, UserFactory, befriend
from videos.models import Status, Video

PAGES_OF_VISITORS = (
    "/",
    "/explore",
    "/search?q=clip",
    "/signin",
    "/signup",
    "/password/reset",
    "/shortcuts",
    "/terms",
    "/@milo",
    "/nothing",
)
PAGES = (
    "/",
    "/following",
    "/friends",
    "/explore",
    "/search",
    "/search?q=clip",
    "/tag/loop",
    "/upload",
    "/people",
    "/@milo",
    "/@anna",
    "/@anna?tab=saved",
    "/@milo/followers",
    "/@milo/following",
    "/settings",
    "/settings/privacy",
    "/settings/security",
    "/settings/playback",
    "/settings/people",
    "/settings/export",
    "/people/requests",
    "/history",
    "/shortcuts",
    "/terms",
    "/privacy",
    "/search?q=clip&tab=people",
    "/search?q=zzzz",
    "/settings/delete",
    "/@milo/video/{video}",
    "/@milo/video/{video}/comments",
    "/@milo/video/{video}/report",
    "/@anna/video/{own}/edit",
    "/@anna/video/{failed}/status",
    "/nothing",
)
WINDOWS = {"phone": (390, 844, "dark"), "desktop": (1440, 900, "light")}
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
}
STILL = """() => Promise.all(
  document.getAnimations()
    .filter((one) => one.effect.getTiming().iterations === 1)
    .map((one) => one.finished)
)"""


@pytest.fixture
def people_and_clips(post: Callable[..., list[Video]], anna: User) -> dict[str, int]:
    """Enough of everything to fill the pages: ids for the addresses."""
    milo = UserFactory(handle="milo", name="Milo", bio="Loops.")
    befriend(anna, milo)
    (video, *_others) = post(3, author=milo, caption="a clip of #loop and @anna")
    (own,) = post(author=anna)
    failed = Video.objects.create(
        author=anna, status=Status.FAILED, reason="Processing broke off.", reason_code="crashed"
    )
    CommentFactory(video=video, author=milo)
    Video.objects.filter(pk=video.pk).update(comments_count=1)
    return {"video": video.pk, "own": own.pk, "failed": failed.pk}


def violations(window: Screen) -> list[str]:
    """What axe finds in the page as it is: rule and element."""
    window.run(STILL)
    answer = Axe().run(window.page, options=RULES).response
    return [
        f"{rule['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:200]})"
        for rule in answer["violations"]
        for node in rule["nodes"]
    ]


def violations_of_pages(window: Screen, paths: tuple[str, ...], ids: dict[str, int]) -> str:
    """What axe finds on each page, with the pages' addresses."""
    found = {}
    for path in paths:
        window.page.goto(path.format(**ids), wait_until="networkidle" if "@" in path else "load")
        found[path] = violations(window)
    return report(found)


def report(found: dict[str, list[str]]) -> str:
    """The violations as lines to read; empty when there is none."""
    return "\n".join(
        f"{place}: {problem}" for place, problems in found.items() for problem in problems
    )


@pytest.mark.parametrize("device", WINDOWS)
def test_no_page_has_a_violation(
    screen: Callable[..., Screen],
    people_and_clips: dict[str, int],
    anna: User,
    device: str,
) -> None:
    width, height, theme = WINDOWS[device]
    visitor = screen(width=width, height=height, color_scheme=theme)
    visitor.expect_trouble("404")
    assert violations_of_pages(visitor, PAGES_OF_VISITORS, people_and_clips) == ""
    window = screen(as_user=anna, width=width, height=height, color_scheme=theme)
    window.expect_trouble("404")
    assert violations_of_pages(window, PAGES, people_and_clips) == ""


@pytest.mark.parametrize("device", WINDOWS)
def test_no_dialog_has_a_violation(
    screen: Callable[..., Screen],
    people_and_clips: dict[str, int],
    anna: User,
    device: str,
) -> None:
    width, height, theme = WINDOWS[device]
    window = screen(as_user=anna, width=width, height=height, color_scheme=theme)
    window.open_feed(f"/@milo/video/{people_and_clips['video']}")
    found = {}
    window.page.keyboard.press("c")
    window.page.locator("#comments [data-comments]").wait_for()
    found["comments"] = violations(window)
    window.page.keyboard.press("Escape")
    window.clip.get_by_role("button", name="More").click()
    window.page.get_by_role("dialog", name="More").wait_for()
    found["menu"] = violations(window)
    window.page.get_by_role("button", name="Why this clip?").click()
    window.page.locator("[data-reasons] li").first.wait_for()
    found["why"] = violations(window)
    window.page.keyboard.press("Escape")
    window.page.keyboard.press("n")
    window.page.locator(".toast").wait_for()
    found["toast"] = violations(window)
    window.page.keyboard.press("?")
    window.page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    found["keys"] = violations(window)
    assert report(found) == ""
