"""A client of the running product that uploads clips, as forms and in pieces."""

import io
import time
from pathlib import Path
from typing import Any

import requests

BOUNDARY = "loopybenchmarkboundary"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
PERSON = {"email": "bench@example.org", "password": "correct horse battery", "handle": "bench"}


class Body(io.FileIO):
    """A file that is sent, and knows when its last byte was."""

    sent_at = 0.0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some of it; who asks again has sent what there was."""
        content = super().read(-1 if size is None else size) or b""
        if not content:
            self.sent_at = time.monotonic()
        return content


class Site:
    """A client of the running product."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = requests.Session()
        answer = self.http.post(f"{self.url}/user/signup", json=PERSON | {"name": "Bench"})
        self.http.headers["Authorization"] = f"Bearer {_checked(answer)['access']}"

    def post(self, path: Path) -> dict[str, Any]:
        """Send a file as one form."""
        return self.post_timed(path)[0]

    def post_timed(self, path: Path) -> tuple[dict[str, Any], float]:
        """Send a file as one form; also tells when its last byte had been sent."""
        form = path.with_suffix(".form")
        form.write_bytes(HEAD + path.read_bytes() + TAIL)
        with Body(form) as body:  # a file is streamed; `files=` would be held in memory
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
            answer = self.http.post(f"{self.url}/video", data=body, headers=headers)
            return _checked(answer), body.sent_at

    def post_in_pieces(self, path: Path) -> dict[str, Any]:
        """Send a file in pieces, one after the other."""
        size = path.stat().st_size
        upload = _checked(self.http.post(f"{self.url}/video/upload", json={"size": size}))
        with path.open("rb") as file:
            for start in range(0, size, upload["chunk_bytes"]):
                piece = file.read(upload["chunk_bytes"])
                span = f"bytes {start}-{start + len(piece) - 1}/{size}"
                headers = {"Content-Range": span, "X-Unique-Upload-Id": upload["id"]}
                sent = self.http.post(upload["url"], files={"file": piece}, headers=headers)
                _checked(sent)
        return _checked(self.http.post(f"{self.url}/video", data={"upload": upload["id"]}))

    def time_to_playable(self, clip: Path) -> tuple[float, float, float]:
        """Return seconds to the first rung and to all of them, and the length of the clip.

        They begin with the last byte sent, so that the checks before the answer count as well.
        """
        video, start = self.post_timed(clip)
        first = 0.0
        while True:
            video = _checked(self.http.get(f"{self.url}/videos/{video['id']}"))
            passed = time.monotonic() - start
            if video["status"] not in ("stored", "processing", "ready") or passed > 600:
                raise SystemExit(f"The clip did not get ready: {video['status']}")
            if video["status"] == "ready" and not first:
                first = passed
            if len(video["sources"]) == 4:
                return first, passed, video["duration"]
            time.sleep(0.2)  # as looking takes of the time that is measured


def _checked(answer: requests.Response) -> dict[str, Any]:
    if answer.status_code >= 300:
        raise SystemExit(f"{answer.url}: {answer.status_code} {answer.text[:300]}")
    found: dict[str, Any] = answer.json()
    return found
