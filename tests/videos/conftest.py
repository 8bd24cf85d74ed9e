"""Cloudinary, emulated, as the store of new media."""

from pathlib import Path
from typing import Any

import pytest

from tests.cloudinary import Emulator


@pytest.fixture
def hosted(cloudinary_emulator: Emulator, settings: Any, tmp_path: Path) -> Emulator:
    """New media go to an emulator of Cloudinary, which reaches us with its messages."""
    settings.MEDIA_ROOT = tmp_path
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(exist_ok=True)
    settings.CLOUDINARY_URL = f"{cloudinary_emulator.url}&secure=false"
    settings.CLOUDINARY_NOTIFY = "http://testserver"
    cloudinary_emulator.webhooks.lost = True  # but for tests that want them
    return cloudinary_emulator
