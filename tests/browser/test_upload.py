"""Choosing a clip and posting it, where the network or the person is in the way."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Request, Route, expect

from accounts.models import User
from tests.browser.screens import Screen

Open = Callable[..., Screen]
# Nothing is heard of a file whose name begins so, as of one on a disk that takes its time.
SLOW = """() => {
  const make = URL.createObjectURL;
  URL.createObjectURL = (file) => (file.name.startsWith("slow") ? "/slow" : make(file));
}"""
BOTH = """(input) => {
  for (const name of ["slow.mp4", "second.mp4"]) {
    const chosen = new DataTransfer();
    chosen.items.add(new File([name], name, { type: "video/mp4" }));
    input.files = chosen.files;
    input.dispatchEvent(new Event("change"));
  }
}"""


def answer_as_server(page: Page) -> list[str]:
    """Take every clip that is sent; returns their bodies as they come."""
    sent: list[str] = []

    def take(route: Route, request: Request) -> None:
        sent.append((request.post_data_buffer or b"").decode(errors="replace"))
        route.fulfill(status=201, json={"id": 7})

    page.route("**/video", take)
    page.route("**/videos/7", lambda route: route.fulfill(json={"status": "stored"}))
    page.route("**/slow", lambda _: None)
    return sent


def test_of_two_files_chosen_quickly_only_the_second_is_sent(screen: Open, anna: User) -> None:
    window = screen(as_user=anna)
    window.expect_trouble("400")
    page = window.page
    sizes: list[int] = []

    def refuse(route: Route, request: Request) -> None:
        sizes.append(request.post_data_json["size"])
        route.fulfill(status=400, json={"detail": "Not today."})

    page.route("**/video/upload", refuse)
    page.route("**/slow", lambda _: None)
    page.clock.install()
    page.goto("/upload")
    page.evaluate(SLOW)
    page.locator("input[type=file]").evaluate(BOTH)
    expect(page.get_by_text("Not today.")).to_be_visible()
    page.clock.run_for(6000)  # the first is given up after four seconds
    page.wait_for_timeout(300)
    assert sizes == [len("second.mp4")]


def test_an_answer_that_is_no_json_is_told_in_plain_words(
    screen: Open, anna: User, tmp_path: Path
) -> None:
    window = screen(as_user=anna)
    window.expect_trouble("502")
    page = window.page
    answer_as_server(page)
    page.goto("/upload")
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"clip")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("Uploaded. Post it when you are ready.")).to_be_visible()
    page.route(
        "**/videos/7",
        lambda route: route.fulfill(status=502, body="<html>", content_type="text/html"),
    )
    page.get_by_role("button", name="Post").click()
    expect(page.get_by_role("alert")).to_have_text("That did not work. Try again.")
    expect(page.get_by_role("button", name="Post")).to_be_enabled()
