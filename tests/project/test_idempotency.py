"""`Idempotency-Key`: a repeated POST is done once and answered the same."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import ThrottleCount, User
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import VideoFactory
from tests.videos.clips import clip as make_clip
from tiktok_clone.common import idempotency
from tiktok_clone.common.models import IdempotencyRecord
from tiktok_clone.schedule import forget_idempotent_answers
from videos.models import Comment, Report, Video
from videos.services import comments, publishing

pytestmark = pytest.mark.django_db


def keyed(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


def say(client: ApiClient, video: Video, text: str, key: str, expect: int = 201) -> Any:
    return client.post(f"/videos/{video.pk}/comment", {"text": text}, expect=expect, **keyed(key))


@pytest.fixture
def video() -> Video:
    return VideoFactory()


def test_the_same_request_again_gets_the_first_answer(as_user: ApiClient, video: Video) -> None:
    first = say(as_user, video, "hello", "k1")
    assert "Idempotency-Replayed" not in as_user.response.headers
    assert say(as_user, video, "hello", "k1") == first
    assert as_user.response.headers["Idempotency-Replayed"] == "true"
    assert Comment.objects.count() == 1


def test_without_a_key_each_request_counts(as_user: ApiClient, video: Video) -> None:
    for _ in range(2):
        as_user.post(f"/videos/{video.pk}/comment", {"text": "hello"}, expect=201)
    assert Comment.objects.count() == 2


def test_a_key_belongs_to_one_request(as_user: ApiClient, video: Video) -> None:
    say(as_user, video, "hello", "k1")
    assert say(as_user, video, "bye", "k1", expect=422)["code"] == "idempotency_key_reused"
    assert say(as_user, VideoFactory(), "hello", "k1", 422)["code"] == "idempotency_key_reused"
    assert Comment.objects.count() == 1


def test_a_key_belongs_to_one_account(
    as_user: ApiClient, as_other: ApiClient, video: Video
) -> None:
    say(as_user, video, "hello", "k1")
    say(as_other, video, "something else", "k1")
    assert Comment.objects.count() == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "tab\there", "ключ"])
def test_a_key_has_visible_characters_up_to_255(key: str, as_user: ApiClient, video: Video) -> None:
    assert say(as_user, video, "hello", key, expect=400)["code"] == "invalid_idempotency_key"
    say(as_user, video, "hello", "x" * 255)


def test_a_refusal_leaves_the_key_free(as_user: ApiClient, video: Video) -> None:
    say(as_user, video, "", "k1", expect=400)
    say(as_user, video, "now with text", "k1")


def test_refused_attempts_count_and_repeated_answers_do_not(
    as_user: ApiClient, video: Video, settings: Any
) -> None:
    settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, "comment_user": (3, 10**9)}
    say(as_user, video, "", "k1", expect=400)
    say(as_user, video, "hello", "k2")
    say(as_user, video, "hello", "k2")
    assert as_user.response.headers["Idempotency-Replayed"] == "true"
    assert ThrottleCount.objects.get(key__startswith="comment_user").count == 2
    say(as_user, video, "again", "k3")
    for counted in (4, 5):
        say(as_user, video, "one too many", "k4", expect=429)
        assert ThrottleCount.objects.get(key__startswith="comment_user").count == counted
    say(as_user, video, "hello", "k2")
    assert Comment.objects.count() == 2


def test_a_failure_leaves_the_key_free_and_nothing_done(
    as_user: ApiClient, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user.raw.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(idempotency.Attempt, "finish", _fail)
        say(as_user, video, "hello", "k1", expect=503)
    assert not Comment.objects.exists()
    say(as_user, video, "hello", "k1")
    assert "Idempotency-Replayed" not in as_user.response.headers


def _fail(*_: Any) -> None:
    raise OperationalError("gone")


def test_after_a_day_a_key_is_free_again(as_user: ApiClient, video: Video) -> None:
    say(as_user, video, "hello", "k1")
    say(as_user, video, "hello", "k2")
    a_day_ago = timezone.now() - timedelta(hours=24, seconds=1)
    IdempotencyRecord.objects.filter(key="k1").update(created_at=a_day_ago)
    forget_idempotent_answers(0)
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["k2"]
    IdempotencyRecord.objects.update(created_at=a_day_ago)
    say(as_user, video, "other", "k2")  # … also before the sweep
    assert Comment.objects.count() == 3


def test_who_is_not_signed_in_is_told_so(api: ApiClient, video: Video) -> None:
    say(api, video, "hello", "k1", expect=401)


def test_reports_and_shares_take_a_key_too(as_user: ApiClient, video: Video) -> None:
    for _ in range(2):
        sent = {"reason": "spam"}
        as_user.post(f"/videos/{video.pk}/report", sent, **keyed("r"))
    assert as_user.response.headers["Idempotency-Replayed"] == "true"
    as_user.post(f"/videos/{video.pk}/report", {"reason": "hate"}, expect=422, **keyed("r"))
    assert Report.objects.count() == 1
    shared = [as_user.post(f"/videos/{video.pk}/share", **keyed("s")) for _ in range(2)]
    assert shared[0] == shared[1]


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    """Threads with connections of their own."""

    def test_ten_same_comments_are_one(self, user: User, video: Video) -> None:
        def send() -> tuple[int, str | None]:
            client = ApiClient(user)
            response = client.raw.post(
                f"/videos/{video.pk}/comment", {"text": "hello"}, format="json", **keyed("k1")
            )
            return response.status_code, response.headers.get("Retry-After")

        found = at_once(*[send] * 10)
        assert {status for status, _ in found} <= {201, 409}
        assert (201, None) in found
        assert all(wait for status, wait in found if status == 409)
        assert Comment.objects.count() == 1
        say(ApiClient(user), video, "hello", "k1")
        assert Comment.objects.count() == 1

    def test_while_the_first_is_at_work_the_second_is_told_to_come_again(
        self, user: User, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inner: list[Any] = []
        real = comments.add_comment

        def slow(*args: Any) -> Comment:
            if not inner:
                inner.append(None)
                inner[0] = at_once(lambda: say(ApiClient(user), video, "hello", "k1", expect=409))[
                    0
                ]
            return real(*args)

        monkeypatch.setattr(comments, "add_comment", slow)
        say(ApiClient(user), video, "hello", "k1")
        assert inner[0]["code"] == "idempotency_key_in_use"

    def test_a_connection_that_is_cut_off_lets_go_of_the_key(self, user: User) -> None:
        def hold() -> None:
            with idempotency.attempt(user.pk, "k1", "f"):
                connection.close()

        assert at_once(hold) == [None]
        with idempotency.attempt(user.pk, "k1", "f") as held:
            assert held.answer is None


@pytest.mark.django_db(transaction=True)
class TestUploads:
    """`POST /video`, whose work is more than one transaction."""

    @pytest.fixture
    def clip(self, settings: Any, tmp_path: Path) -> bytes:
        settings.MEDIA_ROOT = tmp_path
        settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
        return make_clip().read_bytes()

    def send(
        self, client: ApiClient, clip: bytes, key: str, expect: int = 201, **fields: Any
    ) -> Any:
        name = fields.pop("name", "a.mp4")
        form = {"file": SimpleUploadedFile(name, clip, "video/mp4"), **fields}
        return client.post("/video", form, format="multipart", expect=expect, **keyed(key))

    def test_the_same_file_again_is_the_same_video(self, as_user: ApiClient, clip: bytes) -> None:
        first = self.send(as_user, clip, "k1", caption="sea")
        assert self.send(as_user, clip, "k1", caption="sea", name="b.mp4") == first
        assert as_user.response.headers["Idempotency-Replayed"] == "true"
        assert Video.objects.count() == 1

    def test_another_caption_or_file_is_another_request(
        self, as_user: ApiClient, clip: bytes
    ) -> None:
        self.send(as_user, clip, "k1", caption="sea")
        self.send(as_user, clip, "k1", expect=422, caption="city")
        self.send(as_user, clip + b"\0", "k1", expect=422, caption="sea")
        assert Video.objects.count() == 1

    def test_a_refused_file_leaves_the_key_free(self, as_user: ApiClient, clip: bytes) -> None:
        self.send(as_user, b"no video", "k1", expect=400)
        self.send(as_user, clip, "k1")

    def test_what_was_cut_off_after_the_video_was_stored_is_not_done_again(
        self, as_user: ApiClient, clip: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = publishing._confirm

        def cut_off(*args: Any) -> Video:
            real(*args)
            raise OperationalError("killed")

        with monkeypatch.context() as patched:
            patched.setattr(publishing, "_confirm", cut_off)
            self.send(as_user, clip, "k1", expect=503)
        again = self.send(as_user, clip, "k1")
        assert again["status"] == "stored"
        assert [again["id"]] == list(Video.objects.values_list("pk", flat=True))
