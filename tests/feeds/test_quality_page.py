"""The administration's page about the recommender: how good it has been, day by day."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feeds.models import ModelRun
from feeds.recommender.evaluation import Row
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
State = ModelRun.State


@pytest.fixture
def staff() -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def trained(days: int, state: str, ndcg: float, reason: str = "") -> ModelRun:
    """A training that ended some days ago."""
    at = dict.fromkeys((10, 20, 50), ndcg)
    row = Row("ours", 7, at, at, at, coverage=0.5, gini=0.25, top_share=0.125).to_json()
    moment = timezone.now() - timedelta(days=days)
    return ModelRun.objects.create(
        state=state, created_at=moment, finished_at=moment, rows=100 - days, reason=reason,
        metrics={"ours": row, "popularity": row, "new_people": row, "new_videos": row},
    )  # fmt: skip


def charts(staff: Client, query: str = "?days=7") -> dict[str, Any]:
    context = staff.get(reverse("admin:feeds_quality") + query).context
    return {chart["title"]: chart["lines"][0]["values"] for chart in context["board"]["charts"]}


def test_each_day_shows_the_model_that_served_then(staff: Client) -> None:
    trained(4, State.RETIRED, 0.01)
    trained(4, State.KEPT, 0.02)
    trained(3, State.REFUSED, 0.5, "worse")
    trained(1, State.IN_SERVICE, 0.03)
    found = charts(staff)
    assert found["NDCG@20"] == [None, None, 0.02, 0.02, 0.02, 0.03, 0.03]
    assert found["Rows learnt from"] == [0, 0, 96, 96, 96, 99, 99]
    assert found["Coverage"][-1] == 0.5
    assert found["Share of the top creators"][-1] == 0.125


def test_a_model_from_before_the_period_still_counts(staff: Client) -> None:
    trained(20, State.IN_SERVICE, 0.02)
    assert charts(staff)["NDCG@20"] == [0.02] * 7


def test_without_any_training_it_says_so(staff: Client) -> None:
    page = staff.get(reverse("admin:feeds_quality"))
    assert b"None yet: the worker trains every hour" in page.content
    assert b"no model" in page.content
    assert [chart["today"] for chart in page.context["board"]["charts"]] == ["–"] * 5 + ["0"]


@pytest.mark.parametrize("state", [State.REFUSED, State.FAILED])
def test_a_training_that_came_to_nothing_is_shown_with_its_reason(
    staff: Client, state: str
) -> None:
    trained(1, State.IN_SERVICE, 0.03)
    run = trained(0, state, 0.01, "it was worse")
    page = staff.get(reverse("admin:feeds_quality"))
    (tile,) = [each for each in page.context["board"]["tiles"] if each.label == "Recommender"]
    assert (tile.alarming, tile.note) == (True, f"training {run.pk} {state}")
    assert b"it was worse" in page.content
    assert (
        b"it was worse" in staff.get(reverse("admin:feeds_modelrun_change", args=[run.pk])).content
    )


def test_a_training_shows_the_table_of_its_figures(staff: Client) -> None:
    run = trained(0, State.IN_SERVICE, 0.03)
    page = staff.get(reverse("admin:feeds_modelrun_change", args=[run.pk])).content.decode()
    assert "Recall@10" in page
    assert "0.0300" in page
    assert "alpha 0.8" in page


def test_only_who_may_see_trainings_sees_them() -> None:
    person, client = UserFactory(is_staff=True), Client()
    client.force_login(person)
    assert client.get(reverse("admin:feeds_quality")).status_code == 403
    person.user_permissions.add(Permission.objects.get(codename="view_modelrun"))
    assert client.get(reverse("admin:feeds_quality")).status_code == 200
