"""The product's settings, and one more address that answers from memory."""

from tiktok_clone.settings.dev import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.hot_urls"
