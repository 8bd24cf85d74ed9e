"""What a visit costs and feels like: paint, shifts, answers to taps, bytes, memory."""

import statistics
from typing import Any

from playwright.sync_api import Page

from tests.benchmarks.web.network import PHONE as LINE
from tests.benchmarks.web.network import slow_line
from tests.benchmarks.web.playback import WATCH, wait_until_it_moves
from tests.benchmarks.web.product import Running
from tests.benchmarks.web.report import Row, at_most
from tests.benchmarks.web.windows import Windows

VISITS = 5
VIDEOS = 200
STEADY = 50  # from here on memory may hardly grow
EVERY = 25

OBSERVE = """
(() => {
  const vitals = (window.vitals = { lcp: 0, cls: 0, inp: 0, slowest: "", shifted: [] });
  const on = (type, act, more = {}) => {
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(act));
    observer.observe({ type, buffered: true, ...more });
  };
  on("largest-contentful-paint", (entry) => (vitals.lcp = entry.startTime));
  on("layout-shift", (entry) => {
    if (entry.hadRecentInput) return;
    vitals.cls += entry.value;
    vitals.shifted.push(...entry.sources.map((one) => one.node?.className ?? ""));
  });
  const taps = new Map();
  on("event", (entry) => {
    if (!entry.interactionId) return;
    const longest = Math.max(entry.duration, taps.get(entry.interactionId) ?? 0);
    taps.set(entry.interactionId, longest);
    if (longest <= vitals.inp) return;
    vitals.inp = longest;
    vitals.slowest = `${entry.name} ${entry.target?.className ?? ""}`;
  }, { durationThreshold: 16 });
})();
"""
BYTES = """() => performance.getEntriesByType("resource").map(
  (entry) => [new URL(entry.name).pathname, entry.encodedBodySize])"""


def run(product: Running, windows: Windows, videos: int = VIDEOS) -> list[Row]:
    """The rows of paint, shifts, answers, bytes and memory."""
    visits = [_visit(product, windows) for _ in range(VISITS)]
    lcp, inp = (statistics.median(visit[name] for visit in visits) for name in ("lcp", "inp"))
    cls = max(visit["cls"] for visit in visits)
    for visit in visits:  # for who mends it
        print(f"slowest: {visit['slowest']}, {visit['inp']} ms; moved: {visit['shifted']}")
    return [
        at_most(f"LCP at {LINE.name}", lcp / 1000, 1.8, " s", 2),
        at_most("CLS, with swipes and taps", cls, 0, "", 3),
        at_most("INP, over ten kinds of taps and keys", inp, 100, " ms"),
        *_bytes(product, windows),
        *_memory(product, windows, videos),
    ]


def _visit(product: Running, windows: Windows) -> dict[str, Any]:
    """Arrive with an empty cache, look, and use what a person uses."""
    with (
        slow_line(LINE, product.port) as url,
        windows.open(url, OBSERVE + WATCH, signed_in=product.url) as page,
    ):
        page.goto("/")
        wait_until_it_moves(page)
        page.wait_for_timeout(1500)
        use(page)
        return dict(page.evaluate("vitals"))


def use(page: Page) -> None:
    """Swipe, pause, like, save, read comments, look at the menu: with real input events."""
    clip = page.locator("article.is-active")
    for key in ("j", "j", "k", " ", " ", "m", "m"):
        page.keyboard.press(key)
        page.wait_for_timeout(500)
    for name in ("Like", "Save"):
        clip.locator(f'[aria-label^="{name}"]').first.tap()
        page.wait_for_timeout(500)
        clip.locator(f'[aria-label^="{name}"]').first.tap()
        page.wait_for_timeout(300)
    clip.locator("[data-stage]").tap(position={"x": 150, "y": 250})
    page.wait_for_timeout(500)
    clip.locator("[data-open-comments]").tap()
    page.locator("#comments [data-comments]").wait_for()
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    clip.locator("[data-menu-button]").tap()
    page.locator("#clip-menu").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)


def _bytes(product: Running, windows: Windows) -> list[Row]:
    """Scripts and styles that the feed asks for by itself, as they travel."""
    with windows.open(product.url, WATCH, signed_in=product.url) as page:
        page.goto("/", wait_until="networkidle")
        wait_until_it_moves(page)
        page.wait_for_timeout(2000)
        files = dict(page.evaluate(BYTES))
    sizes = {
        kind: sum(size for path, size in files.items() if path.endswith(kind)) / 1000
        for kind in (".js", ".css")
    }
    return [
        at_most("JavaScript on the feed, compressed", sizes[".js"], 25, " kB", 1),
        at_most("CSS on the feed, compressed", sizes[".css"], 12, " kB", 1),
    ]


def _memory(product: Running, windows: Windows, videos: int) -> list[Row]:
    """Scroll far and count what stays."""
    kept: dict[int, dict[str, float]] = {}
    with windows.open(product.url, WATCH, signed_in=product.url) as page:
        protocol = page.context.new_cdp_session(page)
        protocol.send("Performance.enable")
        page.goto("/")
        wait_until_it_moves(page)
        for place in range(2, videos + 1):
            page.keyboard.press("j")
            page.wait_for_function(
                "(n) => document.querySelector(`article.is-active[aria-posinset='${n}']`)",
                arg=place,
            )
            page.wait_for_timeout(150)
            if place % EVERY == 0:
                kept[place] = _kept(page, protocol)
    growth = 100 * (kept[videos]["heap"] / kept[STEADY]["heap"] - 1)
    after = f"after {videos} videos"
    return [
        at_most(f"players {after}", max(one["players"] for one in kept.values()), 5),
        at_most(f"nodes {after}", kept[videos]["nodes"], 8000),
        at_most(f"heap {after}, growth since the {STEADY}th", growth, 10, " %", 1),
    ]


def _kept(page: Page, protocol: Any) -> dict[str, float]:
    page.wait_for_timeout(1000)
    for _ in range(2):
        protocol.send("HeapProfiler.collectGarbage")
    metrics = protocol.send("Performance.getMetrics")["metrics"]
    values = {one["name"]: one["value"] for one in metrics}
    return {
        "heap": values["JSHeapUsedSize"],
        "nodes": page.evaluate("document.querySelectorAll('*').length"),
        "players": page.evaluate("document.querySelectorAll('video').length"),
    }
