"""The product as `make run` has it, and a view that returns a constant to compare with."""

from tiktok_clone.settings.dev import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.notifications_urls"
