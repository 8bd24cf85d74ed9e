"""What a person sees and does on the site, in one place for all browser tests."""

import re
from typing import Any, ClassVar

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

# Wheel deltas of one swipe on a touchpad, one each 16 ms: the fingers, then the inertia.
FINGERS = [2, 6, 18, 40, 70, 90, 100, 96, 88, 80]
INERTIA = [
    72,
    64,
    58,
    50,
    45,
    40,
    36,
    32,
    28,
    25,
    22,
    20,
    18,
    16,
    14,
    12,
    10,
    8,
    6,
    5,
    4,
    3,
    2,
    1,
    1,
]
WHEEL = """async (deltas) => {
  const scroller = document.querySelector("[data-scroller]");
  for (const deltaY of deltas) {
    scroller.dispatchEvent(new WheelEvent("wheel", {deltaY, bubbles: true, cancelable: true}));
    await new Promise((resolve) => setTimeout(resolve, 16));
  }
}"""
PLAYS = """() => {
  const video = document.querySelector("article.is-active video");
  return Boolean(video) && !video.paused && video.currentTime > 0.05;
}"""


class Screen:
    """A window on the site."""

    troubles: ClassVar[dict[BrowserContext, list[str]]] = {}

    def __init__(self, page: Page) -> None:
        self.page = page
        self.allowed: list[str] = []
        found = self.troubles.setdefault(page.context, [])
        page.on("pageerror", lambda error: found.append(str(error)))
        page.on("console", lambda message: self._note(message, found))

    def _note(self, message: ConsoleMessage, found: list[str]) -> None:
        if message.type == "error" and not any(word in message.text for word in self.allowed):
            found.append(message.text)

    def expect_trouble(self, *words: str) -> None:
        """Errors with these words in the console are part of the test."""
        self.allowed += words

    def sign_in(self, email: str, password: str) -> None:
        """Sign in by the form."""
        self.page.goto("/signin")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.locator("form.form button[type=submit]").click()
        self.page.wait_for_url(re.compile(r"^(?!.*/signin)"))

    def open_feed(self, path: str = "/") -> None:
        """Open a feed and wait until its first clip plays."""
        self.page.goto(path)
        self.wait_until_it_plays()

    @property
    def clip(self) -> Locator:
        """The clip that is on."""
        return self.page.locator("article.is-active")

    @property
    def place(self) -> int:
        """The place in the feed of the clip that is on, from 1."""
        return int(self.clip.get_attribute("aria-posinset") or 0)

    @property
    def clip_id(self) -> int:
        """The id of the clip that is on."""
        return int(self.clip.get_attribute("data-clip") or 0)

    def expect_place(self, place: int) -> None:
        """Wait until the clip at `place` is on, and the scrolling rests there."""
        expect(self.clip).to_have_attribute("aria-posinset", str(place))
        self.rest()
        expect(self.clip).to_have_attribute("aria-posinset", str(place))

    def choose(self, name: str) -> None:
        """Open the menu of the clip that is on, and press what is called `name`."""
        self.clip.get_by_role("button", name="More", exact=True).click()
        menu = self.page.get_by_role("dialog", name="More")
        menu.get_by_role("button", name=name).first.click()

    def rest(self) -> None:
        """Wait until the feed does not move: ten frames at the same offset."""
        self.page.evaluate(
            """() => new Promise((resolve) => {
              const scroller = document.querySelector("[data-scroller]");
              let top = -1, still = 0;
              const look = () => {
                still = scroller.scrollTop === top ? still + 1 : 0;
                top = scroller.scrollTop;
                if (still > 10) resolve(); else requestAnimationFrame(look);
              };
              look();
            })"""
        )

    def wait_until_it_plays(self) -> None:
        """Wait until the clip that is on moves."""
        self.page.wait_for_function(PLAYS)

    def wait_until(self, expression: str) -> None:
        """Wait until a script's expression is true.

        As a function: the policy of the pages lets no text be evaluated anew at each look.
        """
        self.page.wait_for_function(f"() => {expression}")

    def wheel(self, deltas: list[int]) -> None:
        """Turn the wheel over the feed: one event each 16 ms."""
        self.page.evaluate(WHEEL, deltas)

    def run(self, script: str, argument: Any = None) -> Any:
        """What a script answers in the page."""
        return self.page.evaluate(script, argument)

    def press_on(self, key: str = "j") -> None:
        """Go on by a key and wait until another clip (or the card at the end) is there."""
        before = self.place
        self.page.keyboard.press(key)
        self.page.wait_for_function(
            """(before) => {
              const end = document.querySelector("[data-endcard]");
              const scroller = document.querySelector("[data-scroller]");
              const atEnd = end && end.getBoundingClientRect().top < scroller.clientHeight / 2;
              const on = document.querySelector("article.is-active");
              return atEnd || Number(on?.getAttribute("aria-posinset")) !== before;
            }""",
            arg=before,
        )
