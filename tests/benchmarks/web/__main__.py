"""`python -m tests.benchmarks.web`: measure the pages in a browser, print the table, draw it."""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.web import product as products
from tests.benchmarks.web.report import Row, draw, table, with_load

HERE = Path(__file__).parent
VIDEOS = 240
PARTS = ("playback", "vitals", "markup", "lighthouse", "plain")


def main() -> int:
    """Measure; the exit code is 1 when a target does not hold."""
    options = _options()
    missing = [tool for tool in ("npm", "java") if shutil.which(tool) is None]
    if missing and {"markup", "lighthouse"} & set(options.only):
        raise SystemExit(f"Not on the PATH: {', '.join(missing)}. Or leave parts out: --only")
    if not (HERE / "node_modules").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=HERE, check=True, stdout=sys.stderr)
    rows: list[Row] = []
    with products.product(options.data, VIDEOS) as running:
        for part in options.only:
            rows += with_load(_measure(part, running))
            sys.stdout.write(f"\n{table(rows)}\n")
    if options.save:
        options.save.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    if len(options.only) == len(PARTS):
        draw(rows)
    return int(not all(row.holds for row in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.web", description=__doc__)
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=PARTS, help=f"of {','.join(PARTS)}"
    )
    parser.add_argument("--data", type=Path, help="keep the scratch data here for the next time")
    parser.add_argument("--save", type=Path, help="write the rows to this file as JSON")
    return parser.parse_args()


def _measure(part: str, running: products.Running) -> list[Row]:
    # Only now: they read the settings, which the running product decides.
    from tests.benchmarks.web import lighthouse, markup, plain, playback, vitals, windows

    if part == "plain":
        return plain.run()
    measures: dict[str, Callable[..., list[Row]]] = {
        "playback": playback.run,
        "vitals": vitals.run,
        "markup": markup.run,
        "lighthouse": lighthouse.run,
    }
    with windows.browser() as opened:
        return measures[part](running, opened)


if __name__ == "__main__":
    sys.exit(main())
