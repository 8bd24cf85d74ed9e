"""Development: what `make run` uses. The launcher sets SECRET_KEY and the services' addresses."""

from tiktok_clone.common import logs
from tiktok_clone.settings.base import *  # noqa: F403
from tiktok_clone.settings.base import LOG_FORMAT, LOG_LEVEL, env
from tiktok_clone.settings.base import STORAGES as BASE_STORAGES
from tiktok_clone.settings.base import THROTTLE_RATES as PRODUCTION_RATES

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])
# One person tries everything from one address, so the limits are a hundred times wider.
THROTTLE_RATES = {name: (count * 100, window) for name, (count, window) in PRODUCTION_RATES.items()}
STORAGES = {
    **BASE_STORAGES,
    "staticfiles": {
        "BACKEND": "tiktok_clone.common.staticfiles.UncompressedStaticFilesStorage",
    },
}
# At a terminal, the sign-ins of whoever tries things out are as quiet as everything else.
LOGGING = logs.configuration(style=LOG_FORMAT, level=LOG_LEVEL, audit_level=LOG_LEVEL)
