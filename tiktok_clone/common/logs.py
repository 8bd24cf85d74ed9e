"""Log lines: what request each belongs to, as text or JSON, and without secrets.

A request's id is answered in X-Request-ID, stands in every line that the request causes, and goes
along with the jobs that it enqueues, so that one search finds all of it.
"""

import contextlib
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from pythonjsonlogger.json import JsonFormatter

STYLES = ("line", "json")
NO_REQUEST = "-"
# What a proxy in front may send; anything else is replaced, since it ends up in our log.
SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
# The name under which a job carries the id; the task itself does not get it.
JOB_ARGUMENT = "_request_id"

_current: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)
_jobs = logging.getLogger("jobs")

SECRETS = (
    # E-mail addresses, in URLs as well. Runs have bounds: a line may be what somebody sent us,
    # and to search a long one from each of its letters would hold the process up.
    (
        re.compile(r"[^\s\"'<>()\[\]{}/:;,=?&\\@]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
        "[address]",
    ),
    # Tokens of the API, signed values, links to reset a password.
    (re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"), "[token]"),
    (re.compile(r"(?<![\w.:-])[\w.:-]{0,300}[.:][\w-]{43}(?![\w-])"), "[token]"),
    (re.compile(r"\b[0-9a-z]{6,8}-[0-9a-f]{32,64}\b"), "[token]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 [token]"),
    # Passwords in addresses of services, and whatever is called a secret.
    (re.compile(r"(://[^\s:/@]*):[^\s@/]+@"), r"\1:[secret]@"),
    (
        re.compile(
            r"(?i)\b((?:[a-z]+_)?(?:password|passwd|secret|token|csrftoken|sessionid|api_key))"
            r"([\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]+"
        ),
        r"\1\2[secret]",
    ),
)


def redact(text: str) -> str:
    """Replace e-mail addresses, tokens and passwords, whoever wrote them into the line."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


def current_id() -> str:
    """The id of the request, or of the request that caused the job, that runs now; or `-`."""
    return _current.get()


def sane_id(given: str) -> str:
    """Return the id that a proxy gave, or a new one where it is not fit for a log."""
    return given if SANE_ID.fullmatch(given) else uuid.uuid4().hex


@contextlib.contextmanager
def belonging_to(request_id: str) -> Iterator[None]:
    """Have the lines within the block carry this id."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)


class RequestIdFilter(logging.Filter):
    """Gives every record its `request_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything pass."""
        record.request_id = current_id()
        return True


class LineFormatter(logging.Formatter):
    """One line of text."""

    def format(self, record: logging.LogRecord) -> str:
        """Without secrets."""
        return redact(super().format(record))


class JsonLineFormatter(JsonFormatter):
    """One JSON object a line: time, level, logger, message, request_id, and what was added."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}{request_id}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            json_ensure_ascii=False,
        )

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Put the time first; leave out objects that libraries attach to their records."""
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        super().add_fields(log_data, record, message_dict)
        for name in [name for name, value in log_data.items() if not _is_plain(value)]:
            del log_data[name]

    def format(self, record: logging.LogRecord) -> str:
        """Without secrets."""
        return redact(super().format(record))


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


async def log_job(call_next: Callable[[], Awaitable[Any]], context: Any, worker: Any) -> Any:
    """Procrastinate's middleware: lines carry the request's id; one line tells of the job's end.

    What the job is about is not in it: the administration shows that.
    """
    request_id = context.job.task_kwargs.pop(JOB_ARGUMENT, NO_REQUEST)
    with belonging_to(request_id):
        began = time.monotonic()
        try:
            result = await call_next()
        except Exception:
            # A worker that is told to stop ends its ffmpeg; the job is tried again at next start.
            stopping = getattr(worker, "_stop_event", None)
            is_stopping = stopping is not None and stopping.is_set()
            _log_end(context.job, began, "interrupted" if is_stopping else "failed")
            raise
        _log_end(context.job, began, "ok")
        return result


def _log_end(job: Any, began: float, status: str) -> None:
    facts = {
        "job": job.id,
        "task": job.task_name.rpartition(".")[2],
        "queue": job.queue,
        "attempt": job.attempts + 1,
        "status": status,
        "ms": round((time.monotonic() - began) * 1000),
    }
    # Procrastinate tells the reason only of the last attempt.
    failed = status == "failed"
    level = logging.WARNING if failed else logging.INFO
    _jobs.log(level, "%(task)s %(status)s %(ms)sms", facts, extra=facts, exc_info=failed)


def job_arguments() -> dict[str, str]:
    """What a job that is enqueued now carries along."""
    request_id = current_id()
    return {} if request_id == NO_REQUEST else {JOB_ARGUMENT: request_id}


def configuration(*, style: str, level: str, audit_level: str = "INFO") -> dict[str, Any]:
    """Django's LOGGING.

    Args:
        style: `line` or `json`.
        level: the least that is logged.
        audit_level: the same for the audit log, which has a logger of its own.
    """
    if style not in STYLES:
        raise ImproperlyConfigured(f"LOG_FORMAT must be one of {', '.join(STYLES)}, not {style!r}.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}},
        "formatters": {
            "line": {
                "()": LineFormatter,
                "format": "{asctime} {levelname} {name} [{request_id}] {message}",
                "style": "{",
            },
            "json": {"()": JsonLineFormatter},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "filters": ["request_id"],
                "formatter": style,
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Who signed in, was refused, or moderated: kept whatever the rest is set to.
            "audit": {"level": audit_level},
            # The access line tells of what was not found or not allowed.
            "django.request": {"level": "ERROR"},
            # At INFO it tells of every task that it learns of, in every process.
            "procrastinate": {"level": "WARNING"},
        },
    }
