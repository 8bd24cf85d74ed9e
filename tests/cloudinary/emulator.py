"""The server: Cloudinary's addresses, and what is done when they are asked."""

import logging
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.cloudinary import admin, delivery, signing, uploading
from tests.cloudinary.faults import Fault, Faults
from tests.cloudinary.library import Library, shelf
from tests.cloudinary.refusals import RefusalError, invalid, missing
from tests.cloudinary.webhooks import Webhooks

SECRET = "abcd"
SIGNATURE_SECONDS = 3600
HOUR = 3600
TYPES = ("upload", "authenticated")
POLL_SECONDS = 0.02  # how soon it stops
API = "/v1_1/<cloud>"
ROUTES = Map(
    [
        Rule(f"{API}/ping", endpoint="ping", methods=["GET"]),
        Rule(f"{API}/usage", endpoint="usage", methods=["GET"]),
        Rule(f"{API}/resources/<kind>", endpoint="resources", methods=["GET"]),
        Rule(f"{API}/resources/<kind>/<type>", endpoint="resources", methods=["GET"]),
        Rule(f"{API}/resources/<kind>/<type>", endpoint="delete", methods=["DELETE"]),
        Rule(
            f"{API}/resources/<kind>/<type>/<path:public_id>", endpoint="resource", methods=["GET"]
        ),
        Rule(f"{API}/<kind>/upload", endpoint="upload", methods=["POST"]),
        Rule(f"{API}/<kind>/explicit", endpoint="explicit", methods=["POST"]),
        Rule(f"{API}/<kind>/destroy", endpoint="destroy", methods=["POST"]),
        Rule("/_emulator", endpoint="control", methods=["GET", "POST"]),
        Rule(
            "/<cloud>/<kind>/<any(upload, authenticated):type>/<path:path>",
            endpoint="deliver",
            methods=["GET"],
        ),
    ],
    merge_slashes=False,
)
ADMIN = {
    "ping": admin.ping,
    "usage": admin.usage,
    "resources": admin.resources,
    "resource": admin.resource,
    "delete": admin.delete,
}
UPLOADING = {
    "upload": uploading.upload,
    "explicit": uploading.explicit,
    "destroy": uploading.destroy,
}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Range, X-Unique-Upload-Id, X-Requested-With, Range",
    "Access-Control-Expose-Headers": "X-Cld-Error, Content-Range",
}


class Quiet(WSGIRequestHandler):
    """Serves without a log; what was asked is in `Emulator.calls`."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Only errors of the emulator itself are worth a line."""
        if type == "error":
            logging.getLogger(__name__).error(message, *args)

    def connection_dropped(
        self, error: BaseException, environ: dict[str, Any] | None = None
    ) -> None:
        """A fault closes the connection; without this the next request would be waited for."""
        self.close_connection = True


