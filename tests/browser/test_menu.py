"""The menu of a clip: what one does not want to see, why it is there, captions, speed, link."""

from collections.abc import Callable

from playwright.sync_api import expect

from accounts.models import Block, Mute, User
from feeds.models import NotInterested
from tests.browser.screens import Screen
from tests.factories import UserFactory
from videos.captions import link_caption
from videos.models import Save, Subtitles, Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]

VTT = "WEBVTT\n\n00:00.000 --> 00:03.000\nA first word\n"


def test_a_clip_one_is_not_interested_in_leaves_and_comes_back(
    screen: Open, post: Post, anna: User
) -> None:
    post(3)
    window = screen(as_user=anna)
    window.open_feed()
    first = window.clip_id
    with window.page.expect_response("**/not-interested"):
        window.choose("Not interested")
    expect(window.page.locator(f"article[data-clip='{first}']")).to_have_count(0)
    window.wait_until_it_plays()
    assert window.clip_id != first
    assert NotInterested.objects.filter(user=anna, video=first).exists()
    with window.page.expect_response("**/not-interested"):
        window.page.get_by_role("button", name="Undo").click()
    window.wait_until_it_plays()
    assert (window.clip_id, window.place) == (first, 1)
    assert not NotInterested.objects.exists()


def test_a_refused_refusal_brings_the_clip_back_with_a_message(
    screen: Open, post: Post, anna: User
) -> None:
    post(2)
    window = screen(as_user=anna)
    window.expect_trouble("404")
    window.open_feed()
    first = window.clip_id
    Video.objects.filter(pk=first).update(visibility="private")
    window.page.keyboard.press("n")
    expect(window.page.locator(".toast")).to_be_visible()
    window.wait_until_it_plays()
    assert window.clip_id == first


def test_the_last_clip_that_leaves_shows_the_end(screen: Open, post: Post, anna: User) -> None:
    post(1)
    window = screen(as_user=anna)
    window.open_feed()
    window.page.keyboard.press("n")
    expect(window.page.get_by_role("link", name="Start again")).to_be_in_viewport()
    window.page.get_by_role("button", name="Undo").click()
    window.wait_until_it_plays()


def test_all_clips_of_a_muted_person_leave(screen: Open, post: Post, anna: User) -> None:
    milo, nora = UserFactory(handle="milo"), UserFactory(handle="nora")
    [shown, *_rest] = post(3, author=milo)
    post(2, author=nora)
    window = screen(as_user=anna)
    window.open_feed(shown.get_absolute_url())
    window.wait_until("document.querySelectorAll('article').length > 4")
    with window.page.expect_response("**/mute"):
        window.choose("Mute @milo")
    expect(window.page.locator("article[data-handle=milo]")).to_have_count(0)
    expect(window.clip).to_have_attribute("data-handle", "nora")
    assert Mute.objects.filter(muter=anna, muted=milo).exists()
    with window.page.expect_response("**/mute"):
        window.page.get_by_role("button", name="Undo").click()
    expect(window.page.locator("article[data-handle=milo]")).to_have_count(3)
    assert not Mute.objects.exists()


def test_blocking_asks_twice(screen: Open, post: Post, anna: User) -> None:
    milo = UserFactory(handle="milo")
    post(1, author=milo)
    window = screen(as_user=anna)
    window.open_feed()
    window.choose("Block @milo")
    assert not Block.objects.exists()
    with window.page.expect_response("**/block"):
        window.page.get_by_role("button", name="Press again").click()
    expect(window.page.locator("article[data-handle=milo]")).to_have_count(0)
    assert Block.objects.filter(blocker=anna, blocked=milo).exists()


