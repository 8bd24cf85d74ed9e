"""Calls to an account at Cloudinary; whatever goes wrong with one is an OSError."""

import errno
import time
from collections.abc import Callable, Mapping
from typing import IO, Any

import urllib3
from cloudinary import exceptions, uploader
from cloudinary.api_client import call_api

from tiktok_clone.common import cdn
from tiktok_clone.common.storage import allowance

COPY_BYTES = 1024 * 1024
# Seconds: an answer to a call, one to a chunk of a file, the end of a silent download.
CALL_TIMEOUT = 10
UPLOAD_TIMEOUT = 120
DOWNLOAD_TIMEOUT = urllib3.Timeout(connect=5, read=30)
REACHABLE_FOR = 10
RATE_LIMIT_PAUSE = 600

# The SDK has no setting for it, and would ask again by itself, up to three times, each after as
# many seconds as a server names. Whoever asks here knows better whether to wait.
for connector in (call_api._http, uploader._http):
    connector.connection_pool_kw["retries"] = False


class StoreError(OSError):
    """Cloudinary did not do it; it may a little later.

    Args:
        retry_after: seconds to wait when it said that we ask too often.
    """

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(errno.EIO, message)
        self.retry_after = retry_after


class Account:
    """The account of a CLOUDINARY_URL. All methods raise FileNotFoundError and StoreError."""

    def __init__(self, url: str) -> None:
        if not url:
            raise StoreError("An object is in Cloudinary, but CLOUDINARY_URL is not set.")
        self.options = cdn.account(url)
        self._pool = urllib3.PoolManager(timeout=DOWNLOAD_TIMEOUT, retries=False)
        self._reachable_until = 0.0

    def ask(self, function: Callable[..., Any], *args: Any, **options: Any) -> Mapping[str, Any]:
        """Call a function of the Admin API, if this hour's allowance has one left."""
        if wait := allowance.take():
            raise StoreError("This hour's calls to Cloudinary are used up.", wait)
        return self.call(function, *args, **options)

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Mapping[str, Any]:
        """Call a function of the SDK, with the account among its options."""
        account = {key: self.options.get(key) for key in ("cloud_name", "api_key", "api_secret")}
        account |= {"upload_prefix": self.options.get("upload_prefix"), "timeout": CALL_TIMEOUT}
        try:
            answer: Mapping[str, Any] = function(*args, **{**account, **options})
        except exceptions.NotFound as error:
            raise FileNotFoundError(errno.ENOENT, "no such object", str(error)) from error
        except exceptions.RateLimited as error:
            raise StoreError(str(error), RATE_LIMIT_PAUSE) from error
        except Exception as error:
            # The SDK raises plain Exceptions too, for a page of HTML in place of an answer.
            raise StoreError(f"{type(error).__name__}: {str(error)[:200]}") from error
        return answer

    def length(self, name: str, address: str) -> int:
        """Return how many bytes are delivered at the signed address of an object."""
        return int(self._request("HEAD", name, address).headers.get("Content-Length", 0))

    def download(self, name: str, address: str, file: IO[bytes]) -> None:
        """Write what is delivered at the signed address of an object to a file."""
        answer = self._request("GET", name, address, preload_content=False)
        try:
            for piece in answer.stream(COPY_BYTES):
                file.write(piece)
        except urllib3.exceptions.HTTPError as error:
            raise StoreError(f"{name} broke off: {error}") from error
        finally:
            answer.release_conn()
        expected = answer.headers.get("Content-Length")
        if expected is not None and file.tell() != int(expected):
            raise StoreError(f"{name} came incomplete.")

    def is_reachable(self) -> bool:
        """Whether Cloudinary answers; what it said is remembered for some seconds."""
        if time.monotonic() < self._reachable_until:
            return True
        prefix = self.options.get("upload_prefix") or cdn.API
        try:
            answer = self._pool.request("HEAD", prefix)
        except urllib3.exceptions.HTTPError:
            return False
        if answer.status >= 500:
            return False
        self._reachable_until = time.monotonic() + REACHABLE_FOR
        return True

    def _request(
        self, method: str, name: str, address: str, **options: Any
    ) -> urllib3.BaseHTTPResponse:
        # Messages have the name: whoever has the address may see the object.
        try:
            answer = self._pool.request(method, address, **options)
        except urllib3.exceptions.HTTPError as error:
            raise StoreError(f"{name}: {error}") from error
        if answer.status == 404:
            answer.release_conn()
            raise FileNotFoundError(errno.ENOENT, "no such object", name)
        if answer.status != 200:
            answer.release_conn()
            raise StoreError(f"{name}: Cloudinary answered {answer.status}.")
        return answer
