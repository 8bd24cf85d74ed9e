from django.apps import AppConfig


class VideosConfig(AppConfig):
    name = "videos"

    def ready(self) -> None:
        """Connect the receivers of the signals of accounts."""
        from videos import receivers  # noqa: F401  (connecting is importing)
