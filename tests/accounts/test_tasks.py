"""Jobs that keep the tables small; all of them may run twice."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import tasks
from accounts.models import Session, ThrottleCount, User

pytestmark = pytest.mark.django_db


def test_only_what_is_over_is_forgotten(user: User, client: Client) -> None:
    now = timezone.now()
    client.force_login(user)
    live = Session.objects.create(user=user, kind="api", token_id=uuid.uuid4())
    Session.objects.create(user=user, kind="api", last_used_at=now - timedelta(days=61))
    Session.objects.create(user=user, kind="api", ended_at=now - timedelta(days=31))
    Session.objects.create(user=user, kind="browser", session_key="gone")
    ThrottleCount.objects.create(key="old", window_start=now - timedelta(days=2))
    ThrottleCount.objects.create(key="new", window_start=now)
    for _ in range(2):
        tasks.forget_old_rows(0)
    assert set(Session.objects.values_list("kind", flat=True)) == {"api", "browser"}
    assert Session.objects.count() == 2
    assert Session.objects.filter(pk=live.pk).exists()
    assert ThrottleCount.objects.get().key == "new"
    assert client.get("/user/me").status_code == 200


def test_a_verified_or_unknown_person_gets_no_message(user: User, mailoutbox: Any) -> None:
    User.objects.filter(pk=user.pk).update(email_verified_at=timezone.now())
    tasks.send_verification(user.pk)
    tasks.send_password_reset(0)
    assert mailoutbox == []
