"""The container files: what they promise, read as data."""

from pathlib import Path

import pytest
import yaml

from tiktok_clone.healthcheck import own_host
from tiktok_clone.processes import LANES, worker_arguments

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
