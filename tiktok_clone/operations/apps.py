from importlib import import_module

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "tiktok_clone.operations"
    label = "operations"

    def ready(self) -> None:
        """Register the checks of a deployment."""
        import_module("tiktok_clone.operations.checks")
