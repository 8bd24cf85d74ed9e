"""What stands in the log, and what must not."""

import io
import json
import logging
import logging.config
import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from accounts.mail import reset_link, verification_token
from accounts.models import User
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import PASSWORD
from tiktok_clone.common import jobs, logs

ID = "edge-7f3a.2026"


@pytest.fixture(params=logs.STYLES)
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that production would write, in either format."""
    written = io.StringIO()
    configuration = logs.configuration(style=request.param, level="DEBUG")
    configuration["handlers"]["console"]["stream"] = written
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logging.config.dictConfig(configuration)
    yield written
    logging.config.dictConfig(logs.configuration(style="line", level="INFO"))
    root.handlers[:], root.level = before, level


@pytest.fixture
def lines(log: io.StringIO) -> "Lines":
    return Lines(log)


class Lines:
    """The lines written so far, as dictionaries whatever the format is."""

    LINE = re.compile(
        r"^\S+ \S+ (?P<level>\w+) (?P<logger>\S+) \[(?P<request_id>.*?)\] (?P<message>.*)"
    )

    def __init__(self, log: io.StringIO) -> None:
        self.log = log

    def of(self, logger: str) -> list[dict[str, str]]:
        return [
            line for line in map(self._read, self.text.splitlines()) if line["logger"] == logger
        ]

    def of_job(self, task: str) -> dict[str, str]:
        """The one line that tells of a job's end."""
        (line,) = [line for line in self.of("jobs") if line["message"].startswith(f"{task} ")]
        return line

    @property
    def text(self) -> str:
        return self.log.getvalue()

    def _read(self, line: str) -> dict[str, str]:
        if line.startswith("{"):
            return dict(json.loads(line))
        match = self.LINE.match(line)
        return match.groupdict() if match else {"logger": "(continued)", "message": line}


def test_each_request_has_one_line_with_route_status_and_time(
    db: None, client: Client, lines: Lines
) -> None:
    answer = client.get("/videos/12345?q=secret", headers={"X-Request-ID": ID})
    assert answer["X-Request-ID"] == ID
    (line,) = lines.of("access")
    assert re.fullmatch(r"GET api-video 404 \d+ms", line["message"])
    assert line["request_id"] == ID
    if "time" in line:
        assert (line["method"], line["route"], line["status"]) == ("GET", "api-video", 404)
        assert isinstance(line["ms"], int)
        assert line["time"].endswith("+00:00")
        assert line["level"] == "INFO"
    assert "12345" not in lines.text.replace(str(line.get("ms")), "")


@pytest.mark.parametrize(
    "given",
    ["", "short", "x" * 65, "a b c d e f g", "id\tinjected", "nächste-anfrage", "<script>1"],
)
def test_an_id_that_is_not_fit_for_a_log_is_replaced(given: str) -> None:
    made = logs.sane_id(given)
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert logs.sane_id(given) != made


def test_two_requests_have_different_ids_and_nothing_stays_behind(client: Client) -> None:
    first, second = (client.get("/healthz")["X-Request-ID"] for _ in range(2))
    assert first != second
    assert logs.current_id() == logs.NO_REQUEST


def test_a_job_carries_the_id_of_the_request_that_enqueued_it(
    user: User, client: Client, lines: Lines, run_jobs: RunJobs
) -> None:
    client.post("/password/reset", {"email": user.email}, headers={"X-Request-ID": ID})
    run_jobs()
    assert len(mail.outbox) == 1
    line = lines.of_job("send_password_reset")
    assert re.fullmatch(r"send_password_reset ok \d+ms", line["message"])
    assert line["request_id"] == ID


