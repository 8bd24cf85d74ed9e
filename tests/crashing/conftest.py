"""The scene of each test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crashing.scene import ALL, Scene
from tiktok_clone.common.storage import incoming


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is only run when all of the crashes are asked for."""
    left_out = [item for item in items if item.get_closest_marker("in_full") and not ALL]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def scene(tmp_path: Path, settings: Any, run_jobs: Callable[[], None]) -> Scene:
    """A product with a media folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = settings.MEDIA_ROOT / "incoming"
    incoming()
    return Scene(tmp_path, run_jobs)
