"""What the pages are measured with: as `make run`, but static files compressed as in production."""

from tiktok_clone.settings.base import STORAGES as COMPRESSED
from tiktok_clone.settings.dev import *  # noqa: F403

STORAGES = COMPRESSED
