"""Hidden, told why, appealed, restored: the author and the moderator side by side."""

from collections.abc import Callable

from playwright.sync_api import expect

from accounts.models import User
from tests.browser.screens import Screen
from tests.factories import UserFactory
from videos.models import Video
from videos.services import engagement

Open = Callable[..., Screen]
Post = Callable[..., list[Video]]


def test_an_author_whose_clip_is_hidden_is_told_why_appeals_and_has_it_back(
    screen: Open, post: Post, anna: User
) -> None:
    (clip,) = post(1, author=anna, caption="my clip")
    engagement.report_video(UserFactory(), clip.pk, "spam", "An ad?")
    boss = UserFactory(email="boss@example.org", handle="boss", is_staff=True, is_superuser=True)

    staff = screen(as_user=boss).page
    staff.goto("/admin/videos/report/queue/")
    staff.get_by_label("Words for the author").fill("No shops here.")
    staff.locator(".report-card").focus()
    staff.keyboard.press("h")
    expect(staff.get_by_text(f"Clip {clip.pk}: video hidden.")).to_be_visible()

    hers = screen(as_user=anna, width=390).page
    hers.goto("/notifications")
    hers.get_by_text("was hidden from everybody but you").click()
    expect(hers.get_by_text("Spam or misleading. No shops here.")).to_be_visible()
    hers.get_by_label("Why do you think that it was a mistake?").fill("I sell nothing.")
    hers.get_by_role("button", name="Send the appeal").click()
    expect(hers.get_by_text("Your appeal is waiting for an answer")).to_be_visible()

    staff.goto("/admin/accounts/appeal/queue/")
    expect(staff.get_by_text("I sell nothing.")).to_be_visible()
    staff.get_by_label("Answer to the person").fill("You are right, sorry.")
    staff.locator(".report-card").focus()
    staff.keyboard.press("r")
    expect(staff.get_by_text("Nobody waits for an answer.")).to_be_visible()

    hers.goto("/notifications")
    hers.get_by_text("Your appeal was right.").click()
    expect(hers.get_by_text("You are right, sorry.")).to_be_visible()
    assert Video.objects.published().filter(pk=clip.pk).exists()
