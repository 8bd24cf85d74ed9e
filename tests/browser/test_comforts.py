"""What pages do beside the feed: suggestions, previews, words about the connection, keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.screens import Screen
from tests.factories import UserFactory
from tiktok_clone.common.storage import local_store
from videos.models import Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]


@pytest.mark.parametrize("path", ["/", "/explore"])
def test_search_suggests_and_the_arrow_keys_choose(
    screen: Open, post: Post, anna: User, path: str
) -> None:
    post(1, author=UserFactory(handle="milo", name="Milo Loop"), caption="a #marina")
    window = screen(as_user=anna)
    window.expect_trouble("htmx:")  # what a page still asks for is given up when one leaves it
    window.page.goto(path)
    box = window.page.locator(".rail").get_by_role("searchbox")
    box.click()
    box.press_sequentially("mil", delay=30)
    suggestion = window.page.get_by_role("link", name="@milo Milo Loop")
    expect(suggestion).to_be_visible()
    window.page.keyboard.press("Escape")
    expect(suggestion).to_be_hidden()
    box.press_sequentially("o")
    expect(suggestion).to_be_visible()
    window.page.keyboard.press("ArrowDown")
    expect(suggestion).to_be_focused()
    window.page.keyboard.press("Enter")
    window.page.wait_for_url("**/@milo")


def test_an_emptied_search_suggests_nothing(screen: Open, post: Post) -> None:
    post(1, author=UserFactory(handle="milo"))
    window = screen(width=390)
    window.expect_trouble("htmx:sendAbort", "htmx:afterRequest")  # what was still asked for
    window.page.goto("/search")
    box = window.page.get_by_role("searchbox").locator("visible=true")
    box.press_sequentially("milo", delay=20)
    expect(window.page.get_by_role("link", name="@milo").first).to_be_visible()
    box.fill("")
    expect(window.page.locator("main [data-suggestions]")).to_be_hidden()


def test_a_banner_says_that_one_is_offline_and_goes_by_itself(screen: Open, post: Post) -> None:
    post(1)
    window = screen()
    window.expect_trouble("ERR_INTERNET_DISCONNECTED")
    window.page.goto("/explore")
    banner = window.page.locator("#offline")
    expect(banner).to_be_empty()
    window.page.context.set_offline(True)
    expect(banner).to_contain_text("You are offline")
    window.page.context.set_offline(False)
    expect(banner).to_contain_text("back online")
    expect(banner).to_be_empty()


def test_a_grid_that_does_not_load_offers_to_try_again(
    screen: Open, post: Post, anna: User
) -> None:
    (video,) = post(1, author=anna, caption="found again")
    window = screen(as_user=anna)
    window.expect_trouble("ERR_FAILED", "Failed to load", "Response Status", "htmx:")
    window.page.route("**/@anna/videos*", lambda route: route.abort())
    window.page.goto("/@anna")
    again = window.page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    window.page.unroute("**/@anna/videos*")
    again.click()
    expect(window.page.locator(f".tile__link[href$='/{video.pk}']")).to_be_visible()


def with_preview(video: Video, clip: tuple[Path, Path]) -> None:
    """Give a clip a preview; any picture moves well enough for a test."""
    name = f"{video.poster}-preview.webp"
    local_store().save(name, clip[1])
    Video.objects.filter(pk=video.pk).update(preview=name)


def tile(page: Page, video: Video) -> None:
    """Go to the grid with the clip."""
    page.goto("/explore")
    expect(page.locator(f"a.tile__link[href$='/{video.pk}']").first).to_be_visible()


def test_a_tile_moves_under_the_pointer_and_under_the_focus(
    screen: Open, post: Post, clip: tuple[Path, Path]
) -> None:
    (video,) = post(1)
    with_preview(video, clip)
    window = screen()
    tile(window.page, video)
    link = window.page.locator(f"a.tile__link[href$='/{video.pk}']").first
    link.hover()
    expect(link.locator(".tile__preview")).to_have_count(1)
    window.page.mouse.move(0, 0)
    expect(link.locator(".tile__preview")).to_have_count(0)
    window.page.keyboard.press("Tab")  # the keyboard shows the focus from here on
    link.focus()
    expect(link.locator(".tile__preview")).to_have_count(1)


def test_no_tile_moves_for_those_who_asked_for_less_motion(
    screen: Open, post: Post, clip: tuple[Path, Path]
) -> None:
    (video,) = post(1)
    with_preview(video, clip)
    window = screen(reduced_motion="reduce")
    tile(window.page, video)
    link = window.page.locator(f"a.tile__link[href$='/{video.pk}']").first
    link.hover()
    window.page.wait_for_timeout(500)  # longer than the patience of the preview
    expect(link.locator(".tile__preview")).to_have_count(0)


def test_the_page_of_shortcuts_and_its_switch(screen: Open, post: Post) -> None:
    post(2)
    window = screen()
    window.page.goto("/shortcuts")
    expect(window.page.get_by_text("Next clip")).to_be_visible()
    window.page.get_by_label("Single keys").uncheck()
    window.open_feed()
    window.page.keyboard.press("?")
    window.page.keyboard.press("j")
    window.rest()
    assert window.place == 1
    expect(window.page.locator("#keys-help")).to_be_hidden()
    window.page.keyboard.press("ArrowDown")
    window.expect_place(2)


def test_the_dialog_of_the_keys_names_what_the_page_names(screen: Open, post: Post) -> None:
    post(1)
    window = screen()
    window.page.goto("/shortcuts")
    named = window.page.locator("main dt").all_inner_texts()
    window.open_feed()
    window.page.keyboard.press("?")
    dialog = window.page.get_by_role("dialog", name="Keyboard shortcuts")
    assert dialog.locator("dt").all_inner_texts() == named
    assert len(named) > 12