def test_why_a_clip_is_there(screen: Open, post: Post, anna: User) -> None:
    post(1)
    window = screen(as_user=anna)
    dialog = window.page.get_by_role("dialog", name="Why this clip?")
    window.open_feed()
    window.choose("Why this clip?")
    expect(dialog.get_by_role("button", name="Less of this").first).to_be_visible()
    expect(dialog.get_by_text("shuffled order")).to_be_hidden()
    window.open_feed("/all")
    window.choose("Why this clip?")
    expect(dialog.get_by_text("shuffled order")).to_be_visible()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    window.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_saving_speed_and_link_from_the_menu(screen: Open, post: Post, anna: User) -> None:
    (video,) = post(1)
    window = screen(as_user=anna)
    window.open_feed()
    with window.page.expect_response("**/save"):
        window.choose("Save")
    assert Save.objects.filter(user=anna, video=video).exists()
    window.choose("2×")
    assert window.clip.locator("video").evaluate("(video) => video.playbackRate") == 2
    window.choose("Copy link")
    expect(window.page.locator(".toast", has_text="Link copied")).to_be_visible()


def test_the_arrow_keys_walk_through_the_menu(screen: Open, post: Post, anna: User) -> None:
    post(1)
    window = screen(as_user=anna)
    window.open_feed()
    window.page.keyboard.press(".")
    menu = window.page.get_by_role("dialog", name="More")
    expect(menu).to_be_visible()
    window.page.keyboard.press("ArrowUp")
    expect(menu.get_by_role("link", name="Report")).to_be_focused()
    window.page.keyboard.press("ArrowUp")
    expect(menu.get_by_role("button", name="Block")).to_be_focused()


def test_captions_are_shown_and_switched_off_and_on(screen: Open, post: Post) -> None:
    (video,) = post(1)
    Subtitles.objects.create(video=video, language="en", label="English", vtt=VTT)
    window = screen()
    window.open_feed()
    showing = "() => [...document.querySelector('article video').textTracks].map((one) => one.mode)"
    window.wait_until(f"{showing}.includes('showing')")
    window.wait_until("document.querySelector('article video').textTracks[0].cues")
    window.page.keyboard.press("t")
    window.wait_until(f"{showing}.length === 0")
    window.choose("Captions")
    window.wait_until(f"{showing}.includes('showing')")


def test_a_visitor_has_a_short_menu(screen: Open, post: Post) -> None:
    post(1)
    window = screen()
    window.open_feed()
    window.page.keyboard.press(".")
    menu = window.page.get_by_role("dialog", name="More")
    expect(menu.get_by_role("button", name="Copy link")).to_be_visible()
    expect(menu.get_by_role("button", name="Not interested")).to_have_count(0)
    window.page.keyboard.press("Escape")
    window.page.keyboard.press("n")
    expect(window.page.get_by_role("dialog", name="Join")).to_be_visible()


def test_a_muted_hashtag_takes_its_clips_along_and_stands_in_the_settings(
    screen: Open, post: Post, anna: User
) -> None:
    [wet, *_rest] = post(2, caption="a walk #rain")
    (dry,) = post(1, caption="no drop of it")
    for video in Video.objects.all():
        link_caption(video)
    window = screen(as_user=anna)
    window.open_feed(wet.get_absolute_url())
    window.wait_until("document.querySelectorAll('article').length === 3")
    with window.page.expect_response("**/hashtags/rain/mute"):
        window.choose("Mute #rain")
    expect(window.page.locator("article[data-clip]")).to_have_count(1)
    expect(window.clip).to_have_attribute("data-clip", str(dry.pk))
    window.page.goto("/settings/words")
    window.page.get_by_label("Word, phrase").fill("Drop")
    window.page.get_by_role("button", name="Mute", exact=True).click()
    expect(window.page.get_by_role("listitem").filter(has_text="#rain")).to_be_visible()
    window.page.goto("/")
    expect(window.page.locator("article[data-clip]")).to_have_count(0)
    window.page.goto("/tag/rain")
    window.page.get_by_role("button", name="Unmute").click()
    expect(window.page.locator(f"a[href$='/video/{wet.pk}']")).to_be_visible()
