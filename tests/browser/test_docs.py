"""The browsable description of the API, which asks no other host."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.screens import Screen


def test_the_api_can_be_browsed_offline(screen: Callable[..., Screen]) -> None:
    page = screen().page
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto("/docs")
    page.get_by_text("/videos/feed", exact=True).click()
    expect(page.get_by_text("next_skip").first).to_be_visible()
    assert hosts == {page.url.split("/")[2]}
