"""GET /metrics: who may read it, what it says, and that several processes count together."""

import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory
from tests.project.backups import own_url
from tiktok_clone.common import jobs
from videos.models import Report, Status, Tombstone
from videos.tasks import process_video

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


def samples(text: str) -> dict[str, float]:
    """The values by `name{label="value"}`."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def scrape(**headers: str) -> dict[str, float]:
    answer = Client().get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return samples(answer.content.decode())


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.1", {}, 404),
        ("", {}, 404),
        # A proxy on this machine passes on what somebody else asks.
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.1"}, 404),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, 404),
    ],
)
def test_without_a_token_only_this_machine_may_read(
    address: str, headers: dict[str, str], status: int
) -> None:
    answer = Client().get("/metrics", headers=headers, REMOTE_ADDR=address)
    assert answer.status_code == status


def test_with_a_token_only_who_has_it_may_read(settings: Settings) -> None:
    settings.METRICS_TOKEN = "m3trics"
    assert Client().get("/metrics").status_code == 404
    for wrong in ("Bearer other", "Bearer m3trics2", "Bearer", "Basic m3trics", "Bearer é"):
        answer = Client().get("/metrics", headers={"Authorization": wrong})
        assert answer.status_code == 404, wrong
    given = {"Authorization": "Bearer m3trics", "X-Forwarded-For": "192.0.2.1"}
    assert Client().get("/metrics", headers=given).status_code == 200


def test_requests_are_counted_by_route_and_status() -> None:
    name = (
        'django_http_responses_total_by_status_view_method_total{method="GET",status="404",'
        'view="api-video"}'
    )
    before = scrape().get(name, 0)
    ApiClient().get("/videos/999999", expect=404)
    assert scrape()[name] == before + 1


def test_jobs_videos_and_storage_are_those_of_the_site() -> None:
    author = UserFactory()
    VideoFactory(author=author)
    stored = VideoFactory(author=author, draft=True)
    VideoFactory(author=author, status=Status.FAILED)
    Report.objects.create(user=author, video=stored, reason="spam")
    Report.objects.create(user=UserFactory(), video=stored, reason="spam")
    Tombstone.objects.create(name="videos/gone")
    jobs.enqueue(process_video, video_id=stored.pk)
    later = jobs.enqueue(process_video, delay=3600, video_id=stored.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_events SET at = now() - interval '90 seconds' WHERE job_id <> %s",
            [later],
        )
    found = scrape()
    assert found['loopy_videos{status="ready"}'] == 1
    assert found['loopy_videos{status="stored"}'] == 1
    assert found['loopy_videos{status="failed"}'] == 1
    assert found['loopy_videos{status="rejected"}'] == 0
    assert found['loopy_jobs{queue="media",status="todo"}'] == 2
    assert 85 < found['loopy_jobs_oldest_seconds{queue="media"}'] < 120
    assert found["loopy_workers"] == 0
    assert found["loopy_reports_open"] == 1
    assert found["loopy_objects_to_remove"] == 1
    assert found["loopy_database_up"] == found["loopy_redis_up"] == 1
    assert 0 < found["loopy_storage_free_bytes"] < found["loopy_storage_total_bytes"]


def test_a_failed_job_and_a_living_worker_are_counted() -> None:
    jobs.enqueue(process_video, video_id=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)",
            [timezone.now() - timedelta(minutes=5)],
        )
    found = scrape()
    assert found['loopy_jobs{queue="media",status="failed"}'] == 1
    assert found["loopy_workers"] == 1


def test_the_number_of_queries_does_not_grow(django_assert_max_num_queries: object) -> None:
    for _ in range(5):
        VideoFactory()
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        scrape()


def test_the_room_left_is_that_of_the_media(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda *_: usage(1000, 400, 600))
    assert scrape()["loopy_storage_free_bytes"] == 600


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="There is no redis-server here.")
def test_hits_and_misses_of_the_cache_are_counted() -> None:
    hits, misses = (
        f'django_cache_get_{word}_total{{backend="redis"}}' for word in ("hits", "misses")
    )
    before = scrape()
    cache.set("one", 1)
    cache.get("one")
    cache.get("two")
    after = scrape()
    assert after[hits] == before.get(hits, 0) + 1
    assert after[misses] == before.get(misses, 0) + 1


REQUESTS = """
import django, sys
django.setup()
from django.test import Client
client = Client()
for _ in range(int(sys.argv[1])):
    assert client.get("/healthz").status_code == 200
print(client.get("/metrics").content.decode())
"""


def in_a_process_of_its_own(count: int, folder: Path) -> dict[str, float]:
    environment = {**os.environ, "DATABASE_URL": own_url()}
    done = subprocess.run(
        [sys.executable, "-c", REQUESTS, str(count)],
        cwd=ROOT,
        env={
            **environment,
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "tiktok_clone.settings.test",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return samples(done.stdout)


@pytest.mark.django_db(transaction=True)
def test_several_processes_count_together(tmp_path: Path) -> None:
    counter = "django_http_requests_total_by_view_transport_method_total"
    name = f'{counter}{{method="GET",transport="http",view="healthz"}}'
    assert in_a_process_of_its_own(3, tmp_path)[name] == 3
    second = in_a_process_of_its_own(4, tmp_path)
    assert second[name] == 7
    assert second["loopy_database_up"] == 1


def test_the_database_being_away_is_a_figure_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from tiktok_clone.operations import metrics

    def away() -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(metrics, "_jobs", away)
    found = scrape()
    assert found["loopy_database_up"] == 0
    assert found["loopy_storage_free_bytes"] > 0
    assert not [name for name in found if re.match("loopy_(jobs|videos)", name)]
