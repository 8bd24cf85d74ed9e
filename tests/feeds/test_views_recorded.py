"""`POST /videos/views`: impressions, watch time and view counts."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Follow, User
from feeds.models import Affinity, Impression
from feeds.services import Watched, record_views
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, block
from tests.settling import commit
from tiktok_clone.common.errors import DomainError
from videos.models import Video, Visibility

VIEWS = "/videos/views"
pytestmark = pytest.mark.django_db


def batch(*views: tuple[int, float] | tuple[int, float, bool]) -> dict[str, Any]:
    names = ("video", "seconds", "completed")
    return {"views": [dict(zip(names, view, strict=False)) for view in views]}


def test_impressions_and_watch_time_add_up(as_user: ApiClient, user: User) -> None:
    one, other = VideoFactory(duration=8), VideoFactory(duration=8)
    sent = batch((one.pk, 3.25), (other.pk, 0), (one.pk, 8, True))
    assert as_user.post(VIEWS, sent) == {"recorded": 3}
    as_user.post(VIEWS, batch((one.pk, 1.5)))
    held = Impression.objects.get(user=user, video=one)
    assert (held.times, held.seconds, held.completed) == (3, 12.75, 1)
    assert Impression.objects.get(user=user, video=other).times == 1
    commit()
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.watch_seconds, one.views_count) == (12.75, 1)
    assert (other.watch_seconds, other.views_count) == (0, 0)


@pytest.mark.parametrize(
    ("steps", "views"),
    [
        ([(0.0, False)], 0),
        ([(0.99, False)], 0),
        ([(1.0, False)], 1),
        ([(0.4, False), (0.59, False)], 0),
        ([(0.4, False), (0.6, False)], 1),
        ([(0.1, False)] * 10, 1),
        ([(0.1, False)] * 9, 0),
        ([(0.7, False), (0.7, False), (0.7, False)], 1),
        ([(1.0, False), (0.13, False)], 1),  # (1.0 + 0.13) - 0.13 < 1 in floats
        ([(0.2, True)], 1),
        ([(0.2, True), (5.0, True)], 1),
        ([(5.0, False), (0.0, True), (1.0, False)], 1),
    ],
)
def test_a_view_is_a_person_who_watched_a_second_or_to_the_end(
    steps: list[tuple[float, bool]], views: int, as_user: ApiClient
) -> None:
    video = VideoFactory()
    for seconds, completed in steps:
        as_user.post(VIEWS, batch((video.pk, seconds, completed)))
    commit()
    video.refresh_from_db()
    assert video.views_count == views
    together = VideoFactory()
    as_user.post(VIEWS, batch(*((together.pk, *step) for step in steps)))
    commit()
    together.refresh_from_db()
    assert together.views_count == views


def test_each_person_is_a_view_of_its_own(as_user: ApiClient, as_other: ApiClient) -> None:
    video = VideoFactory()
    for client in (as_user, as_other, as_user):
        client.post(VIEWS, batch((video.pk, 2)))
    commit()
    video.refresh_from_db()
    assert video.views_count == 2


def test_seconds_are_bounded_by_the_duration(as_user: ApiClient) -> None:
    video = VideoFactory(duration=8)
    as_user.post(VIEWS, batch((video.pk, 1e300), (video.pk, 9)))
    commit()
    video.refresh_from_db()
    assert video.watch_seconds == 16


def test_any_number_of_seconds_is_taken_of_a_clip_by_somebody_followed(
    as_user: ApiClient, user: User
) -> None:
    video = VideoFactory(duration=8)
    Follow.objects.create(follower=user, followee=video.author)
    assert as_user.post(VIEWS, batch((video.pk, 1e300))) == {"recorded": 1}
    assert Affinity.objects.get(user=user, video=video).followed


def test_what_one_may_not_see_is_left_out(as_user: ApiClient, user: User) -> None:
    blocking = VideoFactory()
    block(blocking.author, user)
    hidden = [
        blocking,
        VideoFactory(visibility=Visibility.PRIVATE),
        VideoFactory(hidden_at=timezone.now()),
        VideoFactory(draft=True),
    ]
    seen = VideoFactory()
    sent = batch(*((video.pk, 2) for video in hidden), (seen.pk, 2), (2**62, 2))
    assert as_user.post(VIEWS, sent) == {"recorded": 1}
    assert list(Impression.objects.values_list("video", flat=True)) == [seen.pk]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        5,
        "x",
        {"views": 5},
        {"views": [5]},
        {"views": [{}]},
        {"views": [{"video": 0}]},
        {"views": [{"video": 2**63}]},
        {"views": [{"video": 1, "seconds": -1}]},
        {"views": [{"video": 1, "seconds": "nan"}]},
        {"views": [{"video": 1, "seconds": "inf"}]},
        {"views": [{"video": 1, "seconds": 10**400}]},
        {"views": [{"video": 1, "completed": "perhaps"}]},
        {"views": [{"video": 1}] * 51},
        {"payload": "{"},
        {"payload": 5},
        {"payload": "[" * 100_000},
        {"payload": '{"views": [{"video": 1, "seconds": NaN}]}'},
    ],
)
def test_nonsense_is_a_400(body: Any, as_user: ApiClient) -> None:
    assert as_user.post(VIEWS, body, expect=400)["errors"]
    assert not Impression.objects.exists()


def test_an_empty_batch_is_fine(as_user: ApiClient) -> None:
    assert as_user.post(VIEWS, {"views": []}) == {"recorded": 0}


def test_it_needs_to_know_who_watched(api: ApiClient) -> None:
    api.post(VIEWS, {"views": []}, expect=401)


class TestBeacon:
    """A form that the browser sends when the page goes away."""

    @pytest.fixture
    def browser(self, user: User) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        return client

    def test_it_carries_the_json_and_the_csrf_token(self, browser: Client) -> None:
        video = VideoFactory()
        token = "a" * 32
        browser.cookies["csrftoken"] = token
        form = {"payload": json.dumps(batch((video.pk, 2))), "csrfmiddlewaretoken": token}
        answer = browser.post(VIEWS, form)
        assert answer.status_code == 200, answer.content
        commit()
        video.refresh_from_db()
        assert video.views_count == 1

    def test_without_the_token_it_is_refused(self, browser: Client) -> None:
        video = VideoFactory()
        answer = browser.post(VIEWS, {"payload": json.dumps(batch((video.pk, 2)))})
        assert answer.status_code == 403
        assert not Impression.objects.exists()


def test_more_than_fifty_are_refused_by_the_service_too(user: User) -> None:
    with pytest.raises(DomainError):
        record_views(user, [Watched(1)] * 51)


@pytest.mark.django_db(transaction=True)
def test_batches_at_the_same_moment_lose_nothing() -> None:
    people = UserFactory.create_batch(4)
    videos = [VideoFactory(duration=60) for _ in range(12)]
    chance = random.Random(1)
    batches = [
        (person, [Watched(video.pk, 0.25, False) for video in chance.sample(videos, 9)])
        for person in people
        for _ in range(12)
    ]

    def send(one: tuple[User, list[Watched]]) -> int:
        try:
            return record_views(*one)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, batches)) == 4 * 12 * 9
    for video in Video.objects.prefetch_related("impressions"):
        held = list(video.impressions.all())
        assert video.watch_seconds == sum(one.seconds for one in held)
        assert video.views_count == sum(one.seconds >= 1 for one in held)
        for one in held:
            sent = sum(video.pk in {w.video for w in b} for p, b in batches if p.pk == one.user_id)
            assert (one.times, one.seconds) == (sent, sent * 0.25)
