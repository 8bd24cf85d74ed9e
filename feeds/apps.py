from django.apps import AppConfig


class FeedsConfig(AppConfig):
    name = "feeds"

    def ready(self) -> None:
        """Connect the receivers of the lower apps' signals."""
        from feeds import news, receivers  # noqa: F401  (connecting is importing)
