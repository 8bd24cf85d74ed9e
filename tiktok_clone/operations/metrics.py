"""What Prometheus reads: figures of this site's web processes, and of the site as a whole.

Each web process counts its requests. Where several run, they share what they count through files
in PROMETHEUS_MULTIPROC_DIR, so that any of them answers for all; without that folder an answer is
about the process that gives it. What is asked from database and disk at each scrape is of the
site, whoever answers.
"""

import os
import shutil
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.redis import RedisError, client
from tiktok_clone.operations.models import Orphan, Sweep
from videos.models import Report, Status, Tombstone, Video

# A worker writes its heartbeat every ten seconds.
WORKER_ALIVE = timedelta(seconds=60)
JOB_STATES = ("todo", "doing", "failed")


def exposition() -> bytes:
    """Everything in Prometheus' text format."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)
        processes = generate_latest(registry)
    else:
        processes = generate_latest(REGISTRY)
    site = CollectorRegistry()
    site.register(SiteCollector())
    return processes + generate_latest(site)


class SiteCollector(Collector):
    """The figures of the whole site."""

    def collect(self) -> Iterable[Metric]:
        """Ask disk and database; without the database, say that it is down and no more."""
        yield from _storage()
        yield from _redis()
        up = GaugeMetricFamily("loopy_database_up", "Whether the database answers.")
        try:
            figures = [*_jobs(), *_videos(), *_waiting()]
        except DatabaseError:
            figures = []
        up.add_metric([], bool(figures))
        yield up
        yield from figures


def _storage() -> Iterable[Metric]:
    try:
        usage = shutil.disk_usage(settings.MEDIA_ROOT)
    except OSError:
        return
    for name, help_text, value in (
        ("loopy_storage_free_bytes", "Room left on the disk of the media.", usage.free),
        ("loopy_storage_total_bytes", "Size of the disk of the media.", usage.total),
    ):
        yield GaugeMetricFamily(name, help_text, value)


def _redis() -> Iterable[Metric]:
    redis = client()
    try:
        answers = redis is not None and bool(redis.ping())
    except RedisError:
        answers = False
    yield GaugeMetricFamily("loopy_redis_up", "Whether Redis answers.", answers)


def _jobs() -> Iterable[Metric]:
    """Jobs by state and queue, and how long the one that waits longest could have begun."""
    counts = GaugeMetricFamily("loopy_jobs", "Background jobs.", labels=["queue", "status"])
    rows = ProcrastinateJob.objects.filter(status__in=JOB_STATES)
    for queue, status, count in (
        rows.order_by().values_list("queue_name", "status").annotate(count=Count("pk"))
    ):
        counts.add_metric([queue, status], count)
    oldest = GaugeMetricFamily(
        "loopy_jobs_oldest_seconds", "Age of the oldest job that may begin now.", labels=["queue"]
    )
    now = timezone.now()
    due = ProcrastinateJob.objects.filter(status="todo").filter(
        Q(scheduled_at=None) | Q(scheduled_at__lte=now)
    )
    began = Min(Coalesce("scheduled_at", "procrastinateevent__at"))
    for queue, since in due.order_by().values_list("queue_name").annotate(since=began):
        oldest.add_metric([queue], max(0.0, (now - since).total_seconds()) if since else 0.0)
    alive = ProcrastinateWorker.objects.filter(last_heartbeat__gt=now - WORKER_ALIVE)
    workers = GaugeMetricFamily("loopy_workers", "Workers that are alive.", alive.count())
    return [counts, oldest, workers]


def _videos() -> Iterable[Metric]:
    videos = GaugeMetricFamily("loopy_videos", "Videos by state.", labels=["status"])
    counts = dict(Video.objects.order_by().values_list("status").annotate(count=Count("pk")))
    for status in Status.values:
        videos.add_metric([status], counts.get(status, 0))
    return [videos]


def _waiting() -> Iterable[Metric]:
    missing = StoredObject.objects.filter(missing_since__isnull=False)
    due = Tombstone.objects.filter(due_at__lte=timezone.now())
    orphans = GaugeMetricFamily(
        "loopy_orphans", "Objects in a store that belong to nobody.", labels=["state"]
    )
    for state, count in Orphan.objects.all().states().items():
        orphans.add_metric([state], count)
    reports = Report.objects.filter(resolved_at=None).values("video").distinct().count()
    return [
        GaugeMetricFamily("loopy_reports_open", "Videos with reports to look at.", reports),
        GaugeMetricFamily(
            "loopy_objects_to_remove", "Deleted objects still there.", Tombstone.objects.count()
        ),
        GaugeMetricFamily(
            "loopy_objects_to_remove_due", "Those that should be gone by now.", due.count()
        ),
        GaugeMetricFamily(
            "loopy_objects_missing", "Objects that the stores lack.", missing.count()
        ),
        orphans,
        *_swept(),
    ]


def _swept() -> Iterable[Metric]:
    """What the last sweep of each store counted: counting at each scrape would read all rows."""
    kept = GaugeMetricFamily("loopy_stored_bytes", "Kept, by the last sweep.", labels=["store"])
    objects = GaugeMetricFamily(
        "loopy_stored_objects", "Kept, by the last sweep.", labels=["store"]
    )
    ended = GaugeMetricFamily(
        "loopy_swept_timestamp_seconds", "When the last sweep ended.", labels=["store"]
    )
    for sweep in Sweep.objects.last_ended():
        kept.add_metric([sweep.store], sweep.kept_bytes)
        objects.add_metric([sweep.store], sweep.kept_objects)
        if sweep.ended_at is not None:
            ended.add_metric([sweep.store], sweep.ended_at.timestamp())
    return [kept, objects, ended]
