"""Messages, sent to a real SMTP server, which is away, in no hurry or unwilling at times."""

import logging
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import environ
import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.accounts.mail_server import Mailbox
from tests.api_client import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"email": "ada@example.org", "password": "engine of 1843", "handle": "ada", "name": "Ada L."}
UseMail = Callable[[str], None]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def use_mail(settings: Any) -> UseMail:
    """Set what a deployment sets by EMAIL_URL."""

    def use(url: str) -> None:
        for name, value in environ.Env.email_url_config(url).items():
            setattr(settings, name, value)

    return use


@pytest.fixture
def server(mailbox: Mailbox, use_mail: UseMail) -> Iterator[None]:
    """A plain server that takes everything."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    use_mail(f"smtp://127.0.0.1:{controller.port}")
    yield
    controller.stop()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def job() -> tuple[str, int, bool]:
    """Of the only job: its state, how often it failed, and whether it waits for its time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, attempts, coalesce(scheduled_at > now(), false)"
            " FROM procrastinate_jobs WHERE task_name LIKE '%%send_%%'"
        )
        [(status, attempts, waits)] = cursor.fetchall()
    return status, attempts, waits


def come_due() -> None:
    """Let the time pass until the next try."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")


@pytest.mark.usefixtures("server")
def test_the_message_of_a_sign_up_arrives_with_a_link_that_verifies(
    api: ApiClient, client: Client, mailbox: Mailbox, run_jobs: Any
) -> None:
    api.post("/user/signup", NEW, expect=201)
    assert mailbox.taken == []
    run_jobs()
    [message] = mailbox.taken
    assert message["To"] == "ada@example.org"
    assert message["From"] == "Loopy <no-reply@localhost>"
    assert message["Subject"] == "Verify your e-mail address – Loopy"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert "Hello @ada," in text
    # What a stranger may type freely is not sent to an address that may not be theirs.
    assert "Ada L." not in text
    link = text.split("127.0.0.1:8000")[1].split()[0]
    assert client.get(link).status_code == 302
    assert User.objects.get().email_verified_at is not None


@pytest.mark.usefixtures("server")
def test_the_message_of_a_reset_arrives_with_a_link_that_sets_a_password(
    api: ApiClient, client: Client, user: User, mailbox: Mailbox, run_jobs: Any
) -> None:
    api.post("/user/password/reset", {"email": user.email}, expect=202)
    run_jobs()
    [message] = mailbox.taken
    assert message["To"] == user.email
    link = message.get_content().split("127.0.0.1:8000")[1].split()[0]
    assert client.get(link).status_code == 200


@pytest.mark.usefixtures("server")
def test_a_server_that_says_later_gets_the_message_once_later(
    api: ApiClient, mailbox: Mailbox, run_jobs: Any
) -> None:
    mailbox.says = ["451 come back in a minute", "421 too busy"]
    api.post("/user/signup", NEW, expect=201)
    for failed in (1, 2):
        run_jobs()
        assert job() == ("todo", failed, True)
        come_due()
    run_jobs()
    assert job()[0] == "succeeded"
    assert len(mailbox.taken) == 1


@pytest.mark.usefixtures("server")
def test_a_mailbox_that_does_not_exist_is_tried_once_and_not_named_in_the_log(
    api: ApiClient, mailbox: Mailbox, run_jobs: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.of_recipient = "550 no such mailbox"
    api.post("/user/signup", NEW, expect=201)
    with caplog.at_level(logging.INFO, logger="audit"):
        run_jobs()
    assert job() == ("succeeded", 1, False)
    assert f"mail_refused user={User.objects.get().pk} status=550" in caplog.text
    assert NEW["email"] not in caplog.text


@pytest.mark.usefixtures("server")
def test_a_mailbox_that_takes_nothing_yet_is_tried_again(
    api: ApiClient, mailbox: Mailbox, run_jobs: Any
) -> None:
    mailbox.of_recipient = "450 greylisted"
    api.post("/user/signup", NEW, expect=201)
    run_jobs()
    assert job() == ("todo", 1, True)
    mailbox.of_recipient = ""
    come_due()
    run_jobs()
    assert len(mailbox.taken) == 1


def test_people_sign_up_while_the_server_is_away(
    api: ApiClient, use_mail: UseMail, run_jobs: Any
) -> None:
    use_mail(f"smtp://127.0.0.1:{free_port()}")
    api.post("/user/signup", NEW, expect=201)
    run_jobs()
    assert job() == ("todo", 1, True)


def test_a_server_that_never_answers_does_not_hold_up_the_worker(
    api: ApiClient, use_mail: UseMail, run_jobs: Any, settings: Any
) -> None:
    assert 0 < settings.EMAIL_TIMEOUT <= 30
    settings.EMAIL_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_mail(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        api.post("/user/signup", NEW, expect=201)
        run_jobs()
    assert job() == ("todo", 1, True)


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_a_server_that_wants_encryption_and_a_login_gets_both(
    api: ApiClient,
    mailbox: Mailbox,
    use_mail: UseMail,
    run_jobs: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make, *names, *files], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=mailbox.check,
    )
    controller.start()
    try:
        use_mail(f"smtp+tls://loopy:pa%40ss@127.0.0.1:{controller.port}")
        api.post("/user/signup", NEW, expect=201)
        run_jobs()
        assert mailbox.taken == []  # a certificate that nobody knows
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        come_due()
        run_jobs()
    finally:
        controller.stop()
    assert mailbox.login == (b"loopy", b"pa@ss")
    assert len(mailbox.taken) == 1
