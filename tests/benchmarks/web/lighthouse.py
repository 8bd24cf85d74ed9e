"""Lighthouse, mobile: the median of several runs of each page."""

import json
import os
import statistics
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.web.pages import addresses
from tests.benchmarks.web.product import Running
from tests.benchmarks.web.report import Row, at_least
from tests.benchmarks.web.windows import ARGUMENTS, Windows
from tests.browser.conftest import CHROMIUM

HERE = Path(__file__).parent
RUNS = 5
ATTEMPTS = 3  # Chromium does not always start
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
# Name, address, whether one is signed in, least performance.
PAGES = (
    ("feed", "/", False, 95),
    ("feed, signed in", "/", True, 95),
    ("video", "/@marina/video/{video}", False, 95),
    ("sign-in", "/signin", False, 100),
    ("explore", "/explore", False, 100),
    ("profile", "/@marina", False, 100),
    ("search", "/search?q=ocean", False, 100),
    ("upload", "/upload", True, 100),
    ("settings", "/settings", True, 100),
)


def run(product: Running, windows: Windows, runs: int = RUNS) -> list[Row]:
    """Two rows a page: performance, and the least of the other categories."""
    with windows.open(product.url, signed_in=product.url) as page:
        cookies = "; ".join(
            f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies()
        )
    rows = []
    for name, path, signed_in, least in PAGES:
        address = product.url + addresses([path])[0]
        answers = [_audit(address, cookies if signed_in else "") for _ in range(runs)]
        scores = {
            category: statistics.median(_score(answer, category) for answer in answers)
            for category in CATEGORIES
        }
        others = min(scores[category] for category in CATEGORIES[1:])
        rows += [
            at_least(f"Lighthouse {name}: performance", scores["performance"], least),
            at_least(f"Lighthouse {name}: the other three", others, 100),
        ]
        _tell(name, answers[-1])
    return rows


def _audit(address: str, cookies: str) -> dict[str, Any]:
    command = [
        str(HERE / "node_modules" / ".bin" / "lighthouse"),
        address,
        "--quiet",
        "--output=json",
    ]
    command += [f"--only-categories={','.join(CATEGORIES)}"]
    command += [f"--chrome-flags=--headless=new {' '.join(ARGUMENTS)}"]
    if cookies:
        command += ["--extra-headers", json.dumps({"Cookie": cookies})]
    environment = {**os.environ, "CHROME_PATH": CHROMIUM or ""}
    for _ in range(ATTEMPTS):
        answer = subprocess.run(
            command, cwd=HERE, env=environment, capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            return dict(json.loads(answer.stdout))
        print(answer.stderr)
    raise RuntimeError(f"Lighthouse failed {ATTEMPTS} times on {address}.")


def _score(answer: dict[str, Any], category: str) -> float:
    return 100 * (answer["categories"][category]["score"] or 0)


def _tell(name: str, answer: dict[str, Any]) -> None:
    """Say what costs points, for who mends it."""
    for line in _lost(answer):
        print(f"{name}: {line}")


def _lost(answer: dict[str, Any]) -> Iterable[str]:
    for category in CATEGORIES:
        for reference in answer["categories"][category]["auditRefs"]:
            audit = answer["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                yield f"{category}: {audit['id']} {audit.get('displayValue', '')}"
