"""For you in the browser: what one likes and refuses shows in the next order."""

from collections.abc import Callable

from playwright.sync_api import expect

from accounts.models import User
from feeds.recommender.exploring import KNOWN_AFTER
from tests.browser.screens import Screen
from tests.feeds.models import put_in_service
from videos.captions import link_caption
from videos.models import Like, Video

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]


def test_the_first_like_offers_a_new_order_that_knows_it(
    screen: Open, post: Post, anna: User
) -> None:
    """And that says why, and less of it is one tap away."""
    videos = post(8, caption="Purr #cats")
    near = videos[0]
    put_in_service({video.pk: {near.pk: 1.0} for video in videos[1:]})
    Video.objects.update(shown_count=KNOWN_AFTER)  # no place is for finding out
    Video.objects.filter(pk=near.pk).update(caption="Woof #dogs")
    near.refresh_from_db()
    link_caption(near)
    window = screen(as_user=anna)
    window.open_feed()
    assert window.clip_id != near.pk, "the oldest"
    offer = window.page.get_by_role("button", name="New for you")
    expect(offer).to_be_hidden()
    with window.page.expect_response("**/like"):
        window.page.keyboard.press("l")
    assert Like.objects.get().user == anna
    expect(offer).to_be_visible()
    with window.page.expect_response(lambda answer: "X-Fragment" in answer.headers["vary"]):
        offer.click()
    expect(window.clip).to_have_attribute("data-clip", str(near.pk))
    expect(offer).to_be_hidden()
    window.choose("Why this clip?")
    dialog = window.page.get_by_role("dialog", name="Why this clip?")
    reason = dialog.get_by_role("listitem").filter(has_text="Because you liked “Purr #cats”")
    with window.page.expect_response("**/not-interested"):
        reason.get_by_role("button", name="Less of this").click()
    expect(window.page.locator(f"article[data-clip='{near.pk}']")).to_have_count(0)
    window.open_feed()
    shown = window.page.locator("article[data-clip]")
    found = [one.get_attribute("data-clip") for one in shown.all()]
    assert len(found) >= 6
    assert str(near.pk) not in found
