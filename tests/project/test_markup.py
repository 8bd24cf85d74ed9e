"""The pages' markup holds together: what the validators of `make bench-web` refuse most often."""

from collections import Counter
from html.parser import HTMLParser

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import CommentFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db
VOID = {
    "area",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
POINTERS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "list", "form")
PAGES = (
    "/",
    "/following",
    "/explore",
    "/search?q=clip",
    "/tag/loop",
    "/history",
    "/people",
    "/people/requests",
    "/upload",
    "/@milo",
    "/@anna?tab=liked",
    "/@milo/followers",
    "/@milo/video/{video}",
    "/@milo/video/{video}/comments",
    "/@milo/video/{video}/report",
    "/settings",
    "/settings/privacy",
    "/settings/security",
    "/settings/playback",
    "/settings/people",
    "/settings/export",
    "/settings/delete",
    "/shortcuts",
    "/nothing",
)


class Reader(HTMLParser):
    """Collects what is wrong with one page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.pointed: set[str] = set()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        if tag not in VOID and not self._is_drawing(tag):
            self.open.append(tag)
        names = [name for name, _ in attrs]
        self.wrong += [f"<{tag}> has {name} twice" for name in names if names.count(name) > 1]
        self.wrong += [f"<{tag} {name}>" for name in names if name.startswith("hx-")]
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.ids[values["id"]] += 1
        for name in POINTERS:
            self.pointed.update(values.get(name, "").split())
        if tag == "img" and "alt" not in values:
            self.wrong.append(f"a picture without alt: {values.get('src')}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that says that it is empty."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends: it must be the one that began last."""
        if self._is_drawing(tag):
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes <{self.open[-1] if self.open else ''}>")
        while self.open and self.open.pop() != tag:
            pass

    @staticmethod
    def _is_drawing(tag: str) -> bool:
        return tag in {"path", "circle", "rect", "use"}

    def verdict(self) -> list[str]:
        """Everything that is wrong, after the last byte."""
        twice = [f"id {name} is there twice" for name, count in self.ids.items() if count > 1]
        lost = [f"nothing has the id {name}" for name in sorted(self.pointed - set(self.ids))]
        return [*self.wrong, *twice, *lost, *(f"<{tag}> is not closed" for tag in self.open)]


def wrong_with(html: str) -> list[str]:
    """What is wrong with a page."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.verdict()


@pytest.fixture
def video() -> int:
    """A clip of Milo's with a comment."""
    video = VideoFactory(author=UserFactory(handle="milo"), caption="a clip #loop")
    CommentFactory(video=video)
    return int(video.pk)


@pytest.mark.parametrize("signed_in", [False, True], ids=["visitor", "member"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_together(client: Client, video: int, path: str, signed_in: bool) -> None:
    anna: User = UserFactory(handle="anna")
    if signed_in:
        client.force_login(anna)
    answer = client.get(path.format(video=video), headers={"Accept": "text/html"}, follow=True)
    assert wrong_with(answer.content.decode()) == []


def test_the_reader_sees_what_is_wrong() -> None:
    bad = '<p id="a"><b></p><i id="a"></i><label for="x" hx-get="/"></label><img src="y">'
    assert len(wrong_with(bad)) == 5
