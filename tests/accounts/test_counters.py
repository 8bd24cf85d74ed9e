"""The numbers of followers that drifted are found and mended, also beside running services."""

import logging
from typing import Any

import pytest
from django.core.management import call_command

from accounts import counters, services
from accounts.models import User
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import UserFactory
from tiktok_clone import schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def circle() -> list[User]:
    """Three people; the first follows both others and is followed by the second."""
    first, second, third = UserFactory.create_batch(3)
    services.follow(first, second)
    services.follow(first, third)
    services.follow(second, first)
    return [first, second, third]


def test_services_leave_no_drift(circle: list[User]) -> None:
    services.unfollow(circle[0], circle[2])
    services.block(circle[1], circle[0])
    assert counters.reconcile() == []


def test_the_nightly_job_reports_drift_and_mends_it(
    circle: list[User], caplog: pytest.LogCaptureFixture
) -> None:
    first, _, third = circle
    User.objects.filter(pk=first.pk).update(followers_count=7, following_count=0)
    User.objects.filter(pk=third.pk).update(followers_count=0)
    with caplog.at_level(logging.WARNING):
        schedule.reconcile_counters.func(0)
    assert {record.getMessage() for record in caplog.records} == {
        f"counter drift: user {first.pk}: followers_count is 7, rows are 1",
        f"counter drift: user {first.pk}: following_count is 0, rows are 2",
        f"counter drift: user {third.pk}: followers_count is 0, rows are 1",
    }
    assert counters.reconcile() == []


def test_the_command_tells_of_people_too_and_changes_nothing_in_a_dry_run(
    circle: list[User], capsys: pytest.CaptureFixture[str]
) -> None:
    User.objects.filter(pk=circle[0].pk).update(followers_count=7)
    call_command("reconcile_counters", "--dry-run")
    assert "followers_count is 7, rows are 1" in capsys.readouterr().out
    circle[0].refresh_from_db()
    assert circle[0].followers_count == 7


@pytest.mark.django_db(transaction=True)
def test_mending_beside_people_who_follow_and_stop_ends_exact() -> None:
    star = UserFactory()
    fans = UserFactory.create_batch(4)
    User.objects.update(followers_count=5)

    def follow_and_stop(fan: User) -> None:
        client = ApiClient(fan)
        for step in range(7):
            act = client.delete if step % 2 else client.post
            act(f"/users/@{star.handle}/follow")

    def mend() -> None:
        for _ in range(7):
            counters.reconcile()

    acts: list[Any] = [lambda fan=fan: follow_and_stop(fan) for fan in fans]
    assert at_once(*acts, mend) == [None] * 5
    assert counters.reconcile() == []
    star.refresh_from_db()
    assert star.followers_count == 4
