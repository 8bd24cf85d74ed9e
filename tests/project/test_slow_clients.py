"""A real web server with slow readers and slow uploads: everybody else is still served."""

import contextlib
import http.client
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiktok_clone.launch import Options, wait_until_ready, web_command

ROOT = Path(__file__).resolve().parents[2]
SLOW_READERS = 40
SLOW_UPLOADS = 10
# Far more than all the buffers between the server and a reader that does not read.
BIG = 48 * 1024 * 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Options]:
    """The web server of `make run`, with one big file to read slowly."""
    static = tmp_path / "static"
    static.mkdir()
    with (static / "big.bin").open("wb") as big:
        big.truncate(BIG)
    options = Options("127.0.0.1", free_port(), tmp_path, demo=False)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tiktok_clone.settings.dev",
        "DATA_DIR": str(tmp_path),
        "STATIC_ROOT": str(static),
        "LOG_LEVEL": "ERROR",
    }
    web = subprocess.Popen(web_command(options), cwd=ROOT, env=environment)
    try:
        wait_until_ready(options, web)
        yield options
    finally:
        web.terminate()
        try:
            web.wait(20)
        except subprocess.TimeoutExpired:
            web.kill()
            web.wait()


def slow_reader(port: int) -> socket.socket:
    """Ask for the big file and read only the beginning of the answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /static/big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    return client


def slow_upload(port: int) -> socket.socket:
    """Begin to post a large form, and stop after its first part."""
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(
        b"POST /signin HTTP/1.1\r\nHost: localhost\r\n"
        b"Cookie: csrftoken=" + b"a" * 32 + b"\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: 50000000\r\n\r\n"
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nabc'
    )
    return client


def ping(port: int) -> None:
    """Ask for /healthz; TimeoutError after five seconds, which a busy machine does not take."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200


def has_an_answer(client: socket.socket) -> bool:
    client.settimeout(0.01)
    try:
        client.recv(1)
    except TimeoutError:
        return False
    return True


def test_forty_slow_readers_and_ten_slow_uploads_leave_the_site_answering(server: Options) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(SLOW_READERS):
            held.enter_context(slow_reader(server.port))
        uploads = [held.enter_context(slow_upload(server.port)) for _ in range(SLOW_UPLOADS)]
        for _ in range(20):
            ping(server.port)
        assert not any(has_an_answer(upload) for upload in uploads), "the uploads were not held"
