"""The settings: documented in .env.example, checked, and safe in production."""

import os
import re
import subprocess
import sys
from pathlib import Path

import environ
import pytest
from pytest_django import Settings

from tiktok_clone.operations.checks import check_deployment

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "tiktok_clone.settings.prod",
    "SECRET_KEY": "kD3x" * 16 + "-ab_cdefghijklm",
    "ALLOWED_HOSTS": "videos.example.com",
    "SITE_URL": "https://videos.example.com",
    "TRUSTED_PROXIES": "1",
    "EMAIL_URL": "smtp+tls://loopy:secret@mail.example.com:587",
}


def names_read_by_the_code() -> set[str]:
    """Variables read by settings, launcher and compose file."""
    settings = "".join(p.read_text() for p in (ROOT / "tiktok_clone/settings").glob("*.py"))
    names = set(re.findall(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"", settings))
    launcher = (ROOT / "tiktok_clone/launch.py").read_text()
    names |= set(re.findall(r"environ\w*\.get\(\"([A-Z_]+)\"", launcher))
    names |= set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    return names | {"DJANGO_SETTINGS_MODULE"}


def names_in_the_example() -> list[str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return [m[1] for line in lines if (m := re.match(r"#?([A-Z_]+)=", line))]


def test_every_setting_is_in_the_example_once_and_nothing_else_is() -> None:
    names = names_in_the_example()
    assert len(names) == len(set(names))
    assert set(names) == names_read_by_the_code()


def test_the_example_changes_nothing_when_copied_as_it_is() -> None:
    before = dict(os.environ)
    environ.Env.read_env(ROOT / ".env.example")
    assert dict(os.environ) == before


def as_deployed() -> dict[str, str]:
    """The environment without what only the tests set."""
    return {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**as_deployed(), **PRODUCTION, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_deployment_check_is_clean_under_production_settings() -> None:
    done = manage("check", "--deploy", "--fail-level", "DEBUG")
    assert done.returncode == 0, done.stderr
    assert "System check identified no issues" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "loopy.W001"),
        ("SITE_URL", "http://videos.example.com", "loopy.W002"),
        ("MEDIA_ACCEL_PREFIX", "protected", "loopy.W003"),
        ("METRICS_TOKEN", "short", "loopy.W004"),
        ("TRUSTED_PROXIES", 0, "loopy.W005"),
    ],
)
def test_the_deployment_check_tells_of_settings_that_do_not_fit(
    settings: Settings, name: str, value: str | int, expected: str
) -> None:
    settings.SITE_URL = PRODUCTION["SITE_URL"]
    settings.TRUSTED_PROXIES = 1
    assert check_deployment(None) == []
    setattr(settings, name, value)
    assert [message.id for message in check_deployment(None)] == [expected]


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"])
def test_production_does_not_start_without_what_it_needs(name: str) -> None:
    environment = {k: v for k, v in {**as_deployed(), **PRODUCTION}.items() if k != name}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert f"Set the {name} environment variable" in done.stderr


def test_no_migration_is_missing() -> None:
    done = manage("makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
