"""Webhooks: what they say, how they are signed, and all that can happen to them."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cloudinary
import pytest
from cloudinary import uploader

from tests.cloudinary import Emulator, transformations
from tests.cloudinary.webhooks import Delivery
from tests.videos.clips import clip


class Receiver:
    """A site that takes webhooks; `says` are its answers, then 200."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, dict[str, str]]] = []
        self.says: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.taken.append((body, dict(self.headers.items())))
                self.send_response(receiver.says.pop(0) if receiver.says else 200)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    site = Receiver()
    threading.Thread(target=site.server.serve_forever, args=(0.02,), daemon=True).start()
    yield site
    site.server.shutdown()
    site.server.server_close()


def upload(public_id: str = "videos/one", **options: Any) -> dict[str, Any]:
    return uploader.upload(str(clip()), resource_type="video", public_id=public_id, **options)


def verified(delivery: Delivery, **options: Any) -> bool:
    return cloudinary.utils.verify_notification_signature(
        delivery.body.decode(),
        delivery.headers["X-Cld-Timestamp"],
        delivery.headers["X-Cld-Signature"],
        **options,
    )


def sent_by(emulator: Emulator) -> list[Delivery]:
    return emulator.webhooks.sent


def kinds(emulator: Emulator) -> list[str]:
    return [delivery.payload["notification_type"] for delivery in emulator.webhooks.sent]


