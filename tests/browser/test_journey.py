"""From a new account to the end of the feed, in one go."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from accounts.models import Follow
from tests.browser.screens import Screen
from tests.conftest import RunJobs
from tests.factories import UserFactory
from videos.models import Comment, Like, Video


def test_a_newcomer_posts_watches_likes_comments_follows_and_sees_all_once(
    screen: Callable[..., Screen],
    post: Callable[..., list[Video]],
    sample: Callable[[str], Path],
    run_jobs: RunJobs,
) -> None:
    milo = UserFactory(handle="milo", name="Milo")
    post(13, author=milo)
    window = screen()
    page = window.page

    page.goto("/signup")
    page.get_by_label("E-mail").fill("kaja@example.org")
    page.get_by_label("Handle").fill("kaja")
    page.get_by_label("Name").fill("Kaja")
    page.get_by_label("Password").fill("correct horse battery")
    page.locator("form.form button[type=submit]").click()
    page.wait_for_url(lambda url: not url.endswith("/signup"))

    page.goto("/upload")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator("input[type=file]").set_input_files(sample("v02"))
    page.get_by_label("Caption").fill("My very first loop #hello")
    page.get_by_text("Everybody").first.click()
    page.get_by_role("button", name="Post").click()
    page.wait_for_url("**/status")
    run_jobs()
    expect(page.get_by_text("Your clip is ready.")).to_be_visible()

    mine = Video.objects.get(author__handle="kaja")
    window.open_feed("/all")  # what is recommended leaves out one's own
    total, seen = 14, []
    for number in range(total):
        if number:
            window.press_on()
        seen.append(window.clip_id)
        if window.clip_id == mine.pk:
            window.wait_until_it_plays()
            expect(window.clip.get_by_role("link", name="#hello")).to_be_visible()
    assert sorted(seen) == sorted(Video.objects.values_list("pk", flat=True))
    window.press_on()
    expect(page.get_by_role("heading", name="You have seen it all")).to_be_in_viewport()
    page.keyboard.press("k")
    window.expect_place(total)
    if window.clip_id == mine.pk:
        page.keyboard.press("k")
        window.expect_place(total - 1)

    with page.expect_response("**/like"):
        window.clip.get_by_role("button", name="Like, 0 likes").click()
    with page.expect_response("**/follow"):
        window.clip.get_by_role("button", name="Follow @milo").click()
    window.clip.get_by_role("link", name="Comments, 0 comments").click()
    box = page.get_by_role("dialog", name="Comments").get_by_label("Add a comment")
    box.fill("Beautiful")
    box.press("Enter")
    expect(window.clip.get_by_role("link", name="Comments, 1 comments")).to_be_visible()

    assert Like.objects.filter(user__handle="kaja", video=window.clip_id).exists()
    assert Follow.objects.filter(follower__handle="kaja", followee=milo).exists()
    assert Comment.objects.get(video=window.clip_id).text == "Beautiful"
