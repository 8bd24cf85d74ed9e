"""What the dashboard shows of videos: uploads, failures, storage, waiting reports."""

import shutil
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min, Q, Sum
from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from accounts.models import Appeal
from tiktok_clone.common import dashboard
from tiktok_clone.common.dashboard import Chart, Figures, Line, Tile
from videos.models import Rendition, Report, Status, Video

# Less free space than that is shown as an alarm.
LITTLE_SPACE = 0.1


@dashboard.shows("videos.view_video", order=20)
def upload_figures(since: datetime) -> Figures:
    """What was posted, what of it failed, and the room that it takes."""
    posted = dashboard.per_day(
        Video.objects.filter(created_at__gte=since),
        "created_at",
        total=Count("pk"),
        failed=Count("pk", filter=Q(status=Status.FAILED)),
        rejected=Count("pk", filter=Q(status=Status.REJECTED)),
        size=Sum("size_bytes"),
    )
    made = dashboard.per_day(
        Rendition.objects.filter(video__created_at__gte=since),
        "video__created_at",
        size=Sum("size_bytes"),
    )
    charts = [
        Chart("uploads", "Uploads", [Line("Clips", posted["total"])]),
        Chart(
            "failures",
            "Failed uploads",
            [Line("Failed", posted["failed"]), Line("Refused", posted["rejected"])],
        ),
        Chart(
            "storage",
            "Storage used",
            [Line("Kept", made["size"]), Line("Received", posted["size"], in_total=False)],
            unit="bytes",
        ),
    ]
    return Figures(charts, [_disk()])


@dashboard.shows("videos.view_report", order=25)
def report_figures(since: datetime) -> Figures:
    """Reports that wait for somebody, however old they are: an index holds just these."""
    waiting = Report.objects.filter(resolved_at=None).aggregate(
        total=Count("pk"), videos=Count("video", distinct=True), oldest=Min("created_at")
    )
    clips = "one clip" if waiting["videos"] == 1 else f"{waiting['videos']} clips"
    about = f"about {clips}, since {dashboard.lasting(waiting['oldest'])}"
    tile = Tile(
        "Reports waiting",
        str(waiting["total"]),
        about if waiting["total"] else "all are answered",
        reverse("admin:videos_report_queue"),
        alarming=waiting["total"] > 0,
    )
    return Figures(tiles=[tile])


@dashboard.shows("accounts.view_appeal", order=26)
def appeal_figures(since: datetime) -> Figures:
    """Appeals that wait for somebody; an index holds just these."""
    waiting = Appeal.objects.filter(state=Appeal.State.WAITING).aggregate(
        total=Count("pk"), oldest=Min("created_at")
    )
    note = f"since {dashboard.lasting(waiting['oldest'])}"
    tile = Tile(
        "Appeals waiting",
        str(waiting["total"]),
        note if waiting["total"] else "all are answered",
        reverse("admin:accounts_appeal_queue"),
        alarming=waiting["total"] > 0,
    )
    return Figures(tiles=[tile])


def _disk() -> Tile:
    disk = shutil.disk_usage(settings.MEDIA_ROOT)
    return Tile(
        "Free for media",
        filesizeformat(disk.free),
        f"of {filesizeformat(disk.total)}",
        alarming=disk.free < LITTLE_SPACE * disk.total,
    )