def test_a_job_of_no_request_has_none(lines: Lines, run_jobs: RunJobs) -> None:
    from accounts.tasks import send_password_reset

    jobs.enqueue(send_password_reset, user_id=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs")
        assert cursor.fetchone() == ('{"user_id": 0}',)
    run_jobs()
    assert lines.of_job("send_password_reset")["request_id"] == "-"


@pytest.mark.usefixtures("failed_jobs_expected")
def test_a_job_that_fails_says_so_with_its_request(
    lines: Lines, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts import avatars, tasks

    def broken(folder: str) -> None:
        raise RuntimeError("for ada@example.org")

    monkeypatch.setattr(avatars, "remove_if_unused", broken)
    with logs.belonging_to(ID):
        jobs.enqueue(tasks.sweep_avatar, folder="avatars/x")
    run_jobs()
    line = lines.of_job("sweep_avatar")
    assert line["message"].startswith("sweep_avatar failed ")
    assert line["request_id"] == ID
    assert "RuntimeError: for [address]" in lines.text
    assert "ada@example.org" not in lines.text


def test_no_address_and_no_token_is_in_any_line(
    transactional_db: None,
    user: User,
    lines: Lines,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Signs up, in, and out, fails to, resets a password, follows links, and meets an error."""
    browser, api = Client(raise_request_exception=False), ApiClient()
    new = {
        "email": "new.person@example.org",
        "handle": "newcomer",
        "name": "N",
        "password": PASSWORD,
    }
    tokens = [api.post("/user/signup", {**new, "password": PASSWORD}, expect=201)]
    tokens.append(api.post("/user/signin", {"email": user.email, "password": PASSWORD}))
    api.post("/user/signin", {"email": user.email, "password": "wrong password"}, expect=401)
    tokens.append(api.post("/user/refresh", {"refresh": tokens[1]["refresh"]}))
    browser.post("/signin", {"email": user.email, "password": PASSWORD})
    session = browser.cookies["sessionid"].value
    browser.get(f"/users/{user.email}")
    browser.get("/users/somebody.else@example.org")
    browser.get(f"/search?q={user.email}")
    browser.post("/password/reset", {"email": user.email})
    run_jobs()
    uid, reset = reset_link(user)
    browser.get(f"/password/reset/{uid}/{reset}")
    browser.get(f"/password/reset/{uid}/{reset}x")
    verify = verification_token(user)
    browser.get(f"/verify-email/{verify}")
    _meet_an_error(browser, user.email, reset, verify, monkeypatch)

    assert "Traceback" in lines.text, "the error is not in the log, so this proves nothing"
    assert len(lines.of("access")) > 10
    assert lines.of("audit")
    assert "@example.org" not in lines.text
    assert "%40example.org" not in lines.text
    secrets = [PASSWORD, "wrong password", session, reset, verify]
    secrets += [pair[name] for pair in tokens for name in ("access", "refresh")]
    assert [secret for secret in secrets if secret in lines.text] == []


def _meet_an_error(
    browser: Client, email: str, reset: str, verify: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error whose message holds everything that must not be seen."""
    from tiktok_clone.common import readiness

    def broken() -> str:
        raise RuntimeError(f"Key (email)=({email}) exists; password={PASSWORD} {reset} {verify}")

    monkeypatch.setattr(readiness, "_media", broken)
    assert browser.get(f"/readyz?token={reset}&email={email}").status_code == 500


@pytest.mark.parametrize(
    "line",
    [
        "Not Found: /users/ada.lovelace+x@mail.example.org",
        "GET /users/ada%40example.org",
        "DETAIL:  Key (lower(email::text))=(ada@example.org) already exists.",
        '{"message": "sent to ada@example.org"}',
        "Authorization: Bearer abc.def-ghi_jkl",
        "postgres://loopy:ada@localhost/loopy",
        "redis://:ada@localhost:6379/0",
        "sessionid=ada; csrftoken=ada",
        "METRICS_TOKEN=ada",
        '"password": "ada"',
    ],
)
def test_secrets_are_struck_out_whoever_wrote_them(line: str) -> None:
    seen = logs.redact(line)
    assert "ada" not in seen.lower()
    assert "abc.def-ghi_jkl" not in seen
    assert "[" in seen
    if line.startswith("{"):
        assert json.loads(seen)


@pytest.mark.parametrize("piece", ["a", ".", "eyJ", "a.", "a@", "%40", "a_", "://a:", "-"])
def test_a_line_of_any_length_is_searched_once(piece: str) -> None:
    """Searched anew from each letter, this would take hours."""
    line = piece * (200_000 // len(piece))
    assert logs.redact(f"{line} ada@example.org").endswith("[address]")


@pytest.mark.parametrize(
    "line",
    [
        "GET api-video 200 12ms",
        "session_opened user=7 kind=api",
        "video 7 could not be processed: ffmpeg said: Invalid data at 0x7f, 1920x1080@60",
        "cannot remove videos/5f7f1e12-9ee0-44a2-b0c7-f2ead808def1/1/360.mp4: Permission denied",
        "token_reused user=7 session=5f7f1e12-9ee0-44a2-b0c7-f2ead808def1",
        f"request {'0123456789abcdef' * 2}",
        "follow /@ada.lovelace",
    ],
)
def test_everything_else_is_left_as_it_is(line: str) -> None:
    assert logs.redact(line) == line


def test_the_audit_log_is_kept_whatever_the_rest_is_set_to() -> None:
    made = logs.configuration(style="json", level="ERROR")
    assert made["root"]["level"] == "ERROR"
    assert made["loggers"]["audit"]["level"] == "INFO"


def test_a_format_that_does_not_exist_is_one_clear_sentence() -> None:
    with pytest.raises(Exception, match="LOG_FORMAT must be one of line, json, not 'xml'"):
        logs.configuration(style="xml", level="INFO")
