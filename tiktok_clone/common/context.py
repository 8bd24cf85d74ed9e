"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, str]:
    """Names of the site, and who may sign up, for the templates."""
    return {name: getattr(settings, name) for name in ("SITE_NAME", "SITE_URL", "SIGNUP_MODE")}
