"""The pages without JavaScript: watching, the next page, and all acts by forms."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from accounts.models import Follow, User
from feeds.models import Impression
from tests.browser.screens import Screen
from tests.conftest import RunJobs
from tests.factories import UserFactory
from videos.models import Comment, Like, Save, Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]


def test_the_feed_can_be_watched_page_by_page(screen: Open, post: Post) -> None:
    post(13)
    page = screen(java_script_enabled=False).page
    page.goto("/")
    expect(page.locator("article video[controls]")).to_have_count(10)
    first = [clip.get_attribute("data-clip") for clip in page.locator("article").all()]
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("article")).to_have_count(3)
    second = [clip.get_attribute("data-clip") for clip in page.locator("article").all()]
    assert len({*first, *second}) == 13
    expect(page.get_by_role("heading", name="You have seen it all")).to_have_count(1)


def test_like_save_follow_and_comment_are_forms(screen: Open, post: Post, anna: User) -> None:
    milo = UserFactory(handle="milo")
    (video,) = post(author=milo)
    page = screen(as_user=anna, java_script_enabled=False).page
    page.goto("/")
    page.get_by_role("button", name="Like, 0 likes").click()
    expect(page.get_by_role("button", name="Like, 1 likes")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="Save, 0 saves").click()
    expect(page.get_by_role("button", name="Save, 1 saves")).to_be_visible()
    page.get_by_role("button", name="Follow @milo").click()
    expect(page.get_by_role("button", name="Follow @milo")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("link", name="Comments, 0 comments").click()
    page.get_by_label("Add a comment").fill("Without a script")
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_text("Without a script", exact=True).first).to_be_visible()
    assert Like.objects.filter(video=video, user=anna).exists()
    assert Save.objects.filter(video=video, user=anna).exists()
    assert Follow.objects.filter(follower=anna, followee=milo).exists()
    assert Comment.objects.filter(video=video, author=anna).exists()


def test_a_clip_can_be_uploaded(
    screen: Open, anna: User, sample: Callable[[str], Path], run_jobs: RunJobs
) -> None:
    page = screen(as_user=anna, java_script_enabled=False).page
    page.goto("/upload")
    page.locator("input[type=file]").set_input_files(sample("v02"))
    page.get_by_label("Caption").fill("Plain and simple")
    page.get_by_role("button", name="Post").click()
    video = Video.objects.get(author=anna)
    run_jobs()
    page.goto(f"/@anna/video/{video.pk}")
    expect(page.locator("article video[controls]")).to_be_visible()
    expect(page.get_by_text("Plain and simple").first).to_be_visible()


def test_search_and_history_are_forms(screen: Open, post: Post, anna: User) -> None:
    first, second = post(2, caption="a loop of waves")
    for video in (first, second):
        Impression.objects.create(user=anna, video=video, seconds=3, completed=1)
    page = screen(as_user=anna, java_script_enabled=False).page
    page.goto("/explore")
    box = page.locator(".rail").get_by_role("searchbox")
    box.fill("waves")
    box.press("Enter")
    expect(page.locator("main .tile")).to_have_count(2)
    page.goto("/history")
    expect(page.locator(".watched")).to_have_count(2)
    page.get_by_role("button", name="Remove from history").first.click()
    expect(page.locator(".watched")).to_have_count(1)
    page.get_by_text("Clear all").click()
    page.get_by_role("button", name="Yes, clear it").click()
    expect(page.get_by_role("heading", name="Nothing watched yet")).to_be_visible()


def test_a_request_is_made_and_answered_by_forms(screen: Open, post: Post, anna: User) -> None:
    milo = UserFactory(email="milo@example.org", handle="milo", is_private=True)
    asking = screen(as_user=anna, java_script_enabled=False).page
    asking.goto("/@milo")
    asking.locator("main .follow__button").click()
    expect(asking.locator("main .follow__button")).to_contain_text("Requested")
    asked = screen(as_user=milo, java_script_enabled=False).page
    asked.goto("/people/requests")
    asked.get_by_role("button", name="Accept").click()
    assert Follow.objects.filter(follower=anna, followee=milo).exists()
