"""Settings shared by every environment; what a deployment may change comes from the environment.

`.env.example` documents each variable. dev, test and prod override a few lines.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from tiktok_clone.common import cdn, logs

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

SITE_NAME = env.str("SITE_NAME", "Loopy")
SITE_URL = env.str("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / ".data"))).resolve()

SECRET_KEY = env.str("SECRET_KEY")
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ADMIN_PATH = env.str("ADMIN_PATH", "admin/").strip("/") + "/"

INSTALLED_APPS = [
    "tiktok_clone.common.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "corsheaders",
    "tiktok_clone.common",
    "tiktok_clone.operations",
    "accounts",
    "videos",
    "feeds",
]

MIDDLEWARE = [
    "tiktok_clone.common.middleware.RequestLogMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tiktok_clone.common.compression.TextGZipMiddleware",
    "tiktok_clone.common.middleware.ServiceUnavailableMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "tiktok_clone.urls"
WSGI_APPLICATION = "tiktok_clone.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "tiktok_clone.common.context.site",
            ],
        },
    },
]

# Health checks let the first request after a database restart succeed: a dead
# connection is replaced before the request uses it.
DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 3
# The e-mail address is unique by a constraint over its lower case, which the check cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis holds nothing that is the only copy (but for views of the last second), so it may be slow
# or away: short timeouts, no retries by the client, and errors read as a cache miss.
REDIS_URL = env.str("REDIS_URL", "")
REDIS_TIMEOUT = env.float("REDIS_TIMEOUT", 0.1)
IN_PROCESS = "django.core.cache.backends.locmem.LocMemCache"
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": IN_PROCESS},
    # Cards of feeds while Redis is away, for a few seconds.
    "at_hand": {"BACKEND": IN_PROCESS, "LOCATION": "at_hand", "OPTIONS": {"MAX_ENTRIES": 2000}},
}
if REDIS_URL:
    CACHES["default"] = {
        "BACKEND": "django_prometheus.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "loopy",
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT,
            "SOCKET_TIMEOUT": REDIS_TIMEOUT,
            "IGNORE_EXCEPTIONS": True,
            "CONNECTION_POOL_CLASS": "tiktok_clone.common.redis.GuardedPool",
        },
    }

# So many people who read lately have their timelines in Redis, two of about 6 kB; 0 keeps none.
FEED_CACHED_READERS = env.int("FEED_CACHED_READERS", 50_000)
# What an author with more followers posts is fetched by those who read, not pushed to all.
FEED_PUSH_MAX_FOLLOWERS = env.int("FEED_PUSH_MAX_FOLLOWERS", 20_000)
# A card of a feed lives for so long in Redis: its counts lag by as much. Addresses of media that
# expire must live longer.
FEED_CARD_SECONDS = env.int("FEED_CARD_SECONDS", 30)
# Threads of each web process that prepare next pages; 0 prepares none.
FEED_PREFETCH_THREADS = env.int("FEED_PREFETCH_THREADS", 2)
# Views and watch time are counted in Redis, and written to PostgreSQL once in so many seconds; 0
# writes them with each report.
VIEWS_WRITTEN_EVERY_SECONDS = env.float("VIEWS_WRITTEN_EVERY_SECONDS", 1.0)

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.EmailBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "handle")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_MAX_LENGTH = 128
PASSWORD_RESET_TIMEOUT = 60 * 60
LOGIN_URL = "signin"
LOGIN_REDIRECT_URL = "feed"
# Not the cached one: a session that ends while Redis is away would come back from the cache.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "tiktok_clone.common.views.csrf_failure"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.ActiveUserAuthentication",
        "accounts.api.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "tiktok_clone.common.api.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "tiktok_clone.common.api.problem_details",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttles.AnonymousThrottle"],
    "PAGE_SIZE": 20,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
# Requests per window in seconds. Counted in PostgreSQL, so that they hold when Redis is away.
THROTTLE_RATES = {
    "signin_ip": (25, 5 * 60),
    "signin_email": (25, 60 * 60),
    "signup_ip": (5, 30 * 60),
    "password_reset_ip": (10, 60 * 60),
    "upload_user": (30, 30 * 60),
    "take_in_user": (120, 30 * 60),  # asks Cloudinary, whose answers are counted too
    "cover_user": (30, 30 * 60),
    "comment_user": (30, 5 * 60),
    "react_user": (300, 5 * 60),  # likes, saves, shares, "not interested"
    "follow_user": (60, 15 * 60),
    "report_user": (20, 60 * 60),
    "export_user": (5, 24 * 60 * 60),
    "lookup_ip": (60, 60 * 60),
    "lookup_user": (300, 60 * 60),
    "anonymous_ip": (300, 5 * 60),
}
# How many proxies in front of us append to X-Forwarded-For; 0 trusts none of it.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)

# Web applications of other origins that may use the API, by Bearer token: cookies are not for them.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(users?|videos?|comments|hashtags|notifications|media|schema)(/|$)"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-none-match",
    "range",
]
CORS_EXPOSE_HEADERS = [
    "Retry-After",
    "Idempotency-Replayed",
    "Content-Range",
    "ETag",
    "X-Request-ID",
]

SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} API",
    "DESCRIPTION": "Post short vertical clips, follow people, and scroll a feed without repeats.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tiktok_clone.common.describing.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "VisibilityEnum": "videos.models.Visibility",
        "VideoStatusEnum": "videos.models.Status",
        "NotificationKindEnum": "feeds.models.Kind",
        "RefusedKindEnum": ["video", "creator", "hashtag"],
    },
}

ACCESS_TOKEN_LIFETIME = timedelta(minutes=5)
# With which a page asks for news; it gets a new one by its cookie.
POLL_TOKEN_LIFETIME = timedelta(hours=1)
REFRESH_TOKEN_LIFETIME = timedelta(days=60)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "ALGORITHM": "HS256",
    "AUDIENCE": "loopy-api",
    "AUTH_HEADER_TYPES": ("Bearer",),
    "UPDATE_LAST_LOGIN": False,
}

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "tiktok_clone.common.staticfiles.ModuleStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(DATA_DIR / "media")))
MEDIA_URL = "/media/"
# Where new media go: Cloudinary when this is set, else MEDIA_ROOT. CLOUDINARY_FOLDER keeps
# several sites in one account apart.
CLOUDINARY_URL = env.str("CLOUDINARY_URL", "")
CLOUDINARY_FOLDER = env.str("CLOUDINARY_FOLDER", "")
# Our address as Cloudinary sees it, for its messages; without one we ask how far it is.
CLOUDINARY_NOTIFY = env.str(
    "CLOUDINARY_NOTIFY", SITE_URL if SITE_URL.startswith("https://") else ""
).rstrip("/")
# Seconds that a direct upload may pause before what came of it is removed.
UPLOAD_LIFETIME = env.int("UPLOAD_LIFETIME", 24 * 60 * 60)
# What one account may keep and post; 0 is no limit.
QUOTA_BYTES = env.int("QUOTA_BYTES", 10 * 2**30)
QUOTA_VIDEOS = env.int("QUOTA_VIDEOS", 0)
QUOTA_VIDEOS_PER_DAY = env.int("QUOTA_VIDEOS_PER_DAY", 100)

# Objects of nobody wait for so many days before they are removed, at most so many in an hour.
ORPHAN_QUARANTINE_DAYS = env.int("ORPHAN_QUARANTINE_DAYS", 30)
ORPHAN_DELETIONS_PER_RUN = env.int("ORPHAN_DELETIONS_PER_RUN", 1000)
# Calls to Cloudinary's Admin API in an hour, which its plans limit: in all, and for a sweep.
CLOUDINARY_CALLS = env.int("CLOUDINARY_CALLS", 450)
RECONCILE_CALLS = env.int("RECONCILE_CALLS", 200)

FFMPEG_PATH = env.str("FFMPEG_PATH", "")
VIDEO_MAX_BYTES = env.int("VIDEO_MAX_BYTES", 200 * 1024 * 1024)
VIDEO_MAX_SECONDS = env.int("VIDEO_MAX_SECONDS", 180)
AVATAR_MAX_BYTES = env.int("AVATAR_MAX_BYTES", 5 * 1024 * 1024)
FILE_UPLOAD_TEMP_DIR = MEDIA_ROOT / "incoming"
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# What uploads must leave free on the disk, for what is being processed and for the database.
MIN_FREE_BYTES = env.int("MIN_FREE_BYTES", 512 * 1024 * 1024)
# Where nginx finds MEDIA_ROOT under an internal location; empty: this program sends the bytes.
MEDIA_ACCEL_PREFIX = env.str("MEDIA_ACCEL_PREFIX", "")
SUBTITLES_MAX_BYTES = env.int("SUBTITLES_MAX_BYTES", 256 * 1024)

# Who may make an account: everybody, whoever brings an invitation, or nobody.
SIGNUP_MODES = ("open", "invite", "closed")
SIGNUP_MODE = env.str("SIGN_UP", "open")
if SIGNUP_MODE not in SIGNUP_MODES:
    raise ImproperlyConfigured(f"SIGN_UP is {SIGNUP_MODE!r}; use one of {', '.join(SIGNUP_MODES)}.")

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
# A server that does not answer must not hold up the worker; the job tries again later.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 10)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Loopy <no-reply@localhost>")

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

MEDIA_ORIGINS, UPLOAD_ORIGINS = cdn.origins(CLOUDINARY_URL)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:", *MEDIA_ORIGINS],
        "media-src": [SELF, "blob:", *MEDIA_ORIGINS],
        "connect-src": [SELF, *UPLOAD_ORIGINS],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"

# `line` or `json`.
LOG_FORMAT = env.str("LOG_FORMAT", "line")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = logs.configuration(style=LOG_FORMAT, level=LOG_LEVEL)
# Who may read /metrics; without it, only requests from this machine.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# Several web processes count together through files here; read by prometheus_client itself.
if METRICS_DIR := env.str("PROMETHEUS_MULTIPROC_DIR", ""):
    Path(METRICS_DIR).mkdir(parents=True, exist_ok=True)
PROCRASTINATE_WORKER_DEFAULTS = {
    "concurrency": env.int("WORKER_CONCURRENCY", 2),
    # The worker is told of new jobs, but not that a lock is free: what waited for one, as all that
    # is done to one video after another, would start up to five seconds late.
    "fetch_job_polling_interval": 0.5,
    "worker_middleware": [logs.log_job],
}
PROCRASTINATE_IMPORT_PATHS = ["tiktok_clone.schedule", "feeds.demo.tasks"]
