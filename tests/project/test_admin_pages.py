"""Every page of the administration: it answers, and its queries do not grow with the rows."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Decision, Invitation, ModerationAct, Session, User
from accounts.services import Why, appeal
from feeds.models import Export, Impression, ModelRun
from tests.factories import CommentFactory, UserFactory, VideoFactory
from tests.videos.measuring import queries_of
from tiktok_clone.common import jobs
from tiktok_clone.common.models import SiteText, StoredObject
from tiktok_clone.operations.models import Erasure, Orphan, Sweep
from videos import tasks
from videos.captions import link_caption
from videos.models import Comment, Hashtag, Rendition, Report, Subtitles, Tombstone, Video
from videos.services import moderation

pytestmark = pytest.mark.django_db

NAMES = [model._meta.label_lower for model in admin.site._registry]


@pytest.fixture
def staff() -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def make_person(number: int) -> User:
    person: User = UserFactory(invitation=Invitation.objects.create(note=f"for {number}"))
    first = User.objects.exclude(invitation=None).order_by("pk").first()
    assert first is not None
    first.groups.add(Group.objects.create(name=f"group of {number}"))
    Session.objects.create(user=first, kind=Session.Kind.BROWSER)
    return person


def make_session(number: int) -> Session:
    return Session.objects.create(user=UserFactory(), kind=Session.Kind.API)


def make_invitation(number: int) -> Invitation:
    return Invitation.objects.create(note=f"note {number}", created_by=UserFactory())


def make_group(number: int) -> Group:
    group = Group.objects.create(name=f"group {number}")
    group.permissions.add(*Permission.objects.all()[:number])
    return group


def make_video(number: int) -> Video:
    """One more video, and one more of everything that hangs on the first one."""
    video: Video = VideoFactory(caption=f"#tag{number}")
    link_caption(video)
    first = Video.objects.order_by("pk").first()
    assert first is not None
    Report.objects.create(user=UserFactory(), video=first, reason="spam", text=f"text {number}")
    Subtitles.objects.create(video=first, language=f"x-{number}", label="X", vtt="WEBVTT")
    Rendition.objects.create(
        video=first, rung=1000 + number, width=1, height=1, bitrate=1, size_bytes=1,
        name=f"{first.folder}/{number}.mp4",
    )  # fmt: skip
    jobs.enqueue(tasks.change_cover, lock=f"video-{first.pk}", video_id=first.pk, milliseconds=1)
    return video


def make_comment(number: int) -> Comment:
    comment: Comment = CommentFactory()
    first = Comment.objects.order_by("pk").first()
    CommentFactory(video=comment.video, parent=first)
    return comment


def make_report(number: int) -> Report:
    return Report.objects.create(
        user=UserFactory(), video=VideoFactory(), reason="spam", text="why", outcome="dismissed",
        resolved_by=UserFactory(),
    )  # fmt: skip


def make_job(number: int) -> ProcrastinateJob:
    pk = jobs.enqueue(tasks.recount_tags_of, author_id=number)
    first = ProcrastinateJob.objects.order_by("pk").first()
    with connection.cursor() as cursor:
        for job_id in (pk, first.pk):
            cursor.execute(
                "INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, 'started', now())",
                [job_id],
            )
    return ProcrastinateJob.objects.get(pk=pk)


def make_entry(number: int) -> LogEntry:
    person = UserFactory()
    return LogEntry.objects.log_actions(
        person.pk, [Video.objects.first() or VideoFactory()], CHANGE, "Hidden.", single_object=True
    )


def make_object(number: int) -> StoredObject:
    return StoredObject.objects.create(
        name=f"videos/{number}/original", owner_id=UserFactory().pk, size_bytes=5,
        kept_at=timezone.now(),
    )  # fmt: skip


def make_decision(number: int) -> Decision:
    person, boss = UserFactory(), UserFactory(is_superuser=True)
    video = VideoFactory(author=person)
    moderation.hide_video(video.pk, boss, Why("spam", f"words {number}"))
    decision = Decision.objects.get(person=person)
    appeal(decision, "A mistake.")
    return decision


MAKERS: dict[str, Callable[[int], Model]] = {
    "accounts.user": make_person,
    "accounts.session": make_session,
    "accounts.invitation": make_invitation,
    "accounts.decision": make_decision,
    "accounts.appeal": lambda n: make_decision(n).appeal,
    "accounts.moderationact": lambda n: ModerationAct.objects.get(
        target_id=make_decision(n).target_id
    ),
    "auth.group": make_group,
    "videos.video": make_video,
    "videos.comment": make_comment,
    "videos.report": make_report,
    "videos.hashtag": lambda n: Hashtag.objects.create(name=f"tag{n}"),
    "videos.tombstone": lambda n: Tombstone.objects.create(name=f"videos/{n}"),
    "feeds.impression": lambda _: Impression.objects.create(
        user=UserFactory(), video=VideoFactory()
    ),
    "feeds.export": lambda _: Export.objects.create(user=UserFactory()),
    "feeds.modelrun": lambda _: ModelRun.objects.create(
        state=ModelRun.State.RETIRED, finished_at=timezone.now()
    ),
    "common.sitetext": lambda n: SiteText.objects.create(slug=f"s{n}", title="t", body="b"),
    "common.storedobject": make_object,
    "operations.orphan": lambda n: Orphan.objects.create(
        name=f"videos/{n}/original",
        size_bytes=1,
        since=timezone.now(),
        first_seen=timezone.now(),
        last_seen=timezone.now(),
        last_sweep=1,
    ),
    "operations.sweep": lambda _: Sweep.objects.create(store="local", ended_at=timezone.now()),
    "operations.erasure": lambda n: Erasure.objects.create(
        person_id=n, requested_at=timezone.now(), folders=[], objects_count=0, size_bytes=0
    ),
    "procrastinate.procrastinatejob": make_job,
    "admin.logentry": make_entry,
}


def test_every_model_of_the_administration_is_walked() -> None:
    assert set(NAMES) == set(MAKERS)


def pages(name: str, row: Model) -> Iterator[str]:
    """The list, the page to add one, and those of one row."""
    route = f"admin:{name.replace('.', '_')}"
    yield reverse(f"{route}_changelist")
    yield reverse(f"{route}_changelist") + "?q=a"
    yield reverse(f"{route}_add")
    for page in ("change", "delete", "history"):
        yield reverse(f"{route}_{page}", args=[row.pk])


def walk(staff: Client, name: str, row: Model) -> dict[str, Any]:
    """Status and number of queries of each page; what nobody may do by hand answers 403."""
    found: dict[str, Any] = {}
    for path in pages(name, row):
        cache.clear()
        status = staff.get(path).status_code
        cache.clear()
        found[path] = (status, queries_of(partial(staff.get, path)))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_pages_take_the_same_number_of_queries_for_2_and_12_rows(name: str, staff: Client) -> None:
    make = MAKERS[name]
    first = make(0)
    make(1)
    walk(staff, name, first)  # what is remembered for the whole process is read here
    with_two = walk(staff, name, first)
    for number in range(2, 12):
        make(number)
    assert walk(staff, name, first) == with_two
    model_admin = admin.site._registry[type(first)]
    for path, (status, _) in with_two.items():
        by_hand = path.endswith(("/add/", "/delete/")) or "/delete" in path
        assert status == 200 or (by_hand and status == 403), path
    assert model_admin.list_per_page <= 100


def everywhere() -> list[str]:
    lists = [reverse(f"admin:{name.replace('.', '_')}_changelist") for name in NAMES]
    lists += [reverse("admin:operations_storage"), reverse("admin:feeds_quality")]
    lists += [reverse("admin:videos_report_queue"), reverse("admin:accounts_appeal_queue")]
    return [*lists, reverse("admin:accounts_user_removal")]


def test_staff_without_permissions_sees_nothing() -> None:
    client = Client()
    client.force_login(UserFactory(is_staff=True))
    assert {path: client.get(path).status_code for path in everywhere()} == dict.fromkeys(
        everywhere(), 403
    )
    assert "/admin/accounts/" not in client.get(reverse("admin:index")).content.decode()


def test_staff_who_may_only_look_can_change_nothing() -> None:
    person = UserFactory(is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(person)
    other, video = UserFactory(), VideoFactory()
    for path in everywhere()[:-1]:
        assert client.get(path).status_code == 200, path
    user_list = reverse("admin:accounts_user_changelist")
    client.post(user_list, {"action": "suspend", "_selected_action": [other.pk]})
    video_list = reverse("admin:videos_video_changelist")
    client.post(video_list, {"action": "hide", "_selected_action": [video.pk]})
    other.refresh_from_db()
    video.refresh_from_db()
    assert other.is_active
    assert video.hidden_at is None
    for act in ("suspend", "sign-out"):
        path = reverse("admin:accounts_user_act", args=[other.pk, act])
        assert client.post(path).status_code == 403
    assert client.get(everywhere()[-1]).status_code == 403


def test_failed_jobs_run_again(staff: Client) -> None:
    job, waiting = make_job(1), make_job(2)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'failed', attempts = 9 WHERE id = %s", [job.pk]
        )
    listing = reverse("admin:procrastinate_procrastinatejob_changelist")
    chosen = {"_selected_action": [job.pk, waiting.pk]}
    staff.post(listing, {"action": "retry_failed", **chosen})
    ours = ProcrastinateJob.objects.filter(pk__in=[job.pk, waiting.pk])
    assert set(ours.values_list("status", flat=True)) == {"todo"}
    assert LogEntry.objects.get().object_id == str(job.pk)
    staff.post(listing, {"action": "cancel_waiting", **chosen})
    assert set(ours.values_list("status", flat=True)) == {"cancelled"}


def test_a_failed_job_whose_twin_waits_stays_failed(staff: Client) -> None:
    args = {"queueing_lock": "twin", "author_id": 1}
    pk = jobs.enqueue(tasks.recount_tags_of, **args)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [pk])
    assert jobs.enqueue(tasks.recount_tags_of, **args) is not None
    listing = reverse("admin:procrastinate_procrastinatejob_changelist")
    body = {"action": "retry_failed", "_selected_action": [pk]}
    html = staff.post(listing, body, follow=True).content.decode()
    assert "0 jobs run again" in html
    assert "waits already" in html
    assert ProcrastinateJob.objects.get(pk=pk).status == "failed"


def test_jobs_are_filtered_and_linked_from_the_dashboard(staff: Client) -> None:
    job = make_job(1)
    make_job(2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [job.pk])
    tiles = staff.get(reverse("admin:index")).context["board"]["tiles"]
    (tile,) = [tile for tile in tiles if tile.label == "Failed jobs"]
    assert (tile.value, tile.alarming) == ("1", True)
    rows = staff.get(tile.url).context["cl"].result_list
    assert [row.pk for row in rows] == [job.pk]
