"""What notifications cost: bringing a clip to many bells, liking meanwhile, and asking for news.

    python -m tests.benchmarks.notifications --bells 100000

Starts the product on scratch data and measures over HTTP:

- rows a second of the jobs that tell the listeners of a new clip;
- the 95th percentile of a like, alone and while these jobs run;
- answers a second to a page that asks for news and hears of none (304), against a view that
  returns a constant to whoever is signed in, by the session cookie and by an access token.
"""

import argparse
import http.client
import os
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.benchmarks.running import started, use_database_of

SETTINGS = "tests.benchmarks.notifications_settings"
FANS = 60
CLIPS = 20
LIKERS = 2  # threads
ASKERS = 8
ALONE_SECONDS = 20.0
ASKED_SECONDS = 8.0
ROUNDS = 3


def main() -> None:
    """Start the product, fill it, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bells", type=int, default=100_000)
    bells = parser.parse_args().bells
    with (
        tempfile.TemporaryDirectory(prefix="loopy-notifications-") as folder,
        started(Path(folder), DJANGO_SETTINGS_MODULE=SETTINGS, DEMO="0") as (port, _),
    ):
        use_database_of(Path(folder), DJANGO_SETTINGS_MODULE=SETTINGS, LOG_LEVEL="WARNING")
        print(f"load: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
        _measure_bells(port, bells)
        _measure_news(port)


# Bells, and likes meanwhile.


def _measure_bells(port: int, bells: int) -> None:
    from feeds.models import Kind, Notification
    from feeds.tasks import ring_bells
    from tests.factories import UserFactory, VideoFactory
    from tiktok_clone.common import jobs

    author = UserFactory()
    clips = [VideoFactory(author=author) for _ in range(CLIPS)]
    tokens = [_token(UserFactory()) for _ in range(FANS)]
    _add_listeners(author.pk, bells)
    requests = _likes([clip.pk for clip in clips], tokens)
    told = Notification.objects.filter(kind=Kind.NEW_VIDEO)

    with _liking(port, requests) as before:
        time.sleep(ALONE_SECONDS)
    with _liking(port, requests) as meanwhile:
        began = time.monotonic()
        jobs.enqueue(ring_bells, video_id=clips[0].pk)
        while told.count() < bells:
            time.sleep(0.2)
        seconds = time.monotonic() - began
    with _liking(port, requests) as after:
        time.sleep(ALONE_SECONDS / 2)

    alone, busy = _p95(before + after), _p95(meanwhile)
    print(f"{bells} bells in {seconds:.1f} s, with likes meanwhile: {bells / seconds:.0f} rows/s")
    print(f"a like, p95 of {len(before) + len(after)} alone: {alone:.1f} ms")
    print(f"a like, p95 of {len(meanwhile)} meanwhile: {busy:.1f} ms, ratio {busy / alone:.2f}\n")


def _add_listeners(author: int, total: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_LISTENERS, {"total": total, "author": author})
        cursor.execute("ANALYZE")


def _likes(clips: list[int], tokens: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield method, path and token: all fans like a clip, all take it back, then the next clip."""
    for number in count():
        fan, turn = number % len(tokens), number // len(tokens)
        clip, method = clips[turn // 2 % len(clips)], ("POST", "DELETE")[turn % 2]
        yield method, f"/videos/{clip}/like", tokens[fan]


@contextmanager
def _liking(port: int, requests: Iterator[tuple[str, str, str]]) -> Iterator[list[float]]:
    """Have some threads like one clip after the other; collects the seconds of each like."""
    done, lock, times = threading.Event(), threading.Lock(), []  # type: ignore[var-annotated]

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while not done.is_set():
            with lock:
                method, path, token = next(requests)
            began = time.perf_counter()
            connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"{method} {path} answered {answer.status}")
            if method == "POST":
                times.append(time.perf_counter() - began)

    with ThreadPoolExecutor(LIKERS) as pool:
        working = [pool.submit(work) for _ in range(LIKERS)]
        try:
            yield times
        finally:
            done.set()
        for one in working:
            one.result()


# News.


def _measure_news(port: int) -> None:
    from django.test import Client

    from accounts.api.tokens import poll_token
    from accounts.models import Session
    from tests.factories import UserFactory

    user = UserFactory()
    browser = Client()
    browser.force_login(user)
    token = poll_token(user, str(Session.objects.get(user=user).pk))
    bearer = {"Authorization": f"Bearer {token}"}
    path = "/notifications/unread-count"
    status, tag = _get(port, path, bearer)
    assert status == 200
    known = bearer | {"If-None-Match": tag}
    assert _get(port, path, known)[0] == 304
    kinds: dict[str, tuple[str, Mapping[str, str]]] = {
        "news, none (304)": (path, known),
        "a constant, by cookie": (
            "/constant",
            {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"},
        ),
        "a constant, by token": ("/constant", {"Authorization": f"Bearer {_token(user)}"}),
    }
    rates: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, (asked, headers) in kinds.items():
            rates[name].append(_rate(port, asked, headers))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, median in medians.items():
        ratio = medians["news, none (304)"] / median
        print(f"{name:24}{median:9.0f} answers/s   news against it: {ratio:.2f}")


def _rate(port: int, path: str, headers: Mapping[str, str]) -> float:
    """Answers a second to some threads that ask without a pause."""
    end = time.monotonic() + ASKED_SECONDS

    def work() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        answered, sent = 0, dict(headers)
        while time.monotonic() < end:
            connection.request("GET", path, headers=sent)
            answer = connection.getresponse()
            answer.read()
            if "If-None-Match" in sent:  # as a page does: versions end with a generation, too
                sent["If-None-Match"] = answer.headers["ETag"]
            if answer.status not in (200, 304):
                raise SystemExit(f"{path} answered {answer.status}")
            answered += 1
        return answered

    with ThreadPoolExecutor(ASKERS) as pool:
        asked: list[Callable[[], int]] = [work] * ASKERS
        return sum(pool.map(lambda one: one(), asked)) / ASKED_SECONDS


def _get(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers=dict(headers))
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get("ETag", "")


def _token(user: Any) -> str:
    from accounts.api.tokens import token_pair
    from accounts.models import Session

    session = Session.objects.create(user=user, kind=Session.Kind.API, token_id=uuid.uuid4())
    return token_pair(session)["access"]


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1000


_LISTENERS = """
WITH people AS (
    INSERT INTO accounts_user (password, is_superuser, created_at, email, handle, name, bio,
        avatar, is_private, findable_by_email, is_active, is_staff, followers_count,
        following_count, videos_count, likes_count)
    SELECT '!', false, now(), 'l' || n || '@example.org', 'l' || n, 'Listener ' || n, '', '',
        false, true, true, false, 0, 1, 0, 0
    FROM generate_series(1, %(total)s) AS n
    RETURNING id
), follows AS (
    INSERT INTO accounts_follow (created_at, follower_id, followee_id)
    SELECT now(), id, %(author)s FROM people
)
INSERT INTO feeds_bell (created_at, listener_id, creator_id)
SELECT now(), id, %(author)s FROM people
"""

if __name__ == "__main__":
    main()
