"""What the manual for whoever runs the site names does exist."""

import re

import pytest
from django.core.management import get_commands
from django.test import Client

from tests.project.backups import ROOT
from tests.project.test_settings import names_in_the_example
from tiktok_clone.processes import LANES, worker_arguments

MANUAL = (ROOT / "docs/operations.md").read_text()


def test_every_command_exists() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", MANUAL))
    assert {"backup", "restore", "reconcile_media", "migrate"} <= named
    assert named <= set(get_commands())


def test_every_setting_is_in_the_example() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", MANUAL))
    elsewhere = {"DATA_DIR"}
    assert len(named) > 10
    assert named - elsewhere <= set(names_in_the_example())


@pytest.mark.parametrize("lane", LANES)
def test_each_lane_is_started_as_written(lane: str) -> None:
    assert " ".join(["manage.py", *worker_arguments(lane, 60)]) in MANUAL


@pytest.mark.django_db
def test_every_figure_exists() -> None:
    known = Client().get("/metrics").content.decode()
    named = set(re.findall(r"`((?:loopy|django)_[a-z_]+)", MANUAL)) - {"loopy_"}
    assert len(named) > 8
    for name in named:
        assert f"# HELP {name}" in known, name
