"""The administration's pages about the stores, what staff may do there, figures for Prometheus."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from tests.factories import UserFactory
from tests.operations.objects import age, buried, clip, keep, lose, names_of, put, sweep
from tests.project.test_metrics import scrape
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import ledger, local_store
from tiktok_clone.operations import sweeping
from tiktok_clone.operations.models import Orphan, Sweep
from videos import tasks
from videos.models import Tombstone


@pytest.fixture
def staff() -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def page(staff: Client, query: str = "") -> dict:  # type: ignore[type-arg]
    cache.clear()
    answer = staff.get(reverse("admin:operations_storage") + query)
    assert answer.status_code == 200
    return answer.context


def tile(context: dict, label: str) -> tuple[str, bool]:  # type: ignore[type-arg]
    found = next(each for each in context["board"]["tiles"] if each.label == label)
    return found.value, found.alarming


def test_it_says_what_is_stored_and_for_whom(staff: Client, settings: Settings) -> None:
    settings.QUOTA_BYTES = 100
    one, two = clip(), clip(rungs=(360, 720))
    keep("avatars/a/256.webp", two.author, b"x" * 30)
    gone = keep("videos/x/original", UserFactory(), b"x" * 1000)
    StoredObject.objects.filter(name=gone).update(owner_id=999_999)
    ledger.expect("videos/y/original", one.author_id, 10)
    context = page(staff)
    (disk,) = context["stores"]
    assert (disk["total"], disk["size"], disk["expected"], disk["missing"]) == (11, 1075, 1, 0)
    people = [(row["owner_id"], row["total"], row["size"]) for row in context["people"]]
    assert people == [(999_999, 1, 1000), (two.author_id, 6, 55), (one.author_id, 4, 20)]
    assert [row["percent"] for row in context["people"]] == [100, 25, 20]
    assert context["people"][0]["person"] is None


def test_it_draws_how_it_grew(staff: Client) -> None:
    for days, size in ((0, 10), (2, 30), (20, 100)):
        name = keep(f"videos/{days}/original", UserFactory(), b"x" * size)
        then = timezone.now() - timedelta(days=days)
        StoredObject.objects.filter(name=name).update(kept_at=then)
    stored, added = page(staff, "?days=7")["board"]["charts"]
    assert stored["lines"][0]["values"] == [100, 100, 100, 100, 130, 130, 140]
    assert added["lines"][0]["values"] == [0, 0, 0, 0, 30, 0, 10]
    assert len(page(staff)["board"]["dates"]) == 30


def test_it_says_what_is_wrong(staff: Client) -> None:
    video = clip()
    lose(names_of(video)[0])
    orphan, other = put(), put()
    sweep()
    sweep()
    Orphan.objects.filter(name=other).update(quarantined_at=None)
    Tombstone.objects.create(name="videos/stuck", attempts=7, last_error="the disk says no")
    context = page(staff)
    assert tile(context, "Missing") == ("1", True)
    assert tile(context, "Waiting for deletion") == ("1", True)
    assert tile(context, "Orphans") == ("1", False)
    assert tile(context, "In quarantine") == ("1", False)
    html = staff.get(reverse("admin:operations_storage")).content.decode()
    assert "the disk says no" in html
    assert [each.missing for each in context["sweeps"]] == [1, 1]
    links = [each.url for each in context["board"]["tiles"]]
    for link in links:
        rows = staff.get(link).context["cl"].result_list
        assert len(rows) == (2 if "sweep" in link else 1), link
    assert orphan in str(staff.get(links[3]).context["cl"].result_list)


def test_its_queries_do_not_grow(staff: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(staff)
        return len(captured)

    clip()
    sweep()
    queries()
    few = queries()
    for _ in range(8):
        clip()
        put()
        Tombstone.objects.create(name="videos/stuck", attempts=1)
        sweep()
    assert queries() == few


def test_the_first_page_leads_there(staff: Client) -> None:
    clip()
    sweep()
    cache.clear()
    context = staff.get(reverse("admin:index")).context
    assert tile(context, "Stored") == ("20\xa0bytes", False)
    lose(StoredObject.objects.first().name)
    sweep()
    cache.clear()
    assert tile(staff.get(reverse("admin:index")).context, "Stored")[1]


def test_staff_keeps_and_removes_orphans_at_once(staff: Client) -> None:
    kept, removed, third = put(), put(), put()
    sweep()
    listing = reverse("admin:operations_orphan_changelist")

    def act(what: str, name: str) -> None:
        chosen = Orphan.objects.get(name=name).pk
        staff.post(listing, {"action": what, "_selected_action": [chosen]})

    act("keep", kept)
    act("remove", removed)
    assert Orphan.objects.get(name=kept).kept_at is not None
    assert buried() == {removed}
    for name in ("keep", "remove"):
        pk = Orphan.objects.get(name=third).pk
        staff.post(reverse("admin:operations_orphan_act", args=[pk, name]))
    assert buried() == {removed, third}
    assert LogEntry.objects.count() == 4
    tasks.purge_tombstones(timestamp=0)
    assert local_store().exists(kept)
    assert not local_store().exists(removed)


def test_who_may_only_look_decides_nothing() -> None:
    name = put()
    sweep()
    person = UserFactory(is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(person)
    orphan = Orphan.objects.get(name=name)
    listing = reverse("admin:operations_orphan_changelist")
    assert client.get(listing).status_code == 200
    client.post(listing, {"action": "remove", "_selected_action": [orphan.pk]})
    act = reverse("admin:operations_orphan_act", args=[orphan.pk, "remove"])
    assert client.post(act).status_code == 403
    assert buried() == set()


def test_figures_for_prometheus() -> None:
    before = scrape()
    assert 'loopy_stored_bytes{store="local"}' not in before
    video = clip()
    names = [put() for _ in range(3)]
    sweep()
    sweep()
    put()
    sweep()
    age(names[0], 31)
    lose(video.preview)
    StoredObject.objects.filter(name=video.preview).update(missing_since=timezone.now())
    Tombstone.objects.create(name="videos/due")
    Tombstone.objects.create(name="videos/later", due_at=timezone.now() + timedelta(hours=1))
    found = scrape()
    assert found['loopy_stored_bytes{store="local"}'] == 20
    assert found['loopy_stored_objects{store="local"}'] == 4
    ended = Sweep.objects.latest("pk").ended_at
    assert ended is not None
    assert found['loopy_swept_timestamp_seconds{store="local"}'] == pytest.approx(ended.timestamp())
    assert found['loopy_orphans{state="noticed"}'] == 1
    assert found['loopy_orphans{state="quarantined"}'] == 3
    assert found["loopy_objects_missing"] == 1
    assert (found["loopy_objects_to_remove"], found["loopy_objects_to_remove_due"]) == (2, 1)


def test_the_command_reports(capsys: pytest.CaptureFixture[str], caplog: object) -> None:
    video = clip()
    lose(names_of(video)[0])
    name = put()
    call_command("reconcile_media", dry_run=True, verbosity=0)
    said = capsys.readouterr().out
    assert f"orphan {name}" in said
    assert f"missing {names_of(video)[0]}" in said
    assert "Nothing was changed." in said
    assert not Sweep.objects.exists()
    call_command("reconcile_media", verbosity=0)
    assert "        1 clips taken off the site" in capsys.readouterr().out
    for _ in range(12):
        put()
    call_command("reconcile_media", verbosity=0)
    assert "That looks like an old database" in capsys.readouterr().err


def test_the_command_says_that_another_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**options: object) -> None:
        raise sweeping.BusyError("Another sweep runs. Wait for it to end.")

    monkeypatch.setattr(sweeping, "sweep_all", busy)
    with pytest.raises(Exception, match="Another sweep runs"):
        call_command("reconcile_media", verbosity=0)
