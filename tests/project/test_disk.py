"""A full disk: what is not media. (Uploads on a full disk are tested with the uploads.)"""

import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.api_client import ApiClient
from tests.factories import PASSWORD
from tiktok_clone import servers
from tiktok_clone.embedded import EmbeddedError, start_services
from tiktok_clone.servers import full_disk

FULL = "could not extend file: No space left on device"
NEW = {"email": "new@example.org", "handle": "newcomer", "name": "New", "password": PASSWORD}
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def no_room_for_people(transactional_db: None) -> None:
    """PostgreSQL refuses each row of an account with the error that it has for a full disk."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{FULL}' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER no_room BEFORE INSERT ON accounts_user
            FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
            """
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER no_room ON accounts_user")


@pytest.mark.usefixtures("no_room_for_people")
def test_a_database_without_room_is_a_503_that_says_so_and_not_our_error() -> None:
    api = ApiClient()
    problem = api.post("/user/signup", NEW, expect=503)
    assert problem["code"] == "out_of_space"
    assert "no room" in problem["detail"]
    assert int(api.response["Retry-After"]) == 300
    assert not User.objects.exists()
    assert Client().get("/healthz").status_code == 200


@pytest.mark.usefixtures("no_room_for_people")
def test_a_page_says_it_in_words(caplog: pytest.LogCaptureFixture) -> None:
    answer = Client().post("/signup", NEW)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "300"
    assert "no room" in answer.content.decode()
    assert FULL in caplog.text


def usage(free: int) -> object:
    return lambda *_: Usage(10**9, 10**9 - free, free)


def test_a_full_disk_is_called_by_its_name_when_postgresql_cannot_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_postgres_binary", lambda _: "/bin/false")
    monkeypatch.setattr(shutil, "disk_usage", usage(12_000_000))
    with pytest.raises(EmbeddedError) as refused:
        start_services(tmp_path / "data")
    said = str(refused.value)
    assert said.startswith(f"The disk that holds {tmp_path / 'data'} is full (12 MB free).")
    assert "DATA_DIR" in said


def test_other_reasons_are_not_taken_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_postgres_binary", lambda _: "/bin/false")
    with pytest.raises(EmbeddedError, match="PostgreSQL could not make"):
        start_services(tmp_path / "data")


def test_it_is_recognized_by_what_a_server_said_when_some_room_is_left_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", usage(500_000_000))
    assert full_disk(tmp_path, f"PANIC: {os.strerror(errno.ENOSPC)}")
    assert full_disk(tmp_path, "FATAL: something else") == ""
