"""The administration in a browser: charts, the keys of the reports queue, the text preview."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import User
from tests.browser.screens import Screen
from tests.factories import UserFactory
from videos.models import Report, Video

Open = Callable[..., Screen]


@pytest.fixture
def boss(transactional_db: None) -> User:
    return UserFactory(is_staff=True, is_superuser=True)


def report(video: Video, reason: str = "spam") -> None:
    Report.objects.create(user=UserFactory(), video=video, reason=reason, text="see for yourself")


def test_charts_are_drawn_in_the_colors_of_the_theme(screen: Open, boss: User) -> None:
    page = screen(boss).page
    page.goto(reverse("admin:index"))
    charts = page.locator("canvas[data-chart]")
    expect(charts).to_have_count(8)
    ink = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)"
    page.wait_for_function(f"() => [...document.querySelectorAll('canvas')].every({ink})")
    color = "() => Chart.getChart(document.querySelector('canvas')).data.datasets[0].borderColor"
    before = page.evaluate(color)
    page.evaluate("() => { document.documentElement.dataset.theme = 'dark' }")
    page.wait_for_function(f"before => ({color})() !== before", arg=before)
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("table", name="Sign-ups by day")).to_be_visible()


def test_reports_are_answered_by_keys_alone(
    screen: Open, boss: User, post: Callable[..., list[Video]]
) -> None:
    first, second, third = post(3)
    for video, reports in ((first, 3), (second, 2), (third, 1)):
        for _ in range(reports):
            report(video)
    page = screen(boss).page
    page.goto(reverse("admin:videos_report_queue"))
    expect(page.locator(".report-card")).to_have_count(3)
    page.keyboard.press("j")
    expect(page.locator(".report-card").nth(1)).to_be_focused()
    page.keyboard.press("k")
    with page.expect_navigation():
        page.keyboard.press("d")
    expect(page.locator(".report-card")).to_have_count(2)
    with page.expect_navigation():
        page.keyboard.press("h")
    expect(page.locator(".report-card")).to_have_count(1)
    page.keyboard.press("r")  # asks first
    expect(page.get_by_role("button", name=re.compile("Yes, remove"))).to_be_focused()
    assert Video.objects.filter(pk=third.pk).exists()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing is waiting")).to_be_visible()
    outcomes = dict(Report.objects.values_list("video", "outcome").distinct())
    assert outcomes == {first.pk: "dismissed", second.pk: "hidden"}
    assert not Video.objects.filter(pk=third.pk).exists()


def test_a_text_is_previewed_in_another_tab(screen: Open, boss: User) -> None:
    page = screen(boss).page
    page.goto(reverse("admin:common_sitetext_add"))
    page.get_by_label("Body").fill("# Hello\n\n<i>not this</i>")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Preview").click()
    expect(opened.value.get_by_role("heading", name="Hello")).to_be_visible()
    expect(opened.value.get_by_text("<i>not this</i>")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_own_pages_have_no_barriers(
    scheme: str, screen: Open, boss: User, post: Callable[..., list[Video]]
) -> None:
    (video,) = post()
    report(video)
    page = screen(boss, width=390, height=844, color_scheme=scheme).page
    removal = f"{reverse('admin:accounts_user_removal')}?ids={video.author_id}"
    found = []
    # Django's own header and side bar are not ours to mend.
    for path, part in [
        (reverse("admin:index"), ".board"),
        (reverse("admin:videos_report_queue"), "#content"),
        (removal, "#content"),
        ("/terms", "body"),
        ("/privacy", "body"),
    ]:
        page.goto(path)
        answer = Axe().run(page, context=part).response
        found += [
            (path, rule["id"], node["html"][:120])
            for rule in answer["violations"]
            for node in rule["nodes"]
        ]
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert found == []
