"""The feed under the hands of a person: wheel, keys, memory, back, refusals."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts.models import User
from feeds.models import Impression
from tests.browser.screens import FINGERS, INERTIA, Screen
from tests.factories import CommentFactory
from videos.models import Comment, Like, Save, Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]


def test_a_clip_plays_muted_and_one_at_a_time(screen: Open, post: Post) -> None:
    post(4)
    window = screen()
    window.open_feed()
    assert window.run("document.querySelector('article.is-active video').muted")
    playing = "[...document.querySelectorAll('video')].filter((video) => !video.paused).length"
    assert window.run(playing) == 1
    window.press_on()
    window.wait_until_it_plays()
    assert window.run(playing) == 1


@pytest.mark.parametrize("deltas", [[120], [600], [53, 53], FINGERS + INERTIA])
def test_one_wheel_gesture_moves_one_clip(screen: Open, post: Post, deltas: list[int]) -> None:
    post(5)
    window = screen()
    window.open_feed()
    window.wheel(deltas)
    window.expect_place(2)


def test_a_second_swipe_on_the_inertia_of_the_first_is_not_lost(screen: Open, post: Post) -> None:
    post(5)
    window = screen()
    window.open_feed()
    window.wheel(FINGERS + INERTIA[:14] + FINGERS + INERTIA)
    window.expect_place(3)


def test_the_wheel_goes_back_as_well(screen: Open, post: Post) -> None:
    post(5)
    window = screen()
    window.open_feed()
    window.wheel([120])
    window.expect_place(2)
    window.wheel([-120])
    window.expect_place(1)


def test_keys_move_pause_mute_and_seek(screen: Open, post: Post) -> None:
    post(5)
    window = screen()
    window.open_feed()
    place = 1
    for key, step in (("j", 1), ("ArrowDown", 1), ("PageDown", 1), ("k", -1), ("ArrowUp", -1)):
        window.page.keyboard.press(key)
        place += step
        window.expect_place(place)
    window.wait_until_it_plays()
    video = window.clip.locator("video")
    window.page.keyboard.press("Space")
    assert video.evaluate("(video) => video.paused")
    window.page.keyboard.press("5")
    assert video.evaluate("(video) => video.currentTime") == pytest.approx(1.5, abs=0.3)
    window.page.keyboard.press("m")
    assert not video.evaluate("(video) => video.muted")
    window.page.keyboard.press("?")
    expect(window.page.locator("#keys-help")).to_be_visible()


def test_single_keys_can_be_switched_off(screen: Open, post: Post, anna: User) -> None:
    post(3)
    window = screen(as_user=anna)
    window.page.goto("/settings/playback")
    window.page.get_by_label("Keyboard shortcuts").uncheck()
    window.open_feed()
    window.page.keyboard.press("j")
    window.rest()
    assert window.place == 1
    window.page.keyboard.press("ArrowDown")
    window.expect_place(2)


def test_sixty_clips_need_no_more_than_five_players(screen: Open, post: Post) -> None:
    post(64)
    window = screen()
    window.open_feed()
    most, seen = 0, []
    for _ in range(60):
        seen.append(window.clip_id)
        window.press_on()
        most = max(most, window.run("document.querySelectorAll('video').length"))
    assert most <= 5
    assert len(set(seen)) == 60
    assert window.run("document.querySelectorAll('*').length") < 4000


def test_the_end_says_so_and_starts_again(screen: Open, post: Post) -> None:
    videos = post(12)
    window = screen()
    window.open_feed()
    seen = [window.clip_id]
    for _ in range(11):
        window.press_on()
        seen.append(window.clip_id)
    assert sorted(seen) == sorted(video.pk for video in videos)
    window.press_on()
    refresh = window.page.get_by_role("link", name="Start again")
    expect(refresh).to_be_in_viewport()
    refresh.click()
    window.expect_place(1)
    window.wait_until_it_plays()


def test_back_returns_to_the_same_clip_in_the_same_order(screen: Open, post: Post) -> None:
    post(14)
    window = screen()
    window.open_feed()
    order = [window.clip_id]
    for _ in range(4):
        window.press_on()
        order.append(window.clip_id)
    window.rest()
    window.page.wait_for_url(f"**/video/{order[-1]}")
    window.clip.locator(".caption__author").click()
    window.page.wait_for_url("**/@person*")
    window.page.go_back()
    window.expect_place(5)
    assert window.clip_id == order[-1]
    window.page.keyboard.press("k")
    window.expect_place(4)
    assert window.clip_id == order[-2]


def test_a_double_click_likes_and_never_takes_a_like_back(
    screen: Open, post: Post, anna: User
) -> None:
    (video,) = post()
    window = screen(as_user=anna)
    window.open_feed()
    like = window.clip.get_by_role("button", name="Like, 0 likes")
    expect(like).to_have_attribute("aria-pressed", "false")
    stage = window.clip.locator("[data-stage]")
    with window.page.expect_response("**/like"):
        stage.dblclick(position={"x": 150, "y": 250})
    expect(window.page.locator(".burst")).to_have_count(1)
    expect(window.clip.get_by_role("button", name="Like, 1 likes")).to_be_visible()
    expect(window.page.locator(".burst")).to_have_count(0)
    stage.dblclick(position={"x": 150, "y": 250})
    expect(window.page.locator(".burst")).to_have_count(1)
    assert Like.objects.filter(video=video, user=anna).count() == 1


def test_a_refused_like_rolls_back_with_a_message(screen: Open, post: Post, anna: User) -> None:
    (video,) = post()
    window = screen(as_user=anna)
    window.expect_trouble("404")
    window.open_feed()
    Video.objects.filter(pk=video.pk).update(visibility="private")
    window.page.keyboard.press("l")
    expect(window.page.locator(".toast")).to_be_visible()
    like = window.clip.get_by_role("button", name="Like, 0 likes")
    expect(like).to_have_attribute("aria-pressed", "false")


def test_saving_is_kept(screen: Open, post: Post, anna: User) -> None:
    (video,) = post()
    window = screen(as_user=anna)
    window.open_feed()
    with window.page.expect_response("**/save"):
        window.clip.get_by_role("button", name="Save, 0 saves").click()
    window.page.reload()
    save = window.clip.get_by_role("button", name="Save, 1 saves")
    expect(save).to_have_attribute("aria-pressed", "true")
    assert Save.objects.filter(video=video, user=anna).exists()


@pytest.mark.parametrize("width", [390, 1280])
def test_comments_open_answer_and_give_the_focus_back(
    screen: Open, post: Post, anna: User, width: int
) -> None:
    (video,) = post()
    CommentFactory(video=video, text="The first word")
    Video.objects.filter(pk=video.pk).update(comments_count=1)
    window = screen(as_user=anna, width=width)
    window.open_feed()
    opener = window.clip.get_by_role("link", name="Comments, 1 comments")
    opener.click()
    dialog = window.page.get_by_role("dialog", name="Comments")
    expect(dialog.get_by_text("The first word")).to_be_visible()
    dialog.get_by_label("Add a comment").fill("A fine loop")
    dialog.get_by_label("Add a comment").press("Enter")
    expect(dialog.get_by_text("A fine loop", exact=True).first).to_be_visible()
    expect(window.clip.get_by_role("link", name="Comments, 2 comments")).to_be_visible()
    first = dialog.locator("[data-comment]", has_text="The first word")
    first.get_by_role("button", name="Reply").click()
    first.get_by_role("textbox").fill("Indeed")
    first.get_by_role("textbox").press("Enter")
    expect(dialog.locator(".comment__replies", has_text="Indeed")).to_be_visible()
    with window.page.expect_response("**/comments/*/like"):
        first.get_by_role("button", name="Like, 0 likes").first.click()
    window.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert window.run("document.activeElement.matches('[data-open-comments]')")
    assert Comment.objects.filter(video=video).count() == 3


def test_a_visitor_who_acts_is_invited_and_comes_back(screen: Open, post: Post, anna: User) -> None:
    (video,) = post()
    window = screen()
    window.open_feed()
    window.clip.get_by_role("link", name="Like, 0 likes").click()
    invitation = window.page.get_by_role("dialog", name="Join")
    expect(invitation).to_be_visible()
    invitation.get_by_role("link", name="I have an account").click()
    window.page.get_by_label("E-mail").fill(anna.email)
    window.page.get_by_label("Password").fill("correct horse battery")
    window.page.locator("form.form button[type=submit]").click()
    window.page.wait_for_url(f"**/video/{video.pk}")


def test_a_broken_connection_is_said_and_mended(screen: Open, post: Post) -> None:
    post(14)
    window = screen()
    window.expect_trouble("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "Failed to load")
    window.page.route("**/?seed=*", lambda route: route.abort())
    window.open_feed()
    for _ in range(10):
        window.press_on()
    again = window.page.get_by_role("button", name="Try again")
    expect(again).to_be_in_viewport()
    window.rest()
    window.page.unroute("**/?seed=*")
    again.click()
    window.expect_place(11)


def test_views_and_watch_time_arrive(screen: Open, post: Post, anna: User) -> None:
    first, second = post(2)
    window = screen(as_user=anna)
    window.open_feed()
    window.press_on()
    window.wait_until_it_plays()
    window.page.goto("/settings")
    deadline = time.monotonic() + 10
    seen = Impression.objects.filter(user=anna, video__in=[first, second])
    while seen.count() < 2 and time.monotonic() < deadline:
        window.page.wait_for_timeout(50)
    assert seen.count() == 2
    assert all(one.seconds > 0 for one in seen)


def test_reduced_motion_does_not_start_by_itself(screen: Open, post: Post) -> None:
    post(2)
    window = screen(reduced_motion="reduce")
    window.page.goto("/")
    play = window.clip.get_by_role("button", name="Play")
    expect(play).to_be_visible()
    play.click()
    window.wait_until_it_plays()
