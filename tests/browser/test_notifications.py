"""Two people side by side: what one does, the other is told within ten seconds, as the page is."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Response, Route, expect

from accounts import services as people
from accounts.models import Session, User
from feeds import bells
from feeds.models import Notification
from tests.browser.screens import Screen
from tests.factories import UserFactory
from videos.models import Video
from videos.services import comments, engagement

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]
SOON = 10_000  # ms
COUNT = "**/notifications/unread-count"


@pytest.fixture
def leo(transactional_db: None) -> User:
    return UserFactory(email="leo@example.org", handle="leo", name="Leo")


def badge(page: Page) -> str:
    """Where the number stands that is in sight."""
    return (
        ".rail [data-news-count]"
        if page.viewport_size["width"] >= 768
        else ".tabbar [data-news-count]"
    )  # type: ignore[index]


def never_reloads(page: Page) -> None:
    """Mark the page, so that a reload would show."""
    page.evaluate("window.unloaded = false")


@pytest.mark.parametrize("width", [1280, 390])
def test_badge_and_open_list_follow_what_somebody_else_does(
    screen: Open, post: Post, anna: User, leo: User, width: int
) -> None:
    (clip,) = post(1, author=anna)
    hers = screen(as_user=anna, width=width).page
    hers.goto("/notifications")
    expect(hers.get_by_text("Nothing new yet")).to_be_visible()
    expect(hers.locator(badge(hers))).to_be_hidden()
    never_reloads(hers)

    his = screen(as_user=leo)
    his.open_feed(clip.get_absolute_url())
    his.page.locator("article.is-active form[data-act=like] button").click()
    expect(hers.locator(badge(hers))).to_have_text("1 unread", timeout=SOON)
    expect(hers.get_by_text("leo liked your clip")).to_be_visible(timeout=SOON)

    his.page.locator("article.is-active form[data-act=like] button").click()
    expect(hers.locator(badge(hers))).to_be_hidden(timeout=SOON)
    expect(hers.get_by_text("Nothing new yet")).to_be_visible(timeout=SOON)

    his.page.keyboard.press("c")
    panel = his.page.get_by_role("dialog", name="Comments")
    panel.get_by_label("Add a comment").fill("Where is this?")
    panel.get_by_role("button", name="Post comment").click()
    expect(hers.get_by_text("leo commented on your clip")).to_be_visible(timeout=SOON)
    expect(hers.get_by_text("Where is this?")).to_be_visible()
    his.page.goto("/@anna")
    his.page.get_by_role("button", name="Follow @anna").click()
    expect(hers.get_by_text("leo started following you")).to_be_visible(timeout=SOON)
    expect(hers.locator(badge(hers))).to_have_text("2 unread")
    assert hers.evaluate("window.unloaded") is False


def test_another_tab_follows_what_is_marked_as_read(
    screen: Open, post: Post, anna: User, leo: User
) -> None:
    clips = post(3, author=anna)
    for clip in clips:
        engagement.like_video(leo, clip.pk)
    comments.add_comment(leo, clips[0].pk, "how fine")
    page = screen(as_user=anna).page
    page.goto("/notifications")
    expect(page.locator(badge(page))).to_have_text("4 unread")
    other = page.context.new_page()
    other.goto("/explore")
    expect(other.locator(badge(other))).to_have_text("4 unread")
    page.get_by_role("button", name="Mark as read: leo commented on your clip").click()
    expect(page.locator(badge(page))).to_have_text("3 unread")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator(badge(page))).to_be_hidden()
    expect(page.locator(".note--new")).to_have_count(0)
    expect(page.get_by_role("button", name="Mark all as read")).to_be_disabled()
    expect(other.locator(badge(other))).to_be_hidden(timeout=SOON)


def test_whoever_goes_to_look_has_read_it(screen: Open, post: Post, anna: User, leo: User) -> None:
    (clip,) = post(1, author=anna)
    engagement.like_video(leo, clip.pk)
    page = screen(as_user=anna).page
    page.goto("/notifications")
    page.get_by_role("link", name="leo liked your clip").click()
    page.wait_for_url(f"**{clip.get_absolute_url()}")
    page.goto("/notifications")
    expect(page.locator(badge(page))).to_be_hidden()
    expect(page.get_by_text("leo liked your clip")).to_be_visible()


def test_all_of_a_group_can_be_seen(screen: Open, post: Post, anna: User) -> None:
    (clip,) = post(1, author=anna)
    for n in range(5):
        engagement.like_video(UserFactory(handle=f"fan{n}"), clip.pk)
    page = screen(as_user=anna).page
    page.goto("/notifications")
    expect(page.get_by_text("fan4 and 4 others liked your clip")).to_be_visible()
    page.get_by_role("link", name="See all 5").click()
    expect(page.locator(".note__who")).to_have_text([f"fan{n}" for n in (4, 3, 2, 1, 0)])
    expect(page.locator(badge(page))).to_be_hidden()
    expect(page.locator(".note--new")).to_have_count(5)  # what was new still looks so
    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0)
    page.go_back()
    expect(page.get_by_text("fan4 and 4 others liked your clip")).to_be_visible()
    expect(page.locator(".note--new")).to_have_count(0)


def test_a_hidden_page_does_not_ask_and_one_that_is_shown_asks_at_once(
    screen: Open, post: Post, anna: User, leo: User
) -> None:
    (clip,) = post(1, author=anna)
    page = screen(as_user=anna).page
    page.goto("/explore")
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if "unread" in request.url else None
    )
    expect(page.locator(badge(page))).to_be_hidden()
    page.wait_for_timeout(6_000)
    assert 1 <= len(asked) <= 3
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    asked.clear()
    engagement.like_video(leo, clip.pk)
    page.wait_for_timeout(7_000)
    assert asked == []
    page.evaluate(
        """() => {
          delete document.hidden;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect(page.locator(badge(page))).to_have_text("1 unread", timeout=3_000)


def test_a_page_asks_less_often_while_nobody_does_anything(
    screen: Open, post: Post, anna: User
) -> None:
    """Each five seconds; after five minutes without a touch each thirty, until the next one."""
    post(1, author=anna)
    page = screen(as_user=anna).page
    page.clock.install(time=datetime(2026, 1, 1, 12, 0, tzinfo=UTC))
    page.goto("/explore")
    with page.expect_response(COUNT):
        page.clock.pause_at(datetime(2026, 1, 1, 12, 1, tzinfo=UTC))

    def asks_after(seconds: int) -> None:
        asked: list[str] = []
        page.wait_for_timeout(300)  # the answer is read, and the next time is set
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for((seconds - 1) * 1000)
        page.wait_for_timeout(300)
        assert [url for url in asked if "unread-count" in url] == []
        with page.expect_response(COUNT):
            page.clock.run_for(1_000)

    asks_after(5)
    asks_after(5)
    with page.expect_response(COUNT):
        page.clock.fast_forward(6 * 60_000)
    asks_after(30)
    with page.expect_response(COUNT):
        page.keyboard.press("Shift")
    asks_after(5)


def test_a_page_whose_token_ran_out_gets_another_by_its_cookie_and_goes_on_with_it(
    screen: Open, post: Post, anna: User
) -> None:
    post(1, author=anna)
    window = screen(as_user=anna)
    window.expect_trouble("401")
    page = window.page
    page.clock.install()
    page.goto("/explore")
    with page.expect_response(lambda answer: answer.status == 304 and "count" in answer.url):
        page.clock.run_for(5_000)
    old = f"Bearer {page.evaluate('document.body.dataset.news')}"

    def refuse(route: Route) -> None:
        if route.request.headers.get("authorization") == old:
            route.fulfill(status=401, body="")
        else:
            route.continue_()

    asked: list[tuple[bool, bool, int]] = []  # by a token, knowing a version, the answer

    def note(answer: Response) -> None:
        if "unread-count" in answer.url:
            sent = answer.request.headers
            asked.append(("authorization" in sent, "if-none-match" in sent, answer.status))

    page.route(COUNT, refuse)
    page.on("response", note)
    for _ in range(10):
        if len(asked) < 3:
            page.clock.run_for(5_000)
            page.wait_for_timeout(500)
    assert asked[:3] == [(True, True, 401), (False, False, 200), (True, True, 304)]


def test_a_session_that_has_ended_stops_asking(screen: Open, post: Post, anna: User) -> None:
    post(1, author=anna)
    window = screen(as_user=anna)
    window.expect_trouble("401")
    page = window.page
    page.goto("/explore")
    with page.expect_response(COUNT):
        pass
    asked: list[int] = []
    page.on(
        "response",
        lambda answer: asked.append(answer.status) if "unread-count" in answer.url else None,
    )
    people.end_own_session(anna, Session.objects.live().get(user=anna).pk)
    page.wait_for_timeout(12_000)
    assert asked == [401, 401], "by its token, by its cookie, and no more"


def test_the_bell_comes_with_the_follow_and_goes_with_it(
    screen: Open, post: Post, anna: User, leo: User
) -> None:
    post(1, author=leo)
    page = screen(as_user=anna).page
    page.goto("/@leo")
    bell = page.get_by_role("button", name="Tell me of new clips by @leo")
    expect(bell).to_be_hidden()
    page.get_by_role("button", name="Follow @leo").click()
    expect(bell).to_be_visible()
    with page.expect_response("**/bell"):
        bell.click()
    expect(bell).to_have_attribute("aria-pressed", "true")
    assert bells.is_on(anna, leo)
    page.reload()
    expect(bell).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/follow"):
        page.locator("form.follow button").click()
    expect(bell).to_be_hidden()
    with page.expect_response("**/follow"):
        page.locator("form.follow button").click()
    expect(bell).to_have_attribute("aria-pressed", "false")
    assert not bells.is_on(anna, leo)


def test_without_javascript_all_of_it_works(
    screen: Open, post: Post, anna: User, leo: User
) -> None:
    (clip,) = post(1, author=anna)
    for n in range(2):
        engagement.like_video(UserFactory(handle=f"fan{n}"), clip.pk)
    comments.add_comment(leo, clip.pk, "how fine")
    people.follow(anna, leo)
    page = screen(as_user=anna, java_script_enabled=False).page
    page.goto("/notifications")
    expect(page.locator(badge(page))).to_have_text("3 unread")
    page.get_by_role("button", name="Mark as read: leo commented on your clip").click()
    expect(page.locator(badge(page))).to_have_text("2 unread")
    page.get_by_role("link", name="See all 2").click()
    page.get_by_role("button", name="Mark as read: fan1 liked your clip").click()
    expect(page.locator(badge(page))).to_have_text("1 unread")
    expect(page.locator(".note--new")).to_have_count(1)
    page.get_by_role("link", name="All notifications").click()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator(badge(page))).to_be_hidden()
    page.get_by_role("link", name="Choose what you are told of").click()
    page.get_by_label("Likes of your clips").uncheck()
    page.get_by_role("button", name="Save").click()
    page.goto("/notifications")
    expect(page.get_by_text("liked your clip")).to_have_count(0)
    page.goto("/@leo")
    page.get_by_role("button", name="Tell me of new clips by @leo").click()
    assert bells.is_on(anna, leo)
    assert Notification.objects.filter(recipient=anna).count() == 3
