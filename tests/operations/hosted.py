"""What is at Cloudinary, as the tests of the sweep want it: an emulator with assets of any age."""

from datetime import datetime

import pytest
from pytest_django import Settings

from tests.cloudinary import Emulator
from tests.cloudinary.library import Asset
from tiktok_clone.common.storage import cloudinary

LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


class Account:
    """The account that the product uses in a test, of nobody else."""

    def __init__(self, emulator: Emulator, patch: pytest.MonkeyPatch) -> None:
        self.emulator = emulator
        self.calls = emulator.calls
        self.faults = emulator.faults
        self._patch = patch

    @property
    def assets(self) -> list[str]:
        """The public ids of what is there."""
        return sorted(asset.public_id for asset in self.emulator.library)

    def add(self, name: str, content: bytes = b"bytes", since: datetime = LONG_AGO) -> Asset:
        """Have the asset of an object's name, whatever is in it."""
        kind, public_id, suffix = _asset_of(name)
        return self.emulator.library.put(kind, public_id, content, suffix, since.timestamp())

    def lose(self, name: str) -> None:
        """Somebody deletes it in Cloudinary's console."""
        kind, public_id, _ = _asset_of(name)
        assert self.emulator.library.destroy(kind, public_id, invalidate=True)

    def list_at_once(self, count: int) -> None:
        """Have pages of so many assets."""
        self._patch.setattr(cloudinary, "LISTED_AT_ONCE", count)


def open_account(emulator: Emulator, settings: Settings, patch: pytest.MonkeyPatch) -> Account:
    """Have the product use it."""
    settings.CLOUDINARY_URL = f"{emulator.url}&secure=false"
    return Account(emulator, patch)


def _asset_of(name: str) -> tuple[str, str, str]:
    """The shelf, the public id and the format of an object's name."""
    path = name.removeprefix("cloudinary/")
    head, dot, suffix = path.rpartition(".")
    kind = "image" if suffix == "webp" else "video"
    return f"{kind}/authenticated", head if dot else path, suffix if dot else "mp4"
