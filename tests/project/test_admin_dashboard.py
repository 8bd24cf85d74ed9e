"""The first page of the administration."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from feeds.models import Impression
from tests.factories import UserFactory, VideoFactory
from tests.videos.measuring import queries_of
from tiktok_clone.common import dashboard
from tiktok_clone.common.dashboard import Chart
from videos.models import Status, Video
from videos.services import engagement

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def staff(boss: User) -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(boss)
    return client


def index(query: str = "") -> str:
    return reverse("admin:index") + query


def lines(client: Client, key: str, query: str = "") -> list[list[float]]:
    """The values of a chart, as the page hands them to the script."""
    html = client.get(index(query)).content.decode()
    found = re.search(r'<script id="board-data" type="application/json">(.*?)</script>', html)
    assert found is not None
    charts = json.loads(found[1])["charts"]
    chart = next(chart for chart in charts if chart["key"] == key)
    return [line["values"] for line in chart["lines"]]


def test_charts_count_each_day_in_its_place(staff: Client, boss: User) -> None:
    now = timezone.now()
    author = UserFactory(created_at=now - timedelta(days=3))
    UserFactory(created_at=now - timedelta(days=40))
    VideoFactory(author=author, created_at=now - timedelta(days=2))
    failed = VideoFactory(author=author, status=Status.FAILED, size_bytes=3000)
    VideoFactory(author=author, status=Status.REJECTED)
    video = Video.objects.exclude(status=Status.FAILED).first()
    assert video is not None
    Impression.objects.create(user=boss, video=video, seconds=4)
    Impression.objects.create(user=author, video=failed, seconds=0.3)  # swiped past

    (signups,) = lines(staff, "sign-ups")
    assert (len(signups), signups[-4], signups[-1], sum(signups)) == (30, 1, 1, 2)
    (uploads,) = lines(staff, "uploads")
    assert (uploads[-3], uploads[-1]) == (1, 2)
    failures, refused = lines(staff, "failures")
    assert (failures[-1], refused[-1]) == (1, 1)
    kept, received = lines(staff, "storage")
    assert (kept[-3], received[-1]) == (600_000, 3000)
    views, viewers = lines(staff, "views")
    assert (views[-1], viewers[-1]) == (1, 1)


@pytest.mark.parametrize(("query", "days"), [("?days=7", 7), ("?days=90", 90), ("?days=x", 30)])
def test_the_period_is_chosen_among_three(staff: Client, query: str, days: int) -> None:
    assert len(lines(staff, "sign-ups", query)[0]) == days


def test_each_chart_is_a_table_as_well(staff: Client) -> None:
    html = staff.get(index()).content.decode()
    assert html.count("<canvas") == html.count("<details>") > 0
    assert html.count('<th scope="row">') == 30 * html.count("<canvas")


def test_no_script_of_the_page_is_inline(staff: Client) -> None:
    html = staff.get(index()).content.decode()
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", html)
    assert all('type="application/json"' in attributes for attributes in inline)


def test_the_number_of_queries_does_not_depend_on_the_data(staff: Client) -> None:
    counts = []
    for wanted in (2, 25):
        for number in range(wanted - Video.objects.count()):
            video = VideoFactory(created_at=timezone.now() - timedelta(days=number % 20))
            engagement.report_video(UserFactory(), video.pk, "spam")
            Impression.objects.create(user=UserFactory(), video=video, seconds=2)
        cache.clear()
        counts.append(queries_of(lambda: staff.get(index())))
    assert counts[0] == counts[1]


def test_no_figure_reads_a_whole_table(staff: Client) -> None:
    """With sequential scans made expensive, whatever has an index to use is read by it."""
    engagement.report_video(UserFactory(), VideoFactory().pk, "spam")
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        dashboard._all_figures(dashboard.dates_of(30))
    statements = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    assert len(statements) >= 7
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for statement in statements:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            scanned = set(re.findall(r"Seq Scan on (\w+)", plan))
            assert not scanned, f"{statement}\n{plan}"


def test_the_figures_are_computed_once_a_minute(staff: Client) -> None:
    staff.get(index())
    UserFactory()
    assert lines(staff, "sign-ups")[0][-1] == 1
    cache.clear()
    assert lines(staff, "sign-ups")[0][-1] == 2


def test_waiting_reports_are_an_alarm(staff: Client) -> None:
    engagement.report_video(UserFactory(), VideoFactory().pk, "spam")
    response = staff.get(index())
    tile = next(t for t in response.context["board"]["tiles"] if t.label == "Reports waiting")
    assert (tile.value, tile.alarming) == ("1", True)


def test_staff_without_permissions_sees_no_figure() -> None:
    client = Client()
    client.force_login(UserFactory(is_staff=True))
    response = client.get(index())
    assert response.status_code == 200
    assert (response.context["board"]["charts"], response.context["board"]["tiles"]) == ([], [])
    assert response.context["app_list"] == []
    assert "<canvas" not in response.content.decode()


def test_staff_sees_the_figures_of_its_permissions() -> None:
    moderator = UserFactory(is_staff=True)
    moderator.user_permissions.add(Permission.objects.get(codename="view_video"))
    client = Client()
    client.force_login(moderator)
    charts = {chart["key"] for chart in client.get(index()).context["board"]["charts"]}
    assert charts == {"uploads", "failures", "storage"}


def test_how_long_something_lasts_is_said_roughly() -> None:
    now = timezone.now()
    told = [dashboard.lasting(now - timedelta(seconds=s)) for s in (5, 61, 7000, 90_000, 200_000)]
    assert told == ["5 s", "1 min", "116 min", "25 h", "2 d"]
    assert dashboard.lasting(None) == "–"


def test_a_chart_without_data_is_all_zeros() -> None:
    drawn = dashboard._drawn(Chart("x", "X", []), dashboard.dates_of(7))
    assert (drawn["today"], drawn["total"], len(drawn["rows"])) == ("0", "0", 7)
