"""Browser windows for measuring: a phone, nothing cached, signed in or not."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page, sync_playwright

from feeds.demo.people import DEMO_EMAIL, DEMO_PASSWORD
from tests.browser.conftest import CHROMIUM

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@contextmanager
def browser(*, back_forward_cache: bool = False) -> Iterator["Windows"]:
    """A Chromium of its own."""
    ignored = ["--disable-back-forward-cache"] if back_forward_cache else None
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*ARGUMENTS, "--enable-precise-memory-info"],
            ignore_default_args=ignored,
        )
        try:
            yield Windows(chromium.new_context)
        finally:
            chromium.close()


class Windows:
    """Opens windows, each with a cache and cookies of its own."""

    def __init__(self, new_context: "type[BrowserContext]") -> None:
        self._new_context = new_context

    @contextmanager
    def open(
        self, url: str, script: str = "", *, signed_in: str = "", **options: object
    ) -> Iterator[Page]:
        """A window on `url`; `script` runs before each page's own.

        Args:
            signed_in: the product's address without a slow line, to sign in there first.
            options: of the browser's context; a phone's if there are none.
        """
        context = self._new_context(base_url=url, **(options or PHONE))
        try:
            if signed_in:
                sign_in(context, signed_in)
            if script:
                context.add_init_script(script)
            yield context.new_page()
        finally:
            context.close()


def sign_in(context: BrowserContext, url: str) -> None:
    """Sign in as the demo's person; cookies hold for every port of the host."""
    page = context.new_page()
    page.goto(f"{url}/signin")
    page.get_by_label("E-mail").fill(DEMO_EMAIL)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.locator("form.form button[type=submit]").click()
    page.wait_for_url(lambda address: "/signin" not in address)
    page.close()
