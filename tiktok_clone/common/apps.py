from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin


class CommonConfig(AppConfig):
    default = True
    name = "tiktok_clone.common"
    label = "common"

    def ready(self) -> None:
        """Make the folder that uploads stream into; Django's checks ask that it exists."""
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)


class AdministrationConfig(admin.AdminConfig):
    default = False
    default_site = "tiktok_clone.common.administration.Administration"
