"""How soon clips move, and whether they stop: the feed over a slow line."""

import random
import statistics
import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.benchmarks.web.network import PHONE, SLOW, Line, slow_line
from tests.benchmarks.web.product import Running
from tests.benchmarks.web.report import Row, at_least, at_most
from tests.benchmarks.web.windows import Windows

SWIPES = 40
VISITS = 5
DWELL = (2.0, 6.0)  # seconds on a clip
PATIENCE = 8.0

# A clip counts as on from the moment its article is marked; it moves with the first frame
# presented after that whose time in the clip is not the first's.
WATCH = """
(() => {
  const seen = (window.seen = []);
  const waits = (window.waits = []);
  let current = null;
  const follow = (video, entry) => {
    const look = (now, frame) => {
      if (current !== entry) return;
      if (frame.mediaTime > 0 && performance.now() >= entry.at) {
        entry.moved = Math.max(now, entry.at) - entry.at;
        entry.since = now;
        return;
      }
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    video.addEventListener("waiting", () => {
      if (current === entry && entry.moved !== null && !video.seeking) {
        waits.push({ clip: entry.clip, at: video.currentTime });
      }
    });
  };
  const mark = (article) => {
    const video = article.querySelector("video");
    const entry = {
      clip: article.dataset.clip, at: performance.now(), moved: null,
      ready: video ? video.readyState : -1, width: 0,
    };
    current = entry;
    seen.push(entry);
    if (video) {
      entry.src = video.currentSrc || video.src;
      entry.bitrate = Number(video.dataset.bitrate);
      follow(video, entry);
    }
  };
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const on = target.matches?.("article.is-active");
      if (on && target.dataset.clip !== current?.clip) mark(target);
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["class"] });
})();
"""


@dataclass(frozen=True)
class Watched:
    """What a walk through the feed gave: one entry a clip, and the waits in between."""

    clips: list[dict[str, Any]]
    waits: list[dict[str, Any]]

    @property
    def swiped(self) -> list[dict[str, Any]]:
        """All but the first, which a navigation brought."""
        return self.clips[1:]


def run(product: Running, windows: Windows, swipes: int = SWIPES) -> list[Row]:
    """Swipe through the feed on both lines; the rows of the table."""
    fast = swipe(product, windows, PHONE, swipes)
    slow = swipe(product, windows, SLOW, swipes)
    first = [first_frame(product, windows) for _ in range(VISITS)]
    ready = 100 * statistics.mean(clip["ready"] >= 2 for clip in fast.swiped)
    moved = sorted(_moved(clip) for clip in fast.swiped)
    nineties = moved[min(len(moved) - 1, int(len(moved) * 0.9))]
    at = f"at {PHONE.name}"
    return [
        at_least(f"swipe {at}: a frame is there on activation", ready, 95, " %"),
        at_most(f"swipe {at}: median to a moving frame", statistics.median(moved), 80, " ms"),
        at_most(f"swipe {at}: p90 to a moving frame", nineties, 120, " ms"),
        at_most(f"stalls {at}, {swipes} clips", len(fast.waits), 0),
        at_most(f"stalls at {SLOW.name}, {swipes} clips", len(slow.waits), 0),
        at_most(
            f"navigation to the first moving frame {at}", statistics.median(first), 1.5, " s", 2
        ),
    ]


def swipe(product: Running, windows: Windows, line: Line, swipes: int) -> Watched:
    """Look at `swipes` clips after the first, each for a while, as a person would."""
    chance = random.Random(1)
    with slow_line(line, product.port) as url, windows.open(url, WATCH) as page:
        page.goto("/")
        wait_until_it_moves(page)
        for _ in range(swipes):
            time.sleep(chance.uniform(*DWELL))
            page.keyboard.press("j")
            page.wait_for_timeout(300)
            wait_until_it_moves(page)
        time.sleep(2)
        return Watched(*page.evaluate("[seen, waits]"))


def first_frame(product: Running, windows: Windows) -> float:
    """Seconds from a navigation, nothing cached, to the first moving frame."""
    with slow_line(PHONE, product.port) as url, windows.open(url, WATCH) as page:
        page.goto("/")
        wait_until_it_moves(page)
        return float(page.evaluate("seen[0].at + seen[0].moved")) / 1000


def wait_until_it_moves(page: Page) -> None:
    """Wait for the clip that is on, but not for ever: a clip that never moves is a figure too."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and page.evaluate("seen.at(-1)?.moved ?? null") is None:
        page.wait_for_timeout(50)


def _moved(clip: dict[str, Any]) -> float:
    return PATIENCE * 1000 if clip["moved"] is None else float(clip["moved"])
