"""Web server and worker, killed in the middle of telling people: each is told once all the same."""

from functools import partial

import pytest
import requests

from accounts.models import User
from feeds.models import Bell, Kind, Notification
from feeds.tasks import ring_bells
from tests.crashing.scene import Scene, sign_in, wait_for
from tests.factories import UserFactory
from tests.videos.clips import clip
from tiktok_clone.common import jobs
from tiktok_clone.schedule import retry_stalled_jobs
from videos.models import Like, Video
from videos.services import publishing


@pytest.fixture
def video(scene: Scene, user: User) -> Video:
    """One that is out, with its files."""
    made = publishing.create_video(user, clip("180x320"))
    scene.run_jobs()
    return made


@pytest.mark.parametrize(
    ("point", "is_done"),
    [
        ("feeds.news:tell:after", False),  # both rows are written, and not committed
        ("videos.services.engagement:like_video:after", True),  # the answer alone is lost
    ],
)
def test_a_like_and_what_is_told_of_it_are_there_both_or_neither(
    scene: Scene, video: Video, point: str, is_done: bool
) -> None:
    fan = UserFactory()
    told = Notification.objects.filter(kind=Kind.LIKE, recipient=video.author, actor=fan)
    with scene.web(point) as url:
        like = partial(sign_in(url, fan).post, f"{url}/videos/{video.pk}/like", timeout=30)
        with pytest.raises(requests.ConnectionError):
            like()
        assert Like.objects.exists() == told.exists() == is_done
        wait_for(url)
        assert like().status_code == 200
    assert told.count() == Like.objects.count() == 1


@pytest.mark.parametrize(
    "point",
    [
        "feeds.bells:versions.change:after",  # the rows are written, and not committed
        "feeds.bells:ring:after",  # committed, and the job is not done
    ],
)
def test_each_listener_is_told_of_a_clip_once_whenever_the_worker_is_killed(
    scene: Scene, video: Video, point: str
) -> None:
    listeners = [UserFactory() for _ in range(5)]
    Bell.objects.bulk_create(Bell(listener=one, creator=video.author) for one in listeners)
    jobs.enqueue(ring_bells, video_id=video.pk)
    scene.work(point)
    scene.age()
    jobs.enqueue(retry_stalled_jobs, timestamp=0)
    scene.settle()
    told = Notification.objects.filter(kind=Kind.NEW_VIDEO, video=video)
    assert sorted(told.values_list("recipient", flat=True)) == [one.pk for one in listeners]
