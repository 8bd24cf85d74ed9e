"""Two people: a private account, its requests, and the comments that they write."""

from collections.abc import Callable

from playwright.sync_api import expect

from accounts.models import Follow, FollowRequest, User
from tests.browser.screens import Screen
from tests.factories import CommentFactory, UserFactory
from videos.models import Comment, Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]


def test_a_private_account_is_asked_answers_and_is_seen(
    screen: Open, post: Post, anna: User
) -> None:
    milo = UserFactory(email="milo@example.org", handle="milo", is_private=True)
    (video,) = post(1, author=milo)
    asking = screen(as_user=anna)
    asking.page.goto("/@milo")
    follow = asking.page.locator("main .follow__button")
    with asking.page.expect_response("**/follow"):
        follow.click()
    expect(follow).to_contain_text("Requested")
    assert FollowRequest.objects.filter(requester=anna, target=milo).exists()
    asking.page.reload()
    expect(follow).to_contain_text("Requested")
    with asking.page.expect_response("**/follow"):
        follow.click()
    expect(follow).to_have_accessible_name("Follow @milo")
    assert not FollowRequest.objects.exists()
    with asking.page.expect_response("**/follow"):
        follow.click()

    asked = screen(as_user=milo)
    asked.page.goto("/explore")
    badge = asked.page.locator(".rail").get_by_role("link", name="Requests")
    expect(badge.locator(".count")).to_have_text("1")
    badge.click()
    asked.page.get_by_role("button", name="Accept").click()
    expect(asked.page.locator(".rail .count:not([data-news-count])")).to_have_count(0)
    assert Follow.objects.filter(follower=anna, followee=milo).exists()

    asking.page.goto("/@milo")
    expect(follow).to_contain_text("Following")
    expect(asking.page.locator(f".tile__link[href$='/{video.pk}']")).to_be_visible()


def test_comments_by_likes_and_a_mention_completed(screen: Open, post: Post, anna: User) -> None:
    milo = UserFactory(handle="milo", name="Milo")
    (video,) = post(1)
    CommentFactory(video=video, text="The loved one", likes_count=9)
    CommentFactory(video=video, text="The late one")
    Video.objects.filter(pk=video.pk).update(comments_count=2)
    window = screen(as_user=anna)
    window.open_feed()
    window.page.keyboard.press("c")
    dialog = window.page.get_by_role("dialog", name="Comments")
    first = dialog.locator("[data-comment] .comment__text").first
    expect(first).to_have_text("The late one")
    dialog.get_by_role("link", name="Top").click()
    expect(first).to_have_text("The loved one")
    field = dialog.get_by_label("Add a comment")
    field.click()
    field.press_sequentially("Look, @mil", delay=30)
    expect(dialog.get_by_role("option", name="@milo")).to_be_visible()
    field.press("Enter")
    expect(field).to_have_value("Look, @milo ")
    field.press("Enter")
    expect(dialog.get_by_role("link", name="@milo")).to_be_visible()
    expect(window.clip.get_by_role("link", name="Comments, 3 comments")).to_be_visible()
    assert Comment.objects.get(author=anna).text == "Look, @milo"
    assert milo.handle == "milo"
