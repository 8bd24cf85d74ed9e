"""Without JavaScript: the suite's own browser tests, counted."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.web.report import Row

TESTS = "tests/browser/test_without_javascript.py"


def run() -> list[Row]:
    """One row: how many of the tests pass."""
    ours = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "DJANGO_SETTINGS_MODULE", "SECRET_KEY")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    with TemporaryDirectory(prefix="loopy-plain-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", TESTS, f"--junitxml={report}"]
        subprocess.run(command, env=environment, check=False, stdout=sys.stderr)
        suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314
    names = ("tests", "failures", "errors", "skipped")
    tests, *others = (sum(int(suite.get(name, 0)) for suite in suites) for name in names)
    passed = tests - sum(others)
    words = f"{passed} of {tests} tests"
    return [Row("without JavaScript", "works", words, passed == tests > 0)]
