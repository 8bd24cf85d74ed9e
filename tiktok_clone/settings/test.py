"""Tests: fast hashing, loose throttles (their tests set their own), mail kept in memory.

tests/services.py sets MEDIA_ROOT to a temporary folder.
"""

from tiktok_clone.settings.base import *  # noqa: F403
from tiktok_clone.settings.base import DATABASES
from tiktok_clone.settings.base import THROTTLE_RATES as PRODUCTION_RATES

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
THROTTLE_RATES = {name: (count * 100, window) for name, (count, window) in PRODUCTION_RATES.items()}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# A thread of a live server must not keep a connection that blocks dropping the test database.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# Tests of cached timelines switch them on.
FEED_CACHED_READERS = 0
# Tests of prepared pages switch them on, and prepare without threads.
FEED_PREFETCH_THREADS = 0
# Counts are written with each report; tests of writing back choose what production does.
VIEWS_WRITTEN_EVERY_SECONDS = 0.0
