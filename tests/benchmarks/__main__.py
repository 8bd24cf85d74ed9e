"""`python -m tests.benchmarks`: run every benchmark on a scratch database."""

import argparse
import os

import django


def main() -> None:
    """Set Django up, make a scratch database beside the one of DATABASE_URL, measure, drop it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--sizes", default="10000,100000,1000000", help="numbers of videos, with commas between"
    )
    parser.add_argument("--repeats", type=int, default=15, help="measurements of each cell")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiktok_clone.settings.test")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    django.setup()
    from tests.benchmarks import page_cost, scratch

    sizes = sorted(int(size) for size in options.sizes.split(","))
    with scratch.database():
        page_cost.run(sizes, options.repeats)


if __name__ == "__main__":
    main()
