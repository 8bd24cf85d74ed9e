"""`python -m tests.benchmarks`: measure, in a scratch database or a scratch folder.

`make bench` runs all parts, `make bench B="hot_page fan_out"` some of them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import django

SIZES = (10_000, 100_000, 1_000_000)
REPEATS = 15


def main() -> None:
    """Measure the parts that are named, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    options = parser.parse_args()
    unknown = set(options.parts) - PARTS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    parts = options.parts or [*PARTS]
    if len(parts) == 1:
        PARTS[parts[0]]()
        return
    for name in parts:  # in a process each: Django is set up once in a process
        subprocess.run([sys.executable, "-m", "tests.benchmarks", name], check=True)


def _on_scratch(measure: Callable[[], None]) -> None:
    """Measure in a database of its own beside that of DATABASE_URL, which is dropped afterwards."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.test")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ["REDIS_TIMEOUT"] = "30"  # a busy machine is no reason to stop
    django.setup()
    from tests.benchmarks import scratch

    with scratch.database():
        measure()


def _page_cost() -> None:
    def measure() -> None:
        from tests.benchmarks import page_cost

        page_cost.run([*SIZES], REPEATS)

    _on_scratch(measure)


def _fan_out() -> None:
    def measure() -> None:
        from tests.benchmarks import fan_out

        fan_out.run()

    _on_scratch(measure)


def _hot_page() -> None:
    from tests.benchmarks import hot_page

    with tempfile.TemporaryDirectory(prefix="loopy-bench-") as folder:
        hot_page.run(Path(folder))


def _alone(name: str) -> Callable[[], None]:
    """Measure in a process of its own, with the options that it has by default."""

    def measure() -> None:
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=True)

    return measure


PARTS: dict[str, Callable[[], None]] = {
    "page_cost": _page_cost,
    "fan_out": _fan_out,
    "hot_page": _hot_page,
    "impressions": _alone("impressions"),
    "media": _alone("media"),
    "notifications": _alone("notifications"),
    "for_you": _alone("for_you"),
    "recommender": _alone("recommender"),
    "training": _alone("training"),
}

if __name__ == "__main__":
    main()
