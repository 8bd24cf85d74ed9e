"""The watch history: what is in it, for whom, and how it is emptied."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Follow, User
from feeds.history import forget_everything, history_of
from feeds.models import Affinity, Impression
from feeds.services import Watched, record_views
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import UserFactory, VideoFactory, befriend, block
from tests.settling import commit
from tests.videos.measuring import queries_of
from videos.models import Video, Visibility
from videos.services.publishing import delete_video

pytestmark = pytest.mark.django_db
HISTORY = "/user/history"


def watch(user: User, *videos: Video, seconds: float = 5) -> None:
    record_views(user, [Watched(video.pk, seconds) for video in videos])


def of(api: ApiClient) -> list[int]:
    return [card["id"] for card in api.get(HISTORY)["results"]]


def strength(user: User, video: Video) -> float:
    return Affinity.objects.get(user=user, video=video).strength


@pytest.fixture
def pages(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_last_watched_comes_first(as_user: ApiClient, user: User) -> None:
    first, second = VideoFactory(), VideoFactory()
    watch(user, first)
    watch(user, second)
    watch(UserFactory(), VideoFactory())
    assert of(as_user) == [second.pk, first.pk]
    watch(user, first)
    page = as_user.get(HISTORY)
    assert [card["id"] for card in page["results"]] == [first.pk, second.pk]
    assert page["results"][0]["watched_at"] > page["results"][1]["watched_at"]
    assert page["results"][0]["liked"] is False


def test_a_swipe_past_is_no_watch(as_user: ApiClient, user: User) -> None:
    swiped, completed = VideoFactory(), VideoFactory()
    watch(user, swiped, seconds=0.5)
    record_views(user, [Watched(completed.pk, 0.5, completed=True)])
    assert of(as_user) == [completed.pk]


def test_pages_fit_together_even_for_one_batch(as_user: ApiClient, user: User) -> None:
    videos = [VideoFactory() for _ in range(11)]
    watch(user, *videos)  # all in the same moment
    seen, page = [], as_user.get(HISTORY, {"limit": 4})
    while True:
        seen += [card["id"] for card in page["results"]]
        if page["next"] is None:
            break
        page = as_user.get(page["next"])
    assert sorted(seen) == sorted(video.pk for video in videos)
    assert len(as_user.get(page["previous"])["results"]) == 4


@pytest.mark.parametrize("cursor", ["x", "cD14", "cD0xMjM=", "cD0yMDI2LTk5"])
def test_a_forged_cursor_is_refused(cursor: str, as_user: ApiClient) -> None:
    as_user.get(HISTORY, {"cursor": cursor}, expect=400)


class TestWhatMayBeSeen:
    """Checked when it is read, whatever it was when it was watched."""

    @pytest.fixture
    def video(self, user: User) -> Video:
        video: Video = VideoFactory()
        watch(user, video)
        return video

    @pytest.mark.parametrize("mine", [True, False])
    def test_blocks(self, mine: bool, as_user: ApiClient, user: User, video: Video) -> None:
        block(*((user, video.author) if mine else (video.author, user)))
        assert of(as_user) == []

    def test_muted_people_stay_in_it(self, as_user: ApiClient, user: User, video: Video) -> None:
        user.muting_rows.create(muted=video.author)
        assert of(as_user) == [video.pk]

    def test_private_accounts(self, as_user: ApiClient, user: User, video: Video) -> None:
        User.objects.filter(pk=video.author_id).update(is_private=True)
        assert of(as_user) == []
        Follow.objects.create(follower=user, followee=video.author)
        assert of(as_user) == [video.pk]

    def test_friends_only_videos(self, as_user: ApiClient, user: User, video: Video) -> None:
        Video.objects.update(visibility=Visibility.FRIENDS)
        assert of(as_user) == []
        befriend(user, video.author)
        assert of(as_user) == [video.pk]

    def test_hidden_and_deleted_ones(self, as_user: ApiClient, user: User, video: Video) -> None:
        other: Video = VideoFactory()
        watch(user, other)
        Video.objects.filter(pk=video.pk).update(hidden_at=timezone.now())
        assert of(as_user) == [other.pk]
        delete_video(other.author, other.pk)
        assert of(as_user) == []

    def test_gone_authors(self, as_user: ApiClient, video: Video) -> None:
        User.objects.filter(pk=video.author_id).update(deleted_at=timezone.now())
        assert of(as_user) == []


class TestRemoving:
    """One, or all."""

    def test_one_is_removed_and_the_others_stay(self, as_user: ApiClient, user: User) -> None:
        kept, removed = VideoFactory(), VideoFactory()
        watch(user, kept, removed)
        watch(other := UserFactory(), removed)
        for _ in range(2):
            as_user.delete(f"{HISTORY}/{removed.pk}", expect=204)
        assert of(as_user) == [kept.pk]
        assert of(ApiClient(other)) == [removed.pk]

    def test_the_view_stays_counted_but_says_nothing_any_more(
        self, as_user: ApiClient, user: User
    ) -> None:
        video = VideoFactory()
        watch(user, video, seconds=8)
        assert strength(user, video) > 0
        as_user.delete(f"{HISTORY}/{video.pk}", expect=204)
        row = Impression.objects.get()
        assert (row.seconds, row.times, row.longest) == (8, 1, 0)
        assert strength(user, video) == 0
        watch(user, video)
        commit()
        assert Video.objects.get().views_count == 1

    def test_watching_again_brings_it_back(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory()
        watch(user, video)
        as_user.delete(f"{HISTORY}/{video.pk}", expect=204)
        watch(user, video, seconds=0.2)
        assert of(as_user) == []
        watch(user, video)
        assert of(as_user) == [video.pk]

    def test_what_was_never_watched_changes_nothing(self, as_user: ApiClient) -> None:
        as_user.delete(f"{HISTORY}/{VideoFactory().pk}", expect=204)
        as_user.delete(f"{HISTORY}/{10**30}", expect=204)
        assert not Impression.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_all_is_cleared_and_the_worker_forgets_the_rest(
        self, as_user: ApiClient, user: User, run_jobs: RunJobs
    ) -> None:
        videos = [VideoFactory(), VideoFactory()]
        watch(user, *videos, seconds=8)
        watch(other := UserFactory(), *videos)
        as_user.delete(HISTORY, expect=204)
        assert of(as_user) == []
        assert len(of(ApiClient(other))) == 2
        run_jobs()
        assert {strength(user, video) for video in videos} == {0}


class TestPages:
    """`/history`."""

    def test_it_lists_removes_and_clears_without_a_script(self, pages: Client, user: User) -> None:
        videos = [VideoFactory(caption=f"clip-{n}-x") for n in range(3)]
        watch(user, *videos)
        html = pages.get("/history").content.decode()
        assert all(video.caption in html for video in videos)
        answer = pages.post(f"/history/{videos[0].pk}/remove")
        assert answer.headers["Location"] == "/history"
        html = pages.get("/history").content.decode()
        assert videos[0].caption not in html
        assert videos[1].caption in html
        pages.post("/history/clear")
        assert "Nothing watched yet" in pages.get("/history").content.decode()

    def test_it_goes_on(self, pages: Client, user: User) -> None:
        videos = [VideoFactory() for _ in range(32)]
        watch(user, *videos)
        seen: list[str] = []
        path: str | None = "/history"
        while path:
            html = pages.get(path).content.decode()
            seen += re.findall(r'class="watched__link" href="([^"]+)"', html)
            following = re.search(r'rel="next" href="([^"]+)"', html)
            path = following[1].replace("&amp;", "&") if following else None
        assert sorted(seen) == sorted(video.get_absolute_url() for video in videos)

    @pytest.mark.parametrize("after", ["x", "1", "-", "1-x", "9" * 18 + "-1", "%00"])
    def test_a_made_up_place_is_a_400(self, after: str, pages: Client) -> None:
        assert pages.get(f"/history?after={after}").status_code == 400

    def test_nobody_else_sees_it(self, user: User) -> None:
        assert Client().get("/history").status_code == 302
        ApiClient().get(HISTORY, expect=401)


@pytest.mark.parametrize("path", ["/history", HISTORY])
def test_a_page_costs_the_same_for_one_and_for_many(path: str, pages: Client, user: User) -> None:
    watch(user, VideoFactory())
    pages.get(path)
    few = queries_of(lambda: pages.get(path))
    watch(user, *(VideoFactory() for _ in range(15)))
    assert queries_of(lambda: pages.get(path)) == few <= 9


def test_a_page_is_read_from_the_index(user: User) -> None:
    """However long the history is: the rows of one page, and the videos in them."""
    author = UserFactory()
    videos = Video.objects.bulk_create(
        [
            Video(author=author, status="ready", published_at=timezone.now() + timedelta(seconds=n))
            for n in range(3000)
        ]
    )
    Impression.objects.bulk_create(
        [
            Impression(user=person, video=video, seconds=5)
            for person in (user, *UserFactory.create_batch(4))
            for video in videos
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE feeds_impression, videos_video, accounts_user")
        # Other tests leave dead rows, among which reading all would look cheap on a spinning disk.
        cursor.execute("SET LOCAL random_page_cost = 1.1")
    plan = history_of(user)[:21].explain()
    assert "impression_recent" in plan
    assert "Seq Scan on videos_video" not in plan


def test_rows_are_locked_in_the_order_of_a_batch_of_views(user: User) -> None:
    """Else clearing and a report of what was watched could wait for each other."""
    watch(user, VideoFactory(), VideoFactory())
    with CaptureQueriesContext(connection) as captured:
        assert forget_everything(user) == 2
    statements = [query["sql"] for query in captured]
    update = next(n for n, sql in enumerate(statements) if sql.startswith("UPDATE"))
    lock = statements[update - 1]
    assert re.search(r'ORDER BY .*"video_id" ASC FOR NO KEY UPDATE', lock)
