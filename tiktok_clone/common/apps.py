from pathlib import Path

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin import apps as admin


class CommonConfig(AppConfig):
    default = True
    name = "tiktok_clone.common"
    label = "common"
    verbose_name = "Site"

    def ready(self) -> None:
        """Make the folder that uploads stream into; Django's checks ask that it exists."""
        Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)
        apps.get_app_config("procrastinate").verbose_name = "Background jobs"


class AdministrationConfig(admin.AdminConfig):
    default = False
    default_site = "tiktok_clone.common.administration.Administration"
