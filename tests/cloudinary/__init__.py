"""An emulator of Cloudinary: a real HTTP server that its unchanged SDK talks to.

In a test, ask for the fixture `cloudinary_emulator`, which starts one on a port of its own and
sets CLOUDINARY_URL; or start one with other options::

    with Emulator(fake=True, chunk_min=1) as emulator:
        monkeypatch.setenv("CLOUDINARY_URL", emulator.url)

By hand, for trying the product: `python -m tests.cloudinary --port 9500` prints the
CLOUDINARY_URL to give to it.

Options of `Emulator`: `fake` copies the original where Cloudinary would transcode; `algorithm`
("sha256" takes only that); `chunk_min` (smallest part of a chunked upload), `request_max` (bytes
of one request), `rate_limit` (calls of the Admin API an hour), `clock`, `retries` (seconds
between the attempts of a webhook).

What a test looks at and turns:

- `emulator.calls`: the operations so far, such as ["upload", "resource"]; "part" is a part of a
  chunked upload that was not its last. `emulator.library`: the assets.
- `emulator.faults`: what goes wrong next, and how often (see `faults.Faults`).
- `emulator.webhooks`: what was sent, and what happens to the next (see `webhooks.Webhooks`);
  `emulator.wait()` returns when all that runs in the background is done.
- Over HTTP, for a process of its own: GET /_emulator shows all of this; POST /_emulator with
  JSON such as {"fault": "refuse", "on": "upload", "status": 503, "retry_after": 2},
  {"webhooks": {"delay": 3, "copies": 2}}, {"release": "reversed"} or {"reset": true}.

Known: upload (whole, in parts, signed or with basic authentication), explicit, destroy; the
Admin API's ping, usage, resources, resource, delete; delivery with ranges, of originals, eager
and on-the-fly renditions; a CDN that keeps what was delivered until it is invalidated; webhooks
for upload, eager and delete. Not known: search, presets, moderation, streaming profiles,
uploading from an URL. What Cloudinary's documentation leaves open is marked "Assumed".
"""

from tests.cloudinary.emulator import Emulator

__all__ = ["Emulator"]
