"""`make run`: the whole product with one command, and nothing left behind when it stops.

Starts PostgreSQL and Redis (unless DATABASE_URL is set), prepares the database, runs the web
server and the workers, fills in demo data, and keeps all of it running until Ctrl-C or SIGTERM.
Everything it keeps is below DATA_DIR.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import environ

from tiktok_clone.embedded import (
    EmbeddedError,
    Services,
    development_secret_key,
    start_services,
)
from tiktok_clone.prepare import ADMINISTRATOR_FILE
from tiktok_clone.processes import LANES, ROOT, LaunchError, Product, worker_arguments
from tiktok_clone.servers import full_disk

MANAGE = str(ROOT / "manage.py")
READY_TIMEOUT = 60.0
WORKER_GRACE = 5
DEMO_CLIPS_BEFORE_READY = 6


class Stop(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal."""


@dataclass(frozen=True)
class Options:
    """What the environment asks for."""

    host: str
    port: int
    data_dir: Path
    demo: bool

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{self.port}"


def read_options(environment: Mapping[str, str]) -> Options:
    """HOST, PORT, DATA_DIR and DEMO from the environment; LaunchError when one makes no sense."""
    port = environment.get("PORT") or "8000"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise LaunchError(f"PORT must be a number from 1 to 65535, not {port!r}.")
    return Options(
        host=environment.get("HOST") or "127.0.0.1",
        port=int(port),
        data_dir=Path(environment.get("DATA_DIR") or ROOT / ".data").absolute(),
        demo=(environment.get("DEMO") or "1").lower() not in {"0", "no", "false", "off"},
    )


def check_port(options: Options) -> None:
    """LaunchError in one sentence when the address cannot be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise LaunchError(
            f"Cannot listen on {options.host} port {options.port} ({error.strerror});"
            f" choose another with: make run PORT={options.port + 1}"
        ) from error


def child_environment(options: Options, services: Services | None) -> dict[str, str]:
    """What the children's settings read; whatever the person set wins."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "tiktok_clone.settings.dev",
        "SITE_URL": options.url,
        "LOG_LEVEL": "WARNING",
        **(services.environment() if services else {}),
    }
    given = {name: value for name, value in os.environ.items() if value}
    return {
        "SECRET_KEY": given.get("SECRET_KEY") or development_secret_key(options.data_dir),
        **ours,
        **given,
        "DATA_DIR": str(options.data_dir),
        "PYTHONUNBUFFERED": "1",
    }


def web_command(options: Options) -> list[str]:
    """The production web server. 64 threads, since each slow reader or upload occupies one."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", options.host]
    command += ["--port", str(options.port), "--workers", "1", "--blocking-threads", "64"]
    command += ["--backlog", "1024", "--workers-kill-timeout", "8", "--respawn-failed-workers"]
    return [*command, "--no-ws", "--log-level", "error", "tiktok_clone.wsgi:application"]


def start_worker(product: Product, lane: str) -> None:
    """Start a lane's worker; when it stops it waits some seconds for its jobs."""
    product.start(lane, [sys.executable, MANAGE, *worker_arguments(lane, WORKER_GRACE)])


def wait_until_ready(options: Options, web: subprocess.Popen[bytes]) -> None:
    """Return when /healthz answers."""
    deadline = time.monotonic() + READY_TIMEOUT
    while time.monotonic() < deadline:
        if web.poll() is not None:
            raise LaunchError("The web server ended; its messages are above.")
        connection = http.client.HTTPConnection(options.url.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise LaunchError("The web server does not answer.")


def launch(options: Options, product: Product) -> None:
    """Start everything, in order, and tell how to use it."""
    say("Preparing the database …")
    product.run("Preparation", [sys.executable, "-m", "tiktok_clone.prepare"])
    # It has children of its own, which it ends when asked.
    web = product.start("web", web_command(options), signal.SIGTERM)
    for lane in LANES:
        start_worker(product, lane)
    # Meanwhile the web server starts.
    with_demo = options.demo and seed_demo(product)
    wait_until_ready(options, web)
    announce(options, with_demo=with_demo)


def seed_demo(product: Product) -> bool:
    """Fill in demo data until the first clips are ready; the product runs without as well."""
    command = [sys.executable, MANAGE, "seed_demo", "--ready", str(DEMO_CLIPS_BEFORE_READY)]
    try:
        product.run("Demo data", command)
    except LaunchError as error:
        say(f"{error} Going on without.")
        return False
    return True


def announce(options: Options, *, with_demo: bool) -> None:
    """Print the address and the logins."""
    say("", f"  Ready:          {options.url}")
    if with_demo:
        from feeds.demo.people import DEMO_EMAIL, DEMO_PASSWORD

        say(f"  Demo login:     {DEMO_EMAIL}  password: {DEMO_PASSWORD}")
    login = options.data_dir / ADMINISTRATOR_FILE
    if login.exists():
        administrator = json.loads(login.read_text())
        address = f"{options.url}/{os.environ.get('ADMIN_PATH', 'admin/').lstrip('/')}"
        say(f"  Administrator:  {administrator['email']}  password: {administrator['password']}")
        say(f"                  {address}")
    say("", "  Ctrl-C stops everything.", "")


def supervise(product: Product, data_dir: Path) -> None:
    """Keep the workers and the services running; LaunchError when the web server ends."""
    while True:
        time.sleep(0.5)
        if product.children["web"].poll() is not None:
            raise LaunchError("The web server ended; its messages are above.")
        for name in product.services.revive() if product.services else []:
            say(f"{name} ended and was started again. {full_disk(data_dir)}".rstrip())
            time.sleep(1)
        for lane in LANES:
            if product.children[lane].poll() is not None:
                # It ends when PostgreSQL restarts; until that answers, it is tried again and again.
                say(f"The worker ({lane}) ended and is started again.")
                time.sleep(1)
                start_worker(product, lane)


def say(*lines: str) -> None:
    """Print for the person at the terminal."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stop


def run(product: Product) -> None:
    """Start everything and keep it running; returns only by an exception."""
    environ.Env.read_env(ROOT / ".env")
    options = read_options(os.environ)
    check_port(options)
    options.data_dir.mkdir(parents=True, exist_ok=True)
    if not os.environ.get("DATABASE_URL"):
        product.services = start_services(options.data_dir)
        say(*product.services.note.splitlines())
    product.environment.update(child_environment(options, product.services))
    launch(options, product)
    supervise(product, options.data_dir)


def main() -> int:
    """Run until told to stop; the exit code is 0 then, 1 after a failure."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    product = Product()
    try:
        for number in signals:
            signal.signal(number, _stop)
        run(product)
    except Stop:
        say("Stopping …")
        return 0
    except (LaunchError, EmbeddedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        # What we write ourselves is the secret key, logs, and addresses: no room for any of them.
        sys.stderr.write(f"Cannot go on: {error}\n")
        return 1
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        product.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
