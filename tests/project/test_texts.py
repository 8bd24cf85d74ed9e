"""The terms and the privacy policy: shown to everybody, written by administrators."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory
from tests.videos.measuring import queries_of
from tiktok_clone.common.models import SiteText
from tiktok_clone.common.texts import TITLES, render_markdown

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("slug", TITLES)
def test_a_page_that_nobody_wrote_has_the_usual_text(slug: str, client: Client) -> None:
    html = client.get(f"/{slug}").content.decode()
    assert f"<h1>{TITLES[slug]}</h1>" in html
    assert "<h2>" in html
    assert "Loopy" in html


def test_a_page_shows_what_the_administrators_wrote(client: Client) -> None:
    SiteText.objects.create(slug="terms", title="House rules", body="Be *kind*.")
    html = client.get("/terms").content.decode()
    assert "<h1>House rules</h1>" in html
    assert "<p>Be <em>kind</em>.</p>" in html
    assert "<h1>Privacy</h1>" in client.get("/privacy").content.decode()


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<javascript:alert(1)>",
        "![x](https://elsewhere.example/pixel.png)",
        '[x](/ "title\\" onclick=alert(1)")',
    ],
)
def test_what_is_written_can_run_nothing_and_load_nothing(body: str) -> None:
    html = render_markdown(body)
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html.lower()
    assert 'href="data' not in html.lower()
    assert '" onclick' not in html


def test_a_text_is_written_previewed_and_saved(staff: Client) -> None:
    add = reverse("admin:common_sitetext_add")
    form = staff.get(add).content.decode()
    assert "What you post stays yours" in form
    values = {"slug": "terms", "title": "Rules", "body": "# One\n\n<b>two</b>"}
    preview = staff.post(reverse("admin:common_sitetext_preview"), values).content.decode()
    assert "<h1>One</h1>" in preview
    assert "&lt;b&gt;two" in preview
    assert not SiteText.objects.exists()
    assert staff.post(add, values).status_code == 302
    assert "<h1>Rules</h1>" in staff.get("/terms").content.decode()
    assert staff.post(add, values).status_code == 200  # there is one already
    assert SiteText.objects.count() == 1
    # The next one begins with the other page.
    assert "sells nothing" in staff.get(add).content.decode()


def test_the_preview_is_for_staff_who_may_see_texts(client: Client) -> None:
    path = reverse("admin:common_sitetext_preview")
    assert client.post(path, {"body": "x"}).status_code == 302
    client.force_login(UserFactory(is_staff=True))
    assert client.post(path, {"body": "x"}).status_code == 403


def test_a_page_costs_one_query(client: Client) -> None:
    assert queries_of(lambda: client.get("/terms")) == 1
