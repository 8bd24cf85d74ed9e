"""The session in the README is run as it is written."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.conftest import RunJobs
from tests.factories import UserFactory
from tests.videos.clips import clip
from videos.services.publishing import create_video

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
# Every curl has to succeed, which the README leaves out to stay readable.
STRICT = 'set -euo pipefail\ncurl() { command curl --fail-with-body --max-time 20 "$@"; }\n'


def session() -> str:
    block = re.search(r"```bash\n(.*?)```", README, re.DOTALL)
    assert block
    return block[1]


@pytest.fixture
def clips(run_jobs: RunJobs) -> None:
    """Six clips of two people, really processed."""
    for author in (UserFactory(handle="maya"), UserFactory(handle="jonas")):
        for number in range(3):
            create_video(author, clip("180x320", 1.0), f"A clip #{number}", "public")
    run_jobs()


def test_the_curl_session_runs_as_written(
    clips: None, live_server: LiveServer, tmp_path: Path
) -> None:
    assert "SITE=http://127.0.0.1:8000\n" in session()
    script = session().replace("http://127.0.0.1:8000", live_server.url)
    done = subprocess.run(
        ["bash", "-c", STRICT + script.replace("/tmp/", f"{tmp_path}/")],
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "null" not in re.sub(r'"[a-z_]+": ?null', "", done.stdout), done.stdout
    for expected in ('"liked":true', '"following":true', "Lovely!", '"received":[0]', "@maya"):
        assert expected in done.stdout, f"{expected} is not in {done.stdout}"


def test_every_file_that_the_documents_link_to_exists() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_make_target_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"`make ([a-z-]+)", document.read_text()))
        assert named <= targets, document.name
