"""What `manage.py check --deploy` says about this site's own settings."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

SHORTEST_TOKEN = 16


@register(Tags.security, deploy=True)
def check_deployment(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Warn of settings with which a public site would not work as meant."""
    return list(_warnings())


def _warnings() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        yield Warning(
            "Mail is printed, with its links, and not sent.",
            hint="Set EMAIL_URL, e.g. smtp+tls://user:password@smtp.example.com:587.",
            id="loopy.W001",
        )
    if not settings.SITE_URL.startswith("https://"):
        yield Warning(
            "Links in mail and shared links do not begin with https://.",
            hint="Set SITE_URL to the address that people use.",
            id="loopy.W002",
        )
    if not settings.TRUSTED_PROXIES:
        yield Warning(
            "Behind a proxy, all visitors count as one address, and share its limits.",
            hint="Set TRUSTED_PROXIES to how many proxies are in front, usually 1.",
            id="loopy.W005",
        )
    prefix = settings.MEDIA_ACCEL_PREFIX
    if prefix and not (prefix.startswith("/") and prefix.endswith("/")):
        yield Warning(
            "nginx will not find the media.",
            hint="MEDIA_ACCEL_PREFIX begins and ends with a slash, as in docs/nginx.conf.",
            id="loopy.W003",
        )
    if 0 < len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        yield Warning(
            "METRICS_TOKEN can be guessed.",
            hint=f"Use {SHORTEST_TOKEN} random characters or more.",
            id="loopy.W004",
        )