class Emulator:
    """One cloud. A context manager: it serves while it is entered.

    Args:
        cloud, key, secret: who may do what.
        port: 0 for any that is free.
        folder: where files go; a temporary folder by default.
        fake: copy originals instead of transcoding.
        algorithm: of signatures: "sha256" takes and makes only those; by default both are
            taken and SHA-1 made.
        chunk_min: the fewest bytes of a part that is not the last.
        request_max: the most bytes of a file in one request.
        rate_limit: calls of the Admin API in an hour.
        retries: seconds before each further attempt at a webhook.
        clock: the time, in seconds since 1970.
    """

    def __init__(
        self,
        *,
        cloud: str = "demo",
        key: str = "1234",
        secret: str = SECRET,
        port: int = 0,
        folder: Path | None = None,
        fake: bool = False,
        algorithm: str | None = None,
        chunk_min: int = 5 * 2**20,
        request_max: int = 100_000_000,
        rate_limit: int = 500,
        retries: tuple[float, ...] = (0.1, 0.2, 0.3),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.cloud, self.key, self.secret = cloud, key, secret
        self.algorithm = algorithm
        self.chunk_min = chunk_min
        self.request_max = request_max
        self.rate_limit = rate_limit
        self.clock = clock
        self.calls: list[str] = []
        self.faults = Faults()
        self.webhooks = Webhooks(secret, algorithm or "sha1", self.now, retries)
        self._temporary = tempfile.TemporaryDirectory(prefix="cloudinary-")
        self.library = Library(folder or Path(self._temporary.name), self.now, fake=fake)
        self._admin_calls = 0
        self._server = make_server("127.0.0.1", port, self, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True
        )
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The CLOUDINARY_URL; `cname` makes the SDK build delivery URLs that lead here."""
        prefix = f"upload_prefix={self.origin}&cname={urlsplit(self.origin).netloc}"
        return f"cloudinary://{self.key}:{self.secret}@{self.cloud}?{prefix}"

    def now(self) -> float:
        """The time, in seconds since 1970."""
        return self.clock()

    def wait(self) -> None:
        """Return when renditions are made and webhooks sent."""
        self.webhooks.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.faults.reset()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._temporary.cleanup()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """The WSGI application."""
        request = FileRequest(environ)
        request.folder = self.library.incoming
        request.max_content_length = self.request_max + 2**20
        try:
            response = self._answer(request)
        except RefusalError as refusal:
            response = refusal.response()
        except HTTPException as error:
            message = f"{error.name}: {request.path}"
            response = RefusalError(error.code or 500, message).response()
        response.headers.setdefault("X-Request-Id", secrets.token_hex(16))
        response.headers.update(CORS)
        return response(environ, start_response)

    def _answer(self, request: "FileRequest") -> Response:
        if request.method == "OPTIONS":
            return Response(status=200)
        endpoint, values = ROUTES.bind_to_environ(request.environ).match()
        if endpoint == "control":
            return self._control(request)
        files = list(request.files.values())  # all of the request has come before anything happens
        operation = uploading.operation(endpoint, request)
        self.calls.append(operation)
        try:
            early = self.faults.strike(operation, after=False)
            if early is not None:
                return early
            response = self._carry_out(endpoint, request, values)
            return self.faults.strike(operation, after=True) or response
        finally:
            request.close()
            for file in files:
                Path(file.stream.name).unlink(missing_ok=True)

    def _carry_out(self, endpoint: str, request: "FileRequest", values: dict[str, str]) -> Response:
        if values.pop("cloud") != self.cloud:
            raise RefusalError(401, f"Invalid cloud_name {request.path.split('/')[2]}")
        if "kind" in values:
            values["kind"] = shelf(values["kind"], values.pop("type", "upload"))
        if endpoint == "deliver":
            return delivery.deliver(self, request, **values)
        if endpoint in ADMIN:
            self._check_basic(request)
            headers = self._count()
            response = ADMIN[endpoint](self, request, **values)
            response.headers.update(headers)
            return response
        parameters = self._checked(request)
        kind = shelf(values["kind"], parameters.get("type", "upload"))
        return UPLOADING[endpoint](self, request, parameters, kind)

    def _check_basic(self, request: Request) -> None:
        given = request.authorization
        if given is None or given.type != "basic":
            raise RefusalError(401, "Authorization required")
        if given.username != self.key:
            raise RefusalError(401, f"Unknown API key {given.username}")
        if given.password != self.secret:
            raise RefusalError(401, "Invalid api_secret")

    def _checked(self, request: Request) -> dict[str, str]:
        """The parameters of an upload call, whose sender is who it says."""
        parameters = parameters_of(request)
        if parameters.get("type", "upload") not in TYPES:
            raise RefusalError(501, f"The emulator knows the types {', '.join(TYPES)}")
        if request.authorization is not None:
            self._check_basic(request)
            return parameters
        if not parameters.get("signature"):
            raise RefusalError(400, "Upload preset must be specified when using unsigned upload")
        for name in ("api_key", "timestamp"):
            if not parameters.get(name):
                raise missing(name)
        if parameters["api_key"] != self.key:
            raise RefusalError(401, f"Unknown API key {parameters['api_key']}")
        self._check_age(parameters["timestamp"])
        self._check_signature(parameters)
        return parameters

    def _check_age(self, timestamp: str) -> None:
        if not timestamp.isdigit():
            raise invalid("timestamp", timestamp)
        if self.now() - int(timestamp) > SIGNATURE_SECONDS:
            told = time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime(int(timestamp)))
            raise RefusalError(
                400, f"Stale request - reported time is {told} which is more than 1 hour ago"
            )

    def _check_signature(self, parameters: dict[str, str]) -> None:
        signed = {k: v for k, v in parameters.items() if k not in signing.UNSIGNED}
        given = parameters["signature"]
        if not signing.is_signed(signed, given, self.secret, self.algorithm):
            text = signing.string_to_sign(signed)
            raise RefusalError(401, f"Invalid Signature {given}. String to sign - '{text}'.")

    def _count(self) -> dict[str, str]:
        """Count a call of the Admin API. Returns the headers that tell how many are left."""
        reset = (int(self.now()) // HOUR + 1) * HOUR
        self._admin_calls += 1
        left = self.rate_limit - self._admin_calls
        headers = {
            "X-FeatureRateLimit-Limit": str(self.rate_limit),
            "X-FeatureRateLimit-Remaining": str(max(0, left)),
            "X-FeatureRateLimit-Reset": formatdate(reset, usegmt=True),
        }
        if left < 0:
            until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(reset))
            limit = f"Rate Limit Exceeded. Limit of {self.rate_limit} api operations reached."
            raise RefusalError(420, f"{limit} Try again on {until}", headers)
        return headers

    def _control(self, request: Request) -> Response:
        if request.method == "POST":
            self._turn(request.get_json())
        return admin.json_response(
            {
                "calls": self.calls,
                "assets": [admin.described(self, asset) for asset in self.library],
                "faults": self.faults.pending(),
                "webhooks": [
                    {"url": sent.url, "payload": sent.payload, "statuses": sent.statuses}
                    for sent in self.webhooks.sent
                ],
            }
        )

    def _turn(self, order: dict[str, Any]) -> None:
        """Do what a process of its own asks for: see the package's docstring."""
        if order.get("reset"):
            self.faults.reset()
            self.webhooks.reset()
        if "fault" in order:
            arguments = {k: v for k, v in order.items() if k != "fault"}
            if order["fault"] == "add":
                self.faults.add(Fault(**arguments))
            else:
                getattr(self.faults, order["fault"])(**arguments)
        for name in (
            "nameless_acknowledgements",
            "damaged_parts",
            "truncated_deliveries",
            "lost_derivations",
        ):
            setattr(self.faults, name, order.get(name, getattr(self.faults, name)))
        if "stale_listing" in order:
            self.library.freeze_listing() if order["stale_listing"] else self.library.thaw_listing()
        for name, value in order.get("webhooks", {}).items():
            setattr(self.webhooks, name, value)
        if "release" in order:
            self.webhooks.release(backwards=order["release"] == "reversed")


class FileRequest(Request):
    """A request whose files go straight to the disk, whatever their size."""

    folder: Path

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return tempfile.NamedTemporaryFile("w+b", dir=self.folder, delete=False)


def parameters_of(request: Request) -> dict[str, str]:
    """The fields of a form; lists ("public_ids[]") become comma-separated."""
    return {name.removesuffix("[]"): ",".join(values) for name, values in request.form.lists()}
