"""Notifications: signed, sent in the background, repeated until they are taken."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.cloudinary import signing

Transport = Callable[[str, bytes, dict[str, str]], int]


@dataclass
class Delivery:
    """A webhook as it was sent.

    Attributes:
        statuses: the answer to each attempt; 0 where there was none.
    """

    url: str
    body: bytes
    headers: dict[str, str]
    statuses: list[int] = field(default_factory=list)

    @property
    def payload(self) -> dict[str, Any]:
        """What it says."""
        return json.loads(self.body)


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Send a body over HTTP. Returns the status, 0 if nothing answered."""
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - a test's own address
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Webhooks:
    """Sends notifications. The attributes may be changed at any time, for the next ones.

    Attributes:
        sent: every delivery so far, in order; also those that nobody took.
        lost: swallow them.
        held: those kept back while `hold` is set, until `release`.
        copies: how often each is sent.
        delay: seconds before it is sent.
        forged: sign with another secret.
        age: seconds that its timestamp lies in the past (negative: in the future); it is
            signed properly.
        retries: seconds before each further attempt. Cloudinary's are 3, 6 and 9 minutes.
        transport: how a body gets to an URL; a test may put Django's client here.
    """

    def __init__(
        self,
        secret: str,
        algorithm: str,
        clock: Callable[[], float],
        retries: tuple[float, ...],
    ) -> None:
        self._secret = secret
        self._algorithm = algorithm
        self._clock = clock
        self._idle = threading.Condition()
        self._running = 0
        self.retries = retries
        self.transport: Transport = post
        self.sent: list[Delivery] = []
        self.held: list[Delivery] = []
        self.reset()

    def reset(self) -> None:
        """Send as one should."""
        self.lost = self.hold = self.forged = False
        self.copies = 1
        self.delay = self.age = 0.0

    def notify(self, url: str, payload: dict[str, Any]) -> None:
        """Send a notification to an URL; none is sent to an empty one."""
        if not url or self.lost:
            return
        body = json.dumps(payload).encode()
        timestamp = str(int(self._clock() - self.age))
        secret = "not-the-secret" if self.forged else self._secret
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Cloudinary",
            "X-Cld-Timestamp": timestamp,
            "X-Cld-Signature": signing.sign_notification(body, timestamp, secret, self._algorithm),
        }
        delivery = Delivery(url, body, headers)
        if self.hold:
            self.held.append(delivery)
        else:
            self._start(delivery)

    def release(self, *, backwards: bool = False) -> None:
        """Send those that were held, one after the other, in their order or backwards."""
        self.hold = False
        deliveries, self.held = self.held[:: -1 if backwards else 1], []
        for delivery in deliveries:
            self._start(delivery)
            self.wait()

    def send_again(self, delivery: Delivery) -> None:
        """Repeat one that was sent, to the letter."""
        self._start(Delivery(delivery.url, delivery.body, dict(delivery.headers)))

    def wait(self, seconds: float = 30.0) -> None:
        """Return when none is on its way.

        Raises:
            TimeoutError: some still are.
        """
        with self._idle:
            if not self._idle.wait_for(lambda: self._running == 0, seconds):
                raise TimeoutError(f"{self._running} webhooks are still on their way")

    def background(self, work: Callable[[], None]) -> None:
        """Run something in a thread that `wait` waits for."""
        with self._idle:
            self._running += 1

        def run() -> None:
            try:
                work()
            finally:
                with self._idle:
                    self._running -= 1
                    self._idle.notify_all()

        threading.Thread(target=run, daemon=True).start()

    def _start(self, delivery: Delivery) -> None:
        copies, delay = self.copies, self.delay

        def deliver() -> None:
            time.sleep(delay)
            for _ in range(copies):
                self._deliver(Delivery(delivery.url, delivery.body, delivery.headers))

        self.background(deliver)

    def _deliver(self, delivery: Delivery) -> None:
        self.sent.append(delivery)
        for pause in (0.0, *self.retries):
            time.sleep(pause)
            status = self.transport(delivery.url, delivery.body, delivery.headers)
            delivery.statuses.append(status)
            if status == 200:
                return
