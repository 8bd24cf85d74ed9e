from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "tiktok_clone.common"
    label = "common"
