"""Views are counted in Redis and written now and then: nothing is lost, and nobody waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import purging, services
from accounts.models import User
from feeds import counters, tasks, writeback
from feeds.models import Affinity, Impression
from feeds.services import Watched, record_views
from tests.accounts.racing import after_waiting_for, at_once, left_open
from tests.factories import UserFactory, VideoFactory
from tests.feeds.caching import Silence, connected, nobody_there, round_trips, use_client
from tests.settling import commit
from videos.models import Video
from videos.services import engagement, publishing

pytestmark = pytest.mark.django_db
SECONDS = 10.0


@pytest.fixture
def seldom(settings: Any) -> None:
    """Views are written when the test says so, but for the first ones."""
    settings.VIEWS_WRITTEN_EVERY_SECONDS = 3600.0


@pytest.fixture
def video() -> Video:
    found: Video = VideoFactory(duration=SECONDS)
    return found


def watch(user: User, *videos: Video, seconds: float = 9.5) -> int:
    return record_views(user, [Watched(video.pk, seconds) for video in videos])


def watched(video: Video, people: int = 1) -> None:
    """So many new people watch it."""
    for _ in range(people):
        watch(UserFactory(), video)
        commit()


def counts(video: Video) -> tuple[int, int, float]:
    return Video.objects.values_list("shown_count", "views_count", "watch_seconds").get(pk=video.pk)


def a_second_passes() -> None:
    connected().delete(writeback.TIMER)


@pytest.mark.usefixtures("seldom")
class TestWhen:
    """The first one at once, those of the next second together."""

    def test_on_a_quiet_site_a_view_is_there_at_once(self, video: Video) -> None:
        watched(video)
        assert counts(video) == (1, 1, 9.5)

    def test_those_within_the_second_come_with_the_first_one_after_it(self, video: Video) -> None:
        watched(video, 3)
        assert counts(video) == (1, 1, 9.5)
        a_second_passes()
        watched(VideoFactory())
        assert counts(video) == (3, 3, 28.5)

    def test_the_last_ones_come_with_the_job_of_the_minute(self, video: Video) -> None:
        watched(video, 2)
        tasks.write_views(timestamp=0)
        tasks.write_views(timestamp=60)
        assert counts(video) == (2, 2, 19)

    def test_what_is_taken_back_is_not_counted(self, user: User, video: Video) -> None:
        watch(user, video)
        connection.run_on_commit = []
        writeback.flush()
        assert counts(video) == (0, 0, 0)

    def test_a_swipe_past_what_was_seen_counts_nothing(
        self, user: User, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch(user, video)
        commit()
        watch(user, video, seconds=0)
        with round_trips(monkeypatch) as trips:
            commit()
        assert trips == []

    def test_a_clip_that_is_gone_by_then_is_no_matter(self, user: User, video: Video) -> None:
        watched(video, 2)
        publishing.delete_video(video.author, video.pk)
        tasks.write_views(timestamp=0)
        assert connected().exists(writeback.HASH) == 0


@pytest.mark.usefixtures("seldom")
class TestCosts:
    """Of a batch, however many clips are in it."""

    def test_a_batch_writes_no_clip(self, user: User) -> None:
        watched(VideoFactory())
        costs = []
        for many in (1, 20):
            videos = [VideoFactory() for _ in range(many)]
            with CaptureQueriesContext(connection) as captured:
                watch(user, *videos)
                commit()
            statements = [query["sql"] for query in captured]
            assert not [sql for sql in statements if "UPDATE videos_video" in sql]
            costs.append(len([sql for sql in statements if "SAVEPOINT" not in sql]))
        assert costs == [5, 5]

    def test_it_is_counted_in_one_round_trip(
        self, user: User, video: Video, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watched(video)
        watch(user, video, VideoFactory())
        with round_trips(monkeypatch) as trips:
            commit()
        assert len(trips) == 1


class TestFailures:
    """Redis away, PostgreSQL away, and what comes in between."""

    @pytest.mark.parametrize("given", [None, nobody_there(), Silence("down").client])
    def test_without_redis_postgresql_has_it_at_once(
        self, given: object, video: Video, seldom: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_client(monkeypatch, given)
        watched(video, 2)
        writeback.flush()
        assert counts(video) == (2, 2, 19)

    def test_what_waited_in_a_frozen_one_is_not_counted_twice(
        self, video: Video, seldom: None, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watched(video)
        frozen = Silence("frozen")
        settings.REDIS_TIMEOUT = 0
        with monkeypatch.context() as patch:
            use_client(patch, frozen.client)
            watched(video)
        assert counts(video) == (2, 2, 19)
        frozen.end()
        settings.REDIS_TIMEOUT = 60
        writeback.flush()
        assert counts(video) == (2, 2, 19)

    def test_what_is_counted_while_another_part_is_written_is_kept(
        self, video: Video, seldom: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = writeback._write

        def meanwhile(added: list[writeback.Added]) -> None:
            monkeypatch.setattr(writeback, "_write", write)
            watched(video)
            write(added)

        monkeypatch.setattr(writeback, "_write", meanwhile)
        watched(video)
        assert counts(video) == (1, 1, 9.5)
        writeback.flush()
        assert counts(video) == (2, 2, 19)

    @pytest.mark.django_db(transaction=True)
    def test_what_could_not_be_written_is_put_back(self, video: Video) -> None:
        with left_open(lambda: Video.objects.select_for_update().get(pk=video.pk)):
            with impatient():
                writeback._count([writeback.Added(video.pk, 1, 1, 950)])
            assert counts(video) == (0, 0, 0)
        writeback.flush()
        writeback.flush()
        assert counts(video) == (1, 1, 9.5)

    def test_a_task_without_redis_has_nothing_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_client(monkeypatch, nobody_there())
        tasks.write_views(timestamp=0)


@contextmanager
def impatient() -> Iterator[None]:
    """Whoever has to wait for a lock fails."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
        yield
        cursor.execute("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    """Real transactions, each of a connection of its own."""

    def test_who_watches_the_same_clip_does_not_wait(self, user: User, video: Video) -> None:
        with left_open(lambda: watch(UserFactory(), video)), impatient():
            assert watch(user, video) == 1
            assert counts(video) == (1, 1, 9.5)
            assert engagement.like_video(UserFactory(), video.pk) == 1
        assert counts(video) == (2, 2, 19)

    def test_many_people_and_clips_are_counted_exactly(
        self, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.VIEWS_WRITTEN_EVERY_SECONDS = 0.01
        clips = [VideoFactory(duration=SECONDS) for _ in range(3)]
        people = UserFactory.create_batch(8)

        def report(person: User) -> Callable[[], None]:
            def act() -> None:
                for n in range(6):
                    watch(person, *clips[n % 2 :], seconds=0.25)
                    engagement.like_video(person, clips[1].pk)
                    engagement.unlike_video(person, clips[1].pk)

            return act

        assert at_once(*map(report, people)) == [None] * 8
        writeback.flush()
        assert "Views of" not in caplog.text  # none had to be put back
        for clip in clips:
            rows = list(Impression.objects.filter(video=clip))
            views = sum(row.seconds >= 1 for row in rows)
            assert counts(clip) == (len(people), views, sum(row.seconds for row in rows))

    @pytest.mark.parametrize("known", [False, True])
    @pytest.mark.parametrize("order", [1, -1])
    def test_a_watch_and_a_like_of_one_person_both_count(
        self, known: bool, order: int, user: User, video: Video
    ) -> None:
        if known:
            watch(user, video, seconds=0.1)
        acts = [lambda: watch(user, video), lambda: engagement.like_video(user, video.pk)]
        after_waiting_for(*acts[::order])
        assert Affinity.objects.get().strength == 1.5

    def test_so_they_do_in_any_interleaving(self) -> None:
        clip = VideoFactory(duration=SECONDS)
        for person in UserFactory.create_batch(25):
            found = at_once(
                lambda: watch(person, clip),  # noqa: B023 - done before the next round
                lambda: engagement.like_video(person, clip.pk),  # noqa: B023
                lambda: engagement.save_video(person, clip.pk),  # noqa: B023
            )
            assert not [one for one in found if isinstance(one, Exception)]
        assert set(Affinity.objects.values_list("strength", flat=True)) == {2.7}

    def test_a_watch_that_waits_for_a_deletion_is_none(self, user: User, video: Video) -> None:
        delete = lambda: publishing.delete_video(video.author, video.pk)  # noqa: E731
        assert after_waiting_for(delete, lambda: watch(user, video)) == 0
        assert not Impression.objects.exists()

    def test_a_deletion_waits_for_a_watch_and_takes_it_along(
        self, user: User, video: Video
    ) -> None:
        delete = lambda: publishing.delete_video(video.author, video.pk)  # noqa: E731
        assert after_waiting_for(lambda: watch(user, video), delete) is None
        assert not Impression.objects.exists()

    def test_so_does_the_purge_of_its_author(self, user: User, video: Video) -> None:
        def purge() -> None:
            services.delete_account(video.author)
            purging.purge(video.author_id)

        assert after_waiting_for(lambda: watch(user, video), purge) is None
        assert not User.objects.filter(pk=video.author_id).exists()
        assert not Impression.objects.exists()


class TestEveryNight:
    """What was lost on the way is found in the impressions."""

    @pytest.fixture
    def lossy(self, video: Video) -> Video:
        """Three watched it, and two of them are missing."""
        watched(video, 3)
        Impression.objects.update(last_at=timezone.now() - 2 * counters.WRITTEN)
        Video.objects.update(views_count=1, watch_seconds=9.5)
        return video

    def test_counts_are_raised_to_what_the_impressions_say(self, lossy: Video) -> None:
        found = {(one.field, one.found, one.counted) for one in counters.reconcile()}
        assert found == {("views_count", 1, 3), ("watch_seconds", 10, 28)}
        assert counts(lossy) == (3, 3, 27.5)
        assert counters.reconcile() == []

    def test_a_dry_run_changes_nothing(
        self, lossy: Video, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("reconcile_counters", "--dry-run")
        assert f"video {lossy.pk}: views_count is 1, rows are 3" in capsys.readouterr().out
        assert counts(lossy) == (3, 1, 9.5)

    def test_more_than_there_are_rows_is_left(self, lossy: Video) -> None:
        Video.objects.update(views_count=9, watch_seconds=90)
        assert counters.reconcile() == []

    def test_what_was_reported_just_now_may_be_on_its_way(self, lossy: Video) -> None:
        Impression.objects.update(last_at=timezone.now())
        assert counters.reconcile() == []

    def test_clips_that_nobody_watched_lately_are_not_looked_at(self, lossy: Video) -> None:
        Impression.objects.update(last_at=timezone.now() - 2 * counters.RECENT)
        assert counters.reconcile() == []

    def test_what_is_added_meanwhile_stays(self, lossy: Video) -> None:
        drift = next(counters._too_low([lossy.pk]))
        Video.objects.update(views_count=F("views_count") + 1)
        counters._raise(drift)
        counters._raise(drift)
        assert counts(lossy)[1] == 4
