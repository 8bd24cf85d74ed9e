from importlib import import_module

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "tiktok_clone.operations"
    label = "operations"

    def ready(self) -> None:
        """Register the checks of a deployment, and listen to the lower apps."""
        import_module("tiktok_clone.operations.checks")
        import_module("tiktok_clone.operations.receivers")
