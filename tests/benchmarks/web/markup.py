"""Markup: two validators over every page's HTML as served, axe over the pages in a browser."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.web.pages import PAGES, VISITORS_PAGES, addresses
from tests.benchmarks.web.product import Running
from tests.benchmarks.web.report import Row, none_of
from tests.benchmarks.web.windows import DESKTOP, PHONE, Windows
from tests.browser.screens import Screen
from tests.browser.test_accessibility import violations

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
VNU = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
RULES = HERE / "htmlvalidate.json"


def run(product: Running, windows: Windows) -> list[Row]:
    """The rows of the validators and of axe; what they found goes to the terminal."""
    with tempfile.TemporaryDirectory(prefix="loopy-markup-") as folder:
        pages = _fetch(product, windows, Path(folder))
        count = f"{len(pages)} pages"
        rows = [
            none_of("html-validate", _html_validate(pages), count),
            none_of("vnu (the W3C's checker)", _vnu(pages), count),
        ]
    return [*rows, *_axe(product, windows)]


def _fetch(product: Running, windows: Windows, folder: Path) -> dict[Path, str]:
    """Save each page as the server sends it; the address of each file."""
    found: dict[Path, str] = {}
    for signed_in, paths in (("", VISITORS_PAGES), (product.url, PAGES)):
        with windows.open(product.url, signed_in=signed_in) as page:
            for path in addresses(paths):
                file = folder / f"{len(found):03d}.html"
                answer = page.context.request.get(path, headers={"Accept": "text/html"})
                file.write_bytes(answer.body())
                found[file] = f"{path} ({'signed in' if signed_in else 'visitor'})"
    return found


def _html_validate(pages: dict[Path, str]) -> list[str]:
    tool = str(MODULES / ".bin" / "html-validate")
    with tempfile.NamedTemporaryFile(suffix=".json") as report:  # a pipe would be cut at 64 kB
        command = [tool, "--config", str(RULES), "--formatter", f"json={report.name}"]
        subprocess.run([*command, *map(str, pages)], stdout=subprocess.DEVNULL, check=False)
        files = json.load(report)
    return _told(
        f"{pages[Path(file['filePath'])]}:{message['line']}: {message['ruleId']}: "
        f"{message['message']}"
        for file in files
        for message in file["messages"]
    )


def _vnu(pages: dict[Path, str]) -> list[str]:
    command = ["java", "-jar", str(VNU), "--format", "json", *map(str, pages)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return _told(
        f"{pages[Path(message['url'].removeprefix('file:'))]}:{message.get('lastLine')}: "
        f"vnu: {message['message']}"
        for message in json.loads(answer.stderr)["messages"]
    )


def _axe(product: Running, windows: Windows) -> list[Row]:
    rows = []
    for size, viewport in (("phone", PHONE), ("desktop", DESKTOP)):
        for theme in ("dark", "light"):
            options: dict[str, Any] = {**viewport, "color_scheme": theme}
            found, count = [], 0
            for signed_in, paths in (("", VISITORS_PAGES), (product.url, PAGES)):
                with windows.open(product.url, signed_in=signed_in, **options) as page:
                    window = Screen(page)
                    for path in addresses(paths):
                        page.goto(path)
                        count += 1
                        found += [f"{path} {size} {theme}: {one}" for one in violations(window)]
            rows.append(none_of(f"axe, {size}, {theme}", _told(found), f"{count} pages"))
    Screen.troubles.clear()
    return rows


def _told(problems: Any) -> list[str]:
    lines = list(problems)
    for line in lines:
        print(line)
    return lines