def test_an_upload_is_told(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    answer = upload(notification_url=receiver.url)
    cloudinary_emulator.wait()
    (sent,) = cloudinary_emulator.webhooks.sent
    ((body, headers),) = receiver.taken
    assert body == sent.body
    assert headers["X-Cld-Signature"] == sent.headers["X-Cld-Signature"]
    assert verified(sent)
    told = sent.payload
    assert told["notification_type"] == "upload"
    for name in ("public_id", "version", "etag", "bytes", "secure_url", "duration"):
        assert told[name] == answer[name]


def test_renditions_are_told_when_they_are_made(
    cloudinary_emulator: Emulator, receiver: Receiver
) -> None:
    answer = upload(
        eager=["w_90,c_scale/mp4", "so_0/jpg"],
        eager_async=True,
        eager_notification_url=receiver.url,
    )
    cloudinary_emulator.wait()
    (sent,) = cloudinary_emulator.webhooks.sent
    told = sent.payload
    assert told["notification_type"] == "eager"
    assert told["public_id"] == "videos/one"
    assert told["batch_id"] == answer["eager"][0]["batch_id"]
    assert [each["transformation"] for each in told["eager"]] == ["w_90,c_scale/mp4", "so_0/jpg"]
    assert all(each["bytes"] > 0 for each in told["eager"])
    assert told["eager"][0]["secure_url"] == answer["eager"][0]["secure_url"]
    assert not {"version", "duration"} & set(told)  # Cloudinary's has neither


def test_a_rendition_that_fails_is_told(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    upload(eager=["w_90,c_scale,so_99/jpg"], eager_async=True, notification_url=receiver.url)
    cloudinary_emulator.wait()
    told = {
        sent.payload["notification_type"]: sent.payload for sent in sent_by(cloudinary_emulator)
    }
    assert told["eager"]["eager"][0]["status"] == "failed"


@pytest.mark.parametrize("fake", [False, True])
def test_renditions_of_what_was_destroyed_meanwhile_fail(
    cloudinary_emulator: Emulator, receiver: Receiver, fake: bool
) -> None:
    cloudinary_emulator.library.fake = fake
    with cloudinary_emulator.library.transcoding:
        upload(eager="w_90/mp4", eager_async=True, eager_notification_url=receiver.url)
        uploader.destroy("videos/one", resource_type="video")
    cloudinary_emulator.wait()
    (sent,) = sent_by(cloudinary_emulator)
    assert sent.payload["eager"][0]["status"] == "failed"


def test_renditions_of_what_is_destroyed_while_they_are_made_fail(
    cloudinary_emulator: Emulator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def make_and_destroy(*arguments: Any) -> None:
        transformations_make(*arguments)
        made.append(arguments[-1])
        assert made[0].exists()
        uploader.destroy("videos/one", resource_type="video")

    transformations_make = transformations.make
    monkeypatch.setattr(transformations, "make", make_and_destroy)
    upload(eager="w_90/mp4", eager_async=True, eager_notification_url=receiver.url)
    cloudinary_emulator.wait()
    (sent,) = sent_by(cloudinary_emulator)
    assert sent.payload["eager"][0]["status"] == "failed"
    assert not made[0].exists()


def test_a_deletion_is_told(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    version = upload()["version"]
    for _ in range(2):
        uploader.destroy("videos/one", resource_type="video", notification_url=receiver.url)
    cloudinary_emulator.wait()
    (sent,) = cloudinary_emulator.webhooks.sent
    (gone,) = sent.payload["resources"]
    assert (gone["public_id"], gone["version"]) == ("videos/one", version)


def test_sha256_if_configured(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(algorithm="sha256") as emulator:
        monkeypatch.setenv("CLOUDINARY_URL", f"{emulator.url}&signature_algorithm=sha256")
        cloudinary.reset_config()
        upload(notification_url=receiver.url)
        emulator.wait()
        (sent,) = sent_by(emulator)
        assert len(sent.headers["X-Cld-Signature"]) == 64
        assert verified(sent)
    monkeypatch.undo()
    cloudinary.reset_config()


def test_it_is_sent_until_it_is_taken(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    receiver.says = [500, 404]
    upload(notification_url=receiver.url)
    cloudinary_emulator.wait()
    (sent,) = cloudinary_emulator.webhooks.sent
    assert sent.statuses == [500, 404, 200]
    assert len({body for body, _ in receiver.taken}) == 1


def test_it_is_given_up_in_the_end(cloudinary_emulator: Emulator) -> None:
    cloudinary_emulator.webhooks.retries = (0.01, 0.01)
    upload(notification_url="http://127.0.0.1:1/nobody")
    cloudinary_emulator.wait()
    assert cloudinary_emulator.webhooks.sent[0].statuses == [0, 0, 0]


def test_lost(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    cloudinary_emulator.webhooks.lost = True
    upload(notification_url=receiver.url)
    cloudinary_emulator.wait()
    assert receiver.taken == cloudinary_emulator.webhooks.sent == []


def test_repeated(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    cloudinary_emulator.webhooks.copies = 3
    upload(notification_url=receiver.url)
    cloudinary_emulator.wait()
    cloudinary_emulator.webhooks.copies = 1
    cloudinary_emulator.webhooks.send_again(cloudinary_emulator.webhooks.sent[0])
    cloudinary_emulator.wait()
    assert len(receiver.taken) == 4
    assert len({body for body, _ in receiver.taken}) == 1


def test_delayed(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    cloudinary_emulator.webhooks.delay = 0.5
    started = time.monotonic()
    upload(notification_url=receiver.url)
    assert receiver.taken == []
    cloudinary_emulator.wait()
    assert time.monotonic() - started >= 0.5
    assert len(receiver.taken) == 1


def test_reordered(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    cloudinary_emulator.webhooks.hold = True
    upload(notification_url=receiver.url, eager="w_90,c_scale/mp4")
    uploader.destroy("videos/one", resource_type="video", notification_url=receiver.url)
    assert receiver.taken == []
    cloudinary_emulator.webhooks.release(backwards=True)
    assert kinds(cloudinary_emulator) == ["delete", "upload", "eager"]
    assert len(receiver.taken) == 3


def test_forged(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    cloudinary_emulator.webhooks.forged = True
    upload(notification_url=receiver.url)
    cloudinary_emulator.wait()
    assert not verified(cloudinary_emulator.webhooks.sent[0])


def test_stale_and_from_the_future(cloudinary_emulator: Emulator, receiver: Receiver) -> None:
    cloudinary_emulator.webhooks.age = 7300
    upload(notification_url=receiver.url)
    cloudinary_emulator.webhooks.age = -86_400
    upload(notification_url=receiver.url)
    cloudinary_emulator.wait()
    by_age = sorted(cloudinary_emulator.webhooks.sent, key=lambda d: d.headers["X-Cld-Timestamp"])
    assert not verified(by_age[0])
    assert verified(by_age[0], valid_for=8000)
    assert verified(by_age[1])  # the SDK knows no bound in the future


def test_a_transport_of_the_tests_own(cloudinary_emulator: Emulator) -> None:
    taken: list[str] = []

    def transport(url: str, body: bytes, headers: dict[str, str]) -> int:
        taken.append(url)
        return 200

    cloudinary_emulator.webhooks.transport = transport
    upload(notification_url="https://site.example/hooks")
    cloudinary_emulator.wait()
    assert taken == ["https://site.example/hooks"]
