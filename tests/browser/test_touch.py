"""The feed under a thumb."""

from collections.abc import Callable

from playwright.sync_api import expect

from accounts.models import User
from tests.browser.screens import Screen
from videos.models import Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]
PHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}


def drag(window: Screen, start: int, end: int, steps: int = 12) -> None:
    """Move one finger over the screen, from `start` to `end` (pixels from the top)."""
    session = window.page.context.new_cdp_session(window.page)

    def touch(kind: str, points: list[dict[str, float]]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", [{"x": 150, "y": start}])
    for step in range(1, steps + 1):
        touch("touchMove", [{"x": 150, "y": start + (end - start) * step / steps}])
        window.page.wait_for_timeout(8)
    touch("touchEnd", [])
    session.detach()


def test_a_swipe_moves_one_clip(screen: Open, post: Post) -> None:
    post(4)
    window = screen(**PHONE)
    window.open_feed()
    drag(window, 600, 150)
    window.expect_place(2)
    drag(window, 150, 600)
    window.expect_place(1)


def test_pulling_down_and_the_active_tab_ask_for_a_new_order(screen: Open, post: Post) -> None:
    post(9)
    window = screen(**PHONE)
    window.open_feed()
    fresh = "article => article.classList.add('is-old')"
    for ask in (
        lambda: drag(window, 200, 640),
        lambda: window.page.get_by_role("link", name="Everyone").click(),
    ):
        window.page.locator("article").evaluate_all(f"(all) => all.forEach({fresh})")
        ask()
        expect(window.page.locator("article.is-old")).to_have_count(0)
        window.expect_place(1)
        window.wait_until_it_plays()


def test_a_tap_pauses_and_a_long_press_opens_the_menu(screen: Open, post: Post, anna: User) -> None:
    post(2)
    window = screen(as_user=anna, **PHONE)
    window.open_feed()
    window.page.touchscreen.tap(150, 400)
    expect(window.clip.get_by_role("button", name="Play", exact=True)).to_be_visible()
    session = window.page.context.new_cdp_session(window.page)
    press = {"type": "touchStart", "touchPoints": [{"x": 150, "y": 300}]}
    session.send("Input.dispatchTouchEvent", press)
    menu = window.page.get_by_role("dialog", name="More")
    expect(menu).to_be_visible()
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    menu.get_by_role("button", name="2×").click()
    expect(menu).to_be_hidden()
    assert window.clip.locator("video").evaluate("(video) => video.playbackRate") == 2
