"""A store of its own for each test, and nothing but what the test puts there."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _own_store(db: None, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True)
