"""The scene of each test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crashing.scene import Scene
from tiktok_clone.common.storage import incoming


@pytest.fixture
def scene(tmp_path: Path, settings: Any, run_jobs: Callable[[], None]) -> Scene:
    """A product with a media folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    incoming()
    return Scene(tmp_path, run_jobs)
