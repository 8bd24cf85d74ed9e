"""Two people side by side: one says who comments, the other one asks and waits."""

from collections.abc import Callable

from playwright.sync_api import Locator, Route, expect

from accounts.models import User
from tests.browser.screens import Screen
from tests.factories import UserFactory
from videos.models import Comment, Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]


def talk(window: Screen) -> Locator:
    """Open the comments of the clip that is on."""
    window.page.keyboard.press("c")
    panel = window.page.get_by_role("dialog", name="Comments")
    expect(panel.locator("[data-comments]")).to_be_visible()
    return panel


def test_a_comment_waits_is_approved_pinned_and_hidden(
    screen: Open, post: Post, anna: User
) -> None:
    milo = UserFactory(handle="milo")
    (video,) = post(1, author=anna, comments_held="everybody")
    theirs, hers = screen(as_user=milo), screen(as_user=anna)
    theirs.open_feed(video.get_absolute_url())
    panel = talk(theirs)
    expect(panel.get_by_text("shown once @anna approves it")).to_be_visible()
    panel.get_by_label("Add a comment").fill("Where is this?")
    panel.get_by_role("button", name="Post comment").click()
    expect(panel.get_by_text("Waits for approval")).to_be_visible()

    hers.open_feed(video.get_absolute_url())
    panel = talk(hers)
    panel.get_by_role("button", name="Approve").click()
    expect(panel.get_by_text("Waits for approval")).to_have_count(0)
    expect(panel.locator("[data-comments]")).to_have_attribute("data-count", "1")
    panel.get_by_role("button", name="Pin", exact=False).first.click()
    expect(panel.get_by_text("Pinned", exact=True)).to_be_visible()

    theirs.page.reload()
    panel = talk(theirs)
    expect(panel.get_by_text("Where is this?").first).to_be_visible()
    expect(panel.get_by_text("Pinned", exact=True)).to_be_visible()

    hers.page.get_by_role("button", name="Hide").first.click()
    expect(hers.page.get_by_text("Hidden", exact=True)).to_be_visible()
    assert Comment.objects.get().state == "hidden"
    video.refresh_from_db()
    assert video.comments_count == 0


def test_who_may_not_comment_is_told_before_typing(screen: Open, post: Post, anna: User) -> None:
    milo = UserFactory(handle="milo")
    (video,) = post(1, author=anna)
    hers = screen(as_user=anna)
    hers.page.goto(f"{video.get_absolute_url()}/edit")
    hers.page.get_by_label("Who may comment").select_option("followers")
    hers.page.get_by_role("button", name="Save").click()
    hers.page.wait_for_url(f"**{video.get_absolute_url()}")
    theirs = screen(as_user=milo)
    theirs.open_feed(video.get_absolute_url())
    panel = talk(theirs)
    expect(panel.get_by_text("Only followers of @anna may comment here.")).to_be_visible()
    expect(panel.get_by_label("Add a comment")).to_have_count(0)


def test_comments_opened_while_a_page_gets_its_order_back_do_come(screen: Open, post: Post) -> None:
    post(3)
    window = screen()
    window.open_feed()
    window.page.wait_for_url("**/video/*")
    held: list[Route] = []
    for what in ("**/htmx*.js", "**/?*"):
        window.page.route(what, lambda route: held.append(route))
    window.page.reload()
    window.wait_until_it_plays()
    before = window.clip.element_handle()
    window.page.keyboard.press("c")
    expect(window.page.get_by_role("dialog", name="Comments")).to_be_visible()
    for _ in range(300):
        if len(held) < 2:
            window.page.wait_for_timeout(50)
    order, kit = sorted(held, key=lambda route: route.request.url.endswith(".js"))
    order.continue_()
    window.page.wait_for_function("before => !before.isConnected", arg=before)
    kit.continue_()
    expect(window.page.locator("#comments [data-comments]")).to_be_visible()
