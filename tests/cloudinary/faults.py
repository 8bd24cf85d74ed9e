"""What goes wrong on purpose, where, and how often."""

import threading
from dataclasses import asdict, dataclass
from typing import Any

from werkzeug import Response

from tests.cloudinary.refusals import RefusalError

HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
FOREVER = 10**9


@dataclass
class Fault:
    """Something that happens to a request, before it is carried out or after.

    Attributes:
        on: the operation: "upload", "part", "explicit", "destroy", "ping", "usage",
            "resources", "resource", "delete", "deliver" or "*".
        after: it happens when the request was carried out, in place of the answer.
        seconds: how long it takes before anything else happens.
        drop: the connection is closed without an answer.
        status: this answer is given; None lets the request go on.
        html: the answer is a page of a proxy, not JSON.
        retry_after: seconds, for the header of that name.
        times: how often it happens.
        skip: so many are let through before.
    """

    on: str
    after: bool = False
    seconds: float = 0.0
    drop: bool = False
    status: int | None = None
    html: bool = False
    message: str = "General Error"
    retry_after: int | None = None
    times: int = 1
    skip: int = 0


class Faults:
    """The faults of an emulator. All methods may be called while it serves.

    Attributes:
        nameless_acknowledgements: parts of an upload are acknowledged without a public id.
        damaged_parts: so many parts of an upload arrive with one other bit.
        truncated_deliveries: so many deliveries answer 200 with half of the file.
        lost_derivations: so often renditions are promised for later and never made.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._stopped = threading.Event()
        self.nameless_acknowledgements = False
        self.damaged_parts = self.truncated_deliveries = self.lost_derivations = 0

    def refuse(
        self, on: str, status: int, *, retry_after: int | None = None, times: int = 1
    ) -> None:
        """Answer with an error and do nothing."""
        self.add(Fault(on, status=status, retry_after=retry_after, times=times))

    def refuse_after(self, on: str, status: int, *, times: int = 1) -> None:
        """Carry the request out and answer with an error."""
        self.add(Fault(on, after=True, status=status, times=times))

    def limit(
        self,
        on: str,
        status: int = 420,
        *,
        retry_after: int | None = None,
        times: int = 1,
        skip: int = 0,
    ) -> None:
        """Answer that too many requests came."""
        message = "Rate Limit Exceeded. Limit of 500 api operations reached."
        self.add(
            Fault(
                on, status=status, retry_after=retry_after, message=message, times=times, skip=skip
            )
        )

    def page(self, on: str, status: int = 502, *, times: int = 1) -> None:
        """Answer with an HTML page."""
        self.add(Fault(on, status=status, html=True, times=times))

    def drop_before(self, on: str, *, times: int = 1) -> None:
        """Close the connection and do nothing."""
        self.add(Fault(on, drop=True, times=times))

    def drop_after(self, on: str, *, times: int = 1) -> None:
        """Carry the request out and close the connection without an answer."""
        self.add(Fault(on, after=True, drop=True, times=times))

    def hang_after(self, on: str, seconds: float = 600.0, *, times: int = 1) -> None:
        """Carry the request out, say nothing for long, then close the connection."""
        self.add(Fault(on, after=True, seconds=seconds, drop=True, times=times))

    def slow(self, on: str, seconds: float, *, times: int = 1) -> None:
        """Answer as always, but late."""
        self.add(Fault(on, seconds=seconds, times=times))

    def add(self, fault: Fault) -> None:
        """Let a fault happen to the next requests that it is meant for."""
        with self._lock:
            self._faults.append(fault)

    def reset(self) -> None:
        """No faults any more; requests that hang go on."""
        with self._lock:
            self._faults.clear()
        self.nameless_acknowledgements = False
        self.damaged_parts = self.truncated_deliveries = self.lost_derivations = 0
        self._stopped.set()
        self._stopped = threading.Event()

    def pending(self) -> list[dict[str, Any]]:
        """The faults that have not happened yet."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def strike(self, operation: str, *, after: bool) -> Response | None:
        """Let what is due happen.

        Returns:
            The answer to give, or None to go on.

        Raises:
            ConnectionAbortedError: the connection is to be closed.
            RefusalError: the error to answer with.
        """
        fault = self._take(operation, after)
        if fault is None:
            return None
        self._stopped.wait(fault.seconds)
        if fault.drop:
            raise ConnectionAbortedError
        if fault.status is None:
            return None
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if fault.html:
            return Response(HTML, fault.status, headers, mimetype="text/html")
        raise RefusalError(fault.status, fault.message, headers)

    def _take(self, operation: str, after: bool) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.on in (operation, "*") and fault.after == after:
                    if fault.skip > 0:
                        fault.skip -= 1
                        return None
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None
