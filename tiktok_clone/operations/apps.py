from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "tiktok_clone.operations"
    label = "operations"
