"""Trends: decayed counts of people, recomputed from rows."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from feeds.models import Impression
from feeds.services import refuse_video
from feeds.tasks import recompute_trends
from feeds.trending import HALF_LIFE, HORIZON, WEIGHTS, recompute, trending_videos
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import CommentFactory, UserFactory, VideoFactory, block
from videos.captions import link_caption
from videos.models import Hashtag, Like, Save, Share, Video, Visibility

pytestmark = pytest.mark.django_db


def post(caption: str = "#sea", age: timedelta = timedelta(), **fields: Any) -> Video:
    """A published video of some age, whose posting is the only act there is."""
    video: Video = VideoFactory(caption=caption, **fields)
    link_caption(video)
    Video.objects.filter(pk=video.pk).update(published_at=timezone.now() - age)
    return video


def put_back(row: Any, age: timedelta) -> None:
    type(row).objects.filter(pk=row.pk).update(created_at=timezone.now() - age)


def trend(video: Video) -> float:
    return Video.objects.get(pk=video.pk).trend


def tag_trend(name: str = "sea") -> float:
    return Hashtag.objects.get(name=name).trend


def about(value: float) -> Any:
    return pytest.approx(value, rel=0.001)


OLD = 2 * HORIZON


class TestVideos:
    """`Video.trend`."""

    def test_a_posting_has_a_weight_that_halves(self) -> None:
        new, day_old = post(), post(age=HALF_LIFE)
        recompute()
        assert trend(new) == about(WEIGHTS.posted)
        assert trend(day_old) == about(WEIGHTS.posted / 2)

    def test_each_kind_of_act_has_its_weight(self) -> None:
        videos = {kind: post(age=OLD) for kind in vars(WEIGHTS)}
        Like.objects.create(user=UserFactory(), video=videos["liked"])
        Save.objects.create(user=UserFactory(), video=videos["saved"])
        Share.objects.create(user=UserFactory(), video=videos["shared"])
        CommentFactory(video=videos["commented"])
        Impression.objects.create(user=UserFactory(), video=videos["watched"], seconds=5)
        recompute()
        found = {kind: trend(video) for kind, video in videos.items()}
        assert found == about(vars(WEIGHTS) | {"posted": 0})

    def test_an_act_halves_with_its_own_age(self) -> None:
        video = post(age=OLD)
        put_back(Like.objects.create(user=UserFactory(), video=video), 2 * HALF_LIFE)
        recompute()
        assert trend(video) == about(WEIGHTS.liked / 4)

    def test_a_person_counts_once_with_the_strongest_act(self) -> None:
        video, fan = post(age=OLD), UserFactory()
        Like.objects.create(user=fan, video=video)
        Share.objects.create(user=fan, video=video)
        for _ in range(20):
            CommentFactory(video=video, author=fan)
        recompute()
        assert trend(video) == about(WEIGHTS.shared)

    def test_several_people_add_up(self) -> None:
        video = post(age=OLD)
        for _ in range(3):
            Like.objects.create(user=UserFactory(), video=video)
        recompute()
        assert trend(video) == about(3 * WEIGHTS.liked)

    def test_neither_authors_nor_suspended_people_nor_swipes_count(self) -> None:
        video = post(age=OLD)
        Like.objects.create(user=video.author, video=video)
        Like.objects.create(user=UserFactory(is_active=False), video=video)
        Impression.objects.create(user=UserFactory(), video=video, seconds=0.4)
        recompute()
        assert trend(video) == 0

    def test_what_faded_is_at_zero_exactly(self) -> None:
        video = post(age=HORIZON + timedelta(minutes=1))
        Video.objects.filter(pk=video.pk).update(trend=0.1)
        Hashtag.objects.update(trend=0.1)
        recompute()
        assert trend(video) == 0.0
        assert tag_trend() == 0.0

    @pytest.mark.parametrize(
        "fields",
        [
            {"visibility": Visibility.FRIENDS},
            {"visibility": Visibility.PRIVATE},
            {"hidden_at": datetime(2026, 1, 1, tzinfo=timezone.get_default_timezone())},
            {"author__is_private": True},
            {"author__is_active": False},
            {"author__deleted_at": datetime(2026, 1, 1, tzinfo=timezone.get_default_timezone())},
        ],
    )
    def test_only_what_everybody_may_see_trends(self, fields: dict[str, Any]) -> None:
        video = post(**fields)
        Video.objects.update(trend=5)
        Hashtag.objects.update(trend=5)
        Like.objects.create(user=UserFactory(), video=video)
        recompute()
        assert trend(video) == 0
        assert tag_trend() == 0

    def test_an_unliked_video_falls_back(self) -> None:
        video = post(age=OLD)
        like = Like.objects.create(user=UserFactory(), video=video)
        recompute()
        like.delete()
        recompute()
        assert trend(video) == 0


class TestHashtags:
    """`Hashtag.trend`."""

    def test_an_author_who_floods_a_tag_counts_once(self) -> None:
        flooder = UserFactory()
        for _ in range(30):
            post("#spam", author=flooder)
        for _ in range(2):
            post("#sea")
        recompute()
        assert tag_trend("spam") == about(WEIGHTS.posted)
        assert tag_trend("sea") == about(2 * WEIGHTS.posted)

    def test_a_fan_of_many_videos_counts_once(self) -> None:
        fan = UserFactory()
        for _ in range(3):
            Like.objects.create(user=fan, video=post("#sea", age=OLD))
        recompute()
        assert tag_trend() == about(WEIGHTS.liked)

    def test_an_author_who_flooded_yesterday_counts_with_the_latest(self) -> None:
        author = UserFactory()
        post("#sea", author=author, age=2 * HALF_LIFE)
        post("#sea", author=author, age=HALF_LIFE)
        recompute()
        assert tag_trend() == about(WEIGHTS.posted / 2)

    def test_the_api_lists_the_strongest_first(self, api: ApiClient) -> None:
        for caption in ("#sea #sky", "#sea", "#hill"):
            post(caption)
        post("#old", age=OLD)
        Hashtag.objects.filter(name="hill").update(videos_count=0)
        recompute()
        names = [tag["name"] for tag in api.get("/hashtags/trending")["results"]]
        assert names == ["sea", "sky"]
        assert len(api.get("/hashtags/trending", {"limit": 1})["results"]) == 1
        api.get("/hashtags/trending", {"limit": 51}, expect=400)


class TestCost:
    """Cheap enough for every few minutes."""

    def test_the_number_of_queries_does_not_grow(self) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                recompute()
            return len([q for q in captured if "SAVEPOINT" not in q["sql"]])

        post()
        few = cost()
        for n in range(10):
            post(f"#sea #tag{n}")
        assert cost() == few == 5

    def test_small_changes_are_not_written(self) -> None:
        video = post(age=timedelta(hours=1))
        assert recompute() == 2
        assert recompute() == 0
        Like.objects.create(user=UserFactory(), video=video)
        assert recompute() == 2

    def test_only_recent_rows_are_read(self) -> None:
        """With many old likes the plan goes by their age."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indexdef FROM pg_indexes WHERE indexname = ANY(%s)",
                [["like_by_age", "save_by_age", "share_by_age", "comment_by_age",
                  "impression_by_age", "video_by_time"]],
            )  # fmt: skip
            assert len(cursor.fetchall()) == 6


def test_popular_now_is_what_a_reader_may_see(user: User) -> None:
    shown, blocking, blocked, muted, refused, hidden = (post() for _ in range(6))
    private = post(author__is_private=True)
    friends = post(visibility=Visibility.FRIENDS)
    block(blocking.author, user)
    block(user, blocked.author)
    user.muting_rows.create(muted=muted.author)
    refuse_video(user, refused.pk)
    recompute()
    Video.objects.filter(pk=hidden.pk).update(hidden_at=timezone.now())
    Video.objects.filter(pk__in=[private.pk, friends.pk]).update(trend=9)
    assert list(trending_videos(user)) == [shown]
    assert set(trending_videos(None)) == {shown, blocking, blocked, muted, refused}


@pytest.mark.django_db(transaction=True)
def test_the_worker_recomputes(run_jobs: RunJobs) -> None:
    video = post()
    recompute_trends.defer(timestamp=0)
    run_jobs()
    assert trend(video) > 0
