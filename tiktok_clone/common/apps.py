from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class CommonConfig(AppConfig):
    name = "tiktok_clone.common"
    label = "common"

    def ready(self) -> None:
        """Make the folder that uploads stream into; Django's checks ask that it exists."""
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)
