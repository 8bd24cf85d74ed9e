"""How clips come to the player: early, one after the other, and never more than a handful."""

from collections.abc import Callable

from playwright.sync_api import Route, expect

from accounts.models import User
from tests.browser.screens import Screen
from videos.models import Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]
MOST_PLAYERS = 5
MOST_NODES = 8000


def test_the_first_clip_loads_before_any_script_ran(screen: Open, post: Post) -> None:
    post(2)
    window = screen()
    window.page.route("**/*.js", lambda route: route.abort())
    window.expect_trouble("ERR_FAILED", "Failed to load")
    with window.page.expect_request("**/*.mp4"):
        window.page.goto("/")


def test_the_script_takes_over_the_clip_that_came_with_the_page(screen: Open, post: Post) -> None:
    post(2)
    window = screen()
    asked: list[str] = []
    window.page.on("request", lambda request: asked.append(request.url))
    window.open_feed()
    first = window.clip.locator("video")
    expect(first).to_have_count(1)
    assert not first.evaluate("video => video.controls")
    source = first.evaluate("video => video.currentSrc")
    assert [url for url in asked if url == source][1:] == []


def test_a_neighbor_waits_until_the_clip_that_plays_has_enough(screen: Open, post: Post) -> None:
    post(3)
    window = screen()
    held: list[Route] = []
    window.page.route("**/*.mp4", lambda route: held.append(route), times=1)
    asked: set[str] = set()
    window.page.on(
        "request", lambda request: asked.add(request.url) if ".mp4" in request.url else None
    )
    window.page.goto("/")
    window.wait_until("document.querySelector('article.is-active')")
    window.page.wait_for_timeout(500)
    assert len(asked) == len(held) == 1
    held[0].continue_()
    window.wait_until_it_plays()
    window.wait_until("document.querySelectorAll('article video[src]').length > 2")


def test_a_long_scroll_keeps_few_players_and_nodes(screen: Open, post: Post) -> None:
    post(40)
    window = screen()
    window.open_feed()
    for _ in range(39):
        window.press_on()
        count = window.page.locator("video").count()
        assert count <= MOST_PLAYERS
    assert window.place == 40
    assert window.run("document.querySelectorAll('*').length") < MOST_NODES
    assert window.run("document.querySelectorAll('article .actions').length") < 20


def test_stills_show_while_one_drags_along_a_clip(screen: Open, post: Post) -> None:
    (video,) = post()
    Video.objects.filter(pk=video.pk).update(sprite=video.poster)
    window = screen()
    window.open_feed()
    scrubber = window.clip.locator("[data-scrubber]")
    box = scrubber.bounding_box()
    assert box is not None
    window.page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    window.page.mouse.down()
    window.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=8)
    still = window.page.locator(".hud__still")
    expect(still).to_be_visible()
    window.page.mouse.up()
    expect(still).to_have_count(0)


def test_the_feed_goes_on_by_itself_when_the_connection_is_back(screen: Open, post: Post) -> None:
    post(14)
    window = screen()
    window.expect_trouble("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "Failed to load")
    window.page.route("**/?seed=*", lambda route: route.abort())
    window.open_feed()
    for _ in range(10):
        window.press_on()
    expect(window.page.get_by_role("button", name="Try again")).to_be_in_viewport()
    window.rest()
    window.page.unroute("**/?seed=*")
    window.run("dispatchEvent(new Event('online'))")
    window.expect_place(11)


def test_the_page_comes_back_as_it_was_left(screen: Open, post: Post, anna: User) -> None:
    post(3)
    window = screen(as_user=anna)
    window.open_feed()
    window.press_on()
    window.wait_until_it_plays()
    here = window.clip_id
    window.page.wait_for_url(f"**/{here}")
    window.page.goto("/settings")
    window.page.go_back()
    window.wait_until_it_plays()
    assert window.clip_id == here
