"""Cached timelines: what they hold, whom they are kept for, and that nothing gets lost."""

import threading
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from redis import Redis
from redis.exceptions import ConnectionError

from accounts.models import Follow, User
from accounts.services import relationships
from feeds import fanout, paging, timeline
from feeds.models import PendingFanout, PullAuthor
from feeds.options import read_options, seed_of
from feeds.paging import make_page
from feeds.scripts import Script
from feeds.seeds import Place, micros, resume
from feeds.tasks import FAN_OUT_ATTEMPTS, fan_out, revive_fan_outs
from feeds.timeline import List
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.caching import round_trips, without_postgresql
from tiktok_clone.common import generation, recent
from tiktok_clone.common.models import CacheGeneration, new_generation
from tiktok_clone.common.redis import client
from videos import publication, signals
from videos.models import Video
from videos.services import publishing

pytestmark = pytest.mark.django_db(transaction=True)
MISSING = 8


class AtOnce:
    """Builds before the answer."""

    def submit(self, work: Callable[[], object]) -> None:
        work()


@pytest.fixture(autouse=True)
def _few_readers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FEED_CACHED_READERS = 3
    monkeypatch.setattr(timeline, "_builders", AtOnce)
    generation.renew()


@pytest.fixture
def redis() -> Redis:
    ours = client()
    assert ours is not None
    return ours


@pytest.fixture
def reader(user: User) -> User:
    return user


@pytest.fixture
def author(reader: User) -> User:
    """Somebody whom the reader follows."""
    person: User = UserFactory()
    Follow.objects.create(follower=reader, followee=person)
    return person


def key(reader: User, circle: str = "following") -> str:
    return List.of_reader(circle, reader.pk).key(generation.generation())


def publish(author: User, *, push: bool = True) -> int:
    """Publish a clip; with `push`, its job is done at once."""
    video = VideoFactory(author=author)
    fanout.announce(video)
    if push:
        fanout.deliver(video.pk, 0)
        PendingFanout.objects.all().delete()
    return int(video.pk)


def page(reader: User, mode: str = "following", limit: int = 20, **more: str) -> list[int]:
    asked = read_options({"mode": mode, "limit": str(limit), **more})
    made = make_page(reader, seed_of(asked, reader.pk), asked.skip, asked.limit)
    return [card["id"] for card in made.results]


def reads_of_lists(sent: list[Any]) -> list[Any]:
    """Those of some round trips in which a timeline was read."""
    return [command for command in sent if b"timeline:" in b"".join(command)]


def sql_of(ask: Callable[[], object]) -> str:
    with CaptureQueriesContext(connection) as captured:
        ask()
    return "\n".join(query["sql"] for query in captured)


def test_the_second_read_takes_its_places_from_redis(reader: User, author: User) -> None:
    posted = [publish(author) for _ in range(3)]
    first = sql_of(partial(page, reader))
    assert "LATERAL" in first
    second = sql_of(lambda: None if page(reader) == posted[::-1] else pytest.fail("order"))
    assert "LATERAL" not in second


def test_a_publication_is_pushed_to_who_reads(reader: User, author: User) -> None:
    publish(author)
    page(reader)
    new = publish(author)
    assert "LATERAL" not in sql_of(partial(page, reader))
    assert page(reader)[0] == new


def test_without_the_push_it_would_be_missing(reader: User, author: User) -> None:
    """What the row of the fan-out is there for: it is found before its job has run."""
    page(reader)
    new = publish(author, push=False)
    assert page(reader) == [new]
    PendingFanout.objects.all().delete()
    assert page(reader) == []


def test_a_reader_who_is_away_costs_no_key(reader: User, author: User, redis: Redis) -> None:
    before = set(redis.keys())
    publish(author)
    assert set(redis.keys()) == before


def test_a_fourth_reader_evicts_who_read_longest_ago(author: User, redis: Redis) -> None:
    people = [UserFactory() for _ in range(4)]
    for person in people:
        Follow.objects.create(follower=person, followee=author)
    for person in people[:3]:
        page(person)
    page(people[0])
    page(people[3])
    assert [bool(redis.exists(key(person))) for person in people] == [True, False, True, True]


def test_reading_makes_no_list_live_longer(reader: User, author: User, redis: Redis) -> None:
    """What a process that died before its message left behind ends one day."""
    page(reader)
    assert 0 < redis.ttl(key(reader)) <= timeline.LIFE_SECONDS
    redis.expire(key(reader), 100)
    page(reader)
    assert 0 < redis.ttl(key(reader)) <= 100


def test_a_list_never_exceeds_its_cap(reader: User, author: User, redis: Redis) -> None:
    page(reader)
    name, one = generation.generation(), List.of_reader("following", reader.pk)
    for number in range(1, 1000):
        timeline.push(redis, name, [one], (10**15 + number, number))
        assert redis.llen(one.key(name)) <= timeline.CAP + timeline.SLACK + 1
    known = timeline.newest(timeline.CIRCLES["following"], reader.pk)
    assert not known.complete
    floor = 10**15 + 999 - len(known.places)
    assert list(known.places) == [
        (floor + n, floor + n - 10**15) for n in range(len(known.places), 0, -1)
    ]


@pytest.mark.parametrize("meanwhile", [1, 21, 22, 400])
def test_nor_when_much_is_pushed_while_it_is_built(
    meanwhile: int, redis: Redis, reader: User
) -> None:
    name, one = generation.generation(), List.of_reader("following", reader.pk)
    mark = timeline.begin(redis, name, one)
    assert mark is not None
    places = [(1000 + n, n) for n in range(timeline.CAP, 0, -1)]
    pushed = [(9000 + n, 9000 + n) for n in range(1, meanwhile + 1)]
    for place in pushed:
        timeline.push(redis, name, [one], place)
    assert timeline.finish(redis, name, one, mark, places)
    assert redis.llen(one.key(name)) <= timeline.CAP + timeline.SLACK + 1
    known = list(timeline.newest(timeline.CIRCLES["following"], reader.pk).places)
    assert known == (pushed[::-1] + places)[: len(known)]
    assert len(known) >= timeline.CAP - 1


def test_a_list_that_outgrows_its_bound_while_it_is_built_is_built_anew(
    redis: Redis, reader: User
) -> None:
    """Its builder has died, or is very slow."""
    name, one = generation.generation(), List.of_reader("following", reader.pk)
    mark = timeline.begin(redis, name, one)
    assert mark is not None
    for n in range(1, 500):
        timeline.push(redis, name, [one], (9000 + n, n))
        assert redis.llen(one.key(name)) <= timeline.CAP + timeline.SLACK + 1
    assert not timeline.finish(redis, name, one, mark, [])


def test_a_late_push_that_is_cut_off_raises_the_floor(redis: Redis, reader: User) -> None:
    name, one = generation.generation(), List.of_reader("following", reader.pk)
    mark = timeline.begin(redis, name, one)
    assert mark is not None
    assert timeline.finish(redis, name, one, mark, [(1000 + n, n) for n in range(399, -1, -1)])
    timeline.push(redis, name, [one], (1200, 7000))
    for n in range(30):
        timeline.push(redis, name, [one], (5000 + n, 8000 + n))
    known = timeline.newest(timeline.CIRCLES["following"], reader.pk)
    cut = {(1000 + n, n) for n in range(400)} - set(known.places)
    assert cut
    assert max(cut) < min(known.places)


def test_past_what_is_cached_postgresql_goes_on(
    reader: User, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "CAP", 5)
    posted = [publish(author) for _ in range(12)]
    page(reader)
    assert page(reader) == posted[::-1]
    assert page(reader, limit=3) == posted[:-4:-1]


def test_a_push_from_below_the_floor_hides_nothing_above_it(
    reader: User, author: User, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job of long ago runs again."""
    monkeypatch.setattr(timeline, "CAP", 5)
    posted = [publish(author) for _ in range(12)]
    page(reader)
    first = Video.objects.get(pk=posted[0])
    one = List.of_reader("following", reader.pk)
    timeline.push(redis, generation.generation(), [one], (micros(first.published_at), first.pk))
    assert page(reader) == posted[::-1]


def test_a_page_that_is_topped_up_reads_its_list_once(
    reader: User, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "LARGEST_ROUND", 4)
    posted = [publish(author) for _ in range(20)]
    Video.objects.filter(pk__in=posted[5:]).update(hidden_at=timezone.now())
    page(reader)
    with round_trips(monkeypatch) as sent:
        queries = sql_of(partial(page, reader, limit=3))
    rounds = [query for query in queries.splitlines() if '"hidden_at" IS NULL' in query]
    assert len(rounds) > 2
    assert len(reads_of_lists(sent)) == 1
    assert queries.count("feeds_pendingfanout") == 1


def test_a_page_deeper_than_any_list_asks_postgresql_only(
    reader: User, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "CAP", 4)
    monkeypatch.setattr(timeline, "SLACK", 2)
    posted = [publish(author) for _ in range(12)][::-1]
    page(reader)
    asked = read_options({"mode": "following", "limit": "5"})
    seed, skip, served, counts = seed_of(asked, reader.pk), 0, [], []
    while skip < len(posted):
        with round_trips(monkeypatch) as sent:
            made = make_page(reader, seed, skip, 5)
        counts.append(len(reads_of_lists(sent)))
        served += [card["id"] for card in made.results]
        seed, skip = resume(made.seed, "following", None, reader.pk, made.next_skip), made.next_skip
    assert served == posted
    assert counts == [1, 1, 0]


def test_what_is_published_while_a_list_is_built_is_in_it(
    reader: User, author: User, redis: Redis
) -> None:
    old = publish(author)
    name, one = generation.generation(), List.of_reader("following", reader.pk)
    mark = timeline.begin(redis, name, one)
    assert mark is not None
    places = one.load()
    new = publish(author)
    assert timeline.begin(redis, name, one) is None, "two build at once"
    assert timeline.finish(redis, name, one, mark, places)
    assert page(reader) == [new, old]


def test_a_list_under_way_is_not_read(
    reader: User, author: User, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_bytes", bytes)  # a mark that could be taken for a floor
    old = publish(author)
    name, one = generation.generation(), List.of_reader("following", reader.pk)
    assert timeline.begin(redis, name, one)
    new = publish(author)
    assert page(reader) == [new, old]
    assert timeline.newest(timeline.CIRCLES["following"], reader.pk) is timeline.NOTHING


def test_building_is_announced_before_postgresql_is_read(
    reader: User, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is published right after that query would be lost otherwise."""
    old, new = publish(author), []
    load = List.load

    def load_and_publish(one: List) -> list[Place]:
        places = load(one)
        new.append(publish(author))
        return places

    with monkeypatch.context() as patch:
        patch.setattr(List, "load", load_and_publish)
        page(reader)
    assert "LATERAL" not in sql_of(partial(page, reader))
    assert page(reader) == [*new, old]


def test_a_list_dropped_while_it_is_built_is_not_finished(
    reader: User, author: User, redis: Redis
) -> None:
    name, one = generation.generation(), List.of_reader("following", reader.pk)
    mark = timeline.begin(redis, name, one)
    assert mark is not None
    timeline.drop(reader.pk)
    assert not timeline.finish(redis, name, one, mark, one.load())


def test_follow_and_unfollow_hold_at_once(reader: User, author: User) -> None:
    other: User = UserFactory()
    theirs = publish(other)
    ours = publish(author)
    assert page(reader) == page(reader) == [ours]
    relationships.follow(reader, other)
    assert page(reader) == [ours, theirs]
    relationships.unfollow(reader, other)
    assert page(reader) == [ours]


def test_a_push_after_an_unfollow_shows_nothing(reader: User, author: User, redis: Redis) -> None:
    page(reader)
    Follow.objects.filter(follower=reader).delete()
    name, video = generation.generation(), VideoFactory(author=author)
    place = (micros(video.published_at), video.pk)
    assert timeline.push(redis, name, [List.of_reader("following", reader.pk)], place) == 1
    assert page(reader) == []


def test_friends_have_lists_of_their_own(reader: User, author: User) -> None:
    friend: User = UserFactory()
    befriend(reader, friend)
    page(reader, "friends")
    mine, theirs = publish(friend), publish(author)
    assert page(reader, "friends") == [mine]
    assert page(reader) == [theirs, mine]


def test_a_friendship_holds_at_once(reader: User, author: User) -> None:
    theirs = publish(author)
    assert page(reader, "friends") == page(reader, "friends") == []
    relationships.follow(author, reader)
    assert page(reader, "friends") == page(reader, "friends") == [theirs]
    relationships.unfollow(author, reader)
    assert page(reader, "friends") == []


def test_what_becomes_public_moves_to_its_new_place(reader: User, author: User) -> None:
    """Its first one, from when it was for nobody, is in the list already."""
    moved = VideoFactory(author=author, visibility="private")
    other = publish(author)
    assert page(reader) == [other]
    publishing.edit_video(author, moved.pk, visibility="public")
    fanout.deliver(moved.pk, 0)
    PendingFanout.objects.all().delete()
    known = timeline.newest(timeline.CIRCLES["following"], reader.pk)
    assert [pk for _, pk in known.places] == page(reader) == [moved.pk, other]


def test_a_process_that_is_behind_finds_what_was_pushed_to_the_new_lists(
    reader: User, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(reader)
    before = generation.generation()
    generation.renew()
    videos = [VideoFactory(author=author) for _ in range(2)]
    for video in videos:
        fanout.announce(video)
        fanout.deliver(video.pk, 0)
    monkeypatch.setattr(generation, "generation", lambda: before)
    assert page(reader) == [video.pk for video in reversed(videos)]


def test_one_job_reaches_all_followers_in_batches(
    author: User, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "BATCH", 2)
    monkeypatch.setattr(fanout, "BATCHES", 2)
    pushed: list[int] = []

    def counted(redis: Redis, name: str, lists: list[List], place: Any) -> int:
        pushed.extend(one.owner for one in lists)
        return 0

    monkeypatch.setattr(timeline, "push", counted)
    followers = [reader.pk]
    for _ in range(8):
        person = UserFactory()
        Follow.objects.create(follower=person, followee=author)
        followers.append(person.pk)
    video = VideoFactory(author=author)
    fanout.announce(video)
    reached: int | None = 0
    jobs = 0
    while reached is not None:
        reached = fanout.deliver(video.pk, reached)
        jobs += 1
    assert pushed == sorted(followers)
    assert jobs == 3
    assert fanout.deliver(video.pk, 0) is None, "it is delivered"


def test_a_job_of_before_does_not_finish_a_publication_after(
    author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = VideoFactory(author=author, visibility="friends")
    fanout.announce(video)

    def announced_anew(*_: object) -> bool:
        publication.stamp(video)
        fanout.announce(video)
        return True

    monkeypatch.setattr(fanout, "_push", announced_anew)
    fanout.deliver(video.pk, 0)
    assert PendingFanout.objects.get().delivered_at is None


def test_an_author_whom_many_follow_is_pulled(
    reader: User, author: User, settings: Any, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FEED_PUSH_MAX_FOLLOWERS = 10
    old = publish(author)
    page(reader)
    User.objects.filter(pk=author.pk).update(followers_count=1_000_000)
    monkeypatch.setattr(fanout, "_followers", lambda *_: pytest.fail("followers were asked for"))
    sent: list[object] = []
    run = Script.run
    with monkeypatch.context() as patched:
        patched.setattr(Script, "run", lambda *given: sent.append(given) or run(*given))
        new = publish(author)
    assert len(sent) == 1
    assert PullAuthor.objects.filter(author=author, ended_at=None).exists()
    assert page(reader) == page(reader) == [new, old]
    assert "LATERAL" not in sql_of(partial(page, reader))
    newest = publish(author)
    assert page(reader) == [newest, new, old]


def test_crossing_the_bound_both_ways_loses_nothing(
    reader: User, author: User, settings: Any
) -> None:
    settings.FEED_PUSH_MAX_FOLLOWERS = 10
    posted: list[int] = []
    for count in (5, 100, 100, 7, 2, 2, 100, 2):
        User.objects.filter(pk=author.pk).update(followers_count=count)
        posted.append(publish(author))
        assert page(reader) == page(reader) == posted[::-1]
    PullAuthor.objects.all().delete()  # the minute after the last crossing is over
    assert page(reader) == posted[::-1]


def test_a_process_that_is_behind_still_looks_into_an_outbox_that_has_ended(
    reader: User, author: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FEED_PUSH_MAX_FOLLOWERS = 10
    page(reader)
    posted: list[int] = []
    for count in (100, 2):
        before = generation.generation()
        User.objects.filter(pk=author.pk).update(followers_count=count)
        posted.append(publish(author))
        page(reader)
    assert generation.generation() != before
    monkeypatch.setattr(generation, "generation", lambda: before)
    assert page(reader)[-1] == posted[0]


def test_without_redis_the_page_is_the_same_and_nothing_is_lost(
    reader: User, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = [publish(author) for _ in range(3)]
    page(reader)

    def away(*_: object) -> None:
        raise ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setattr(Script, "run", away)
        assert page(reader) == posted[::-1]
        posted.append(publish(author))
    assert page(reader) == page(reader) == posted[::-1]


def test_the_services_bring_it_about(reader: User, author: User, run_jobs: Any) -> None:
    page(reader)
    video = VideoFactory(author=author)
    with transaction.atomic():
        signals.video_published.send(sender=Video, video=video)
    assert page(reader) == [video.pk]
    run_jobs()
    assert PendingFanout.objects.get().delivered_at is not None
    PendingFanout.objects.all().delete()
    assert page(reader) == [video.pk]
    fan_out.func(video.pk)  # again: nothing happens
    assert page(reader) == [video.pk]


def jobs_of(video: int) -> list[ProcrastinateJob]:
    found = ProcrastinateJob.objects.filter(task_name=fan_out.name, args__video_id=video)
    return list(found.order_by("id"))


def announced(author: User, run_jobs: Any) -> int:
    """Publish a clip with its job."""
    video = VideoFactory(author=author)
    with transaction.atomic():
        signals.video_published.send(sender=Video, video=video)
    run_jobs()
    return int(video.pk)


def test_a_delivery_that_failed_is_tried_again_and_arrives(
    reader: User,
    author: User,
    run_jobs: Any,
    monkeypatch: pytest.MonkeyPatch,
    failed_jobs_expected: None,
) -> None:
    monkeypatch.setattr(fan_out, "retry_strategy", None)
    page(reader)
    with monkeypatch.context() as patched:
        patched.setattr(fanout, "deliver", lambda *_: 1 / 0)
        video = announced(author, run_jobs)
    assert [job.status for job in jobs_of(video)] == ["failed"]
    revive_fan_outs.func(0)
    assert [job.status for job in jobs_of(video)] == ["todo"]
    revive_fan_outs.func(0)
    run_jobs()
    assert [job.status for job in jobs_of(video)] == ["succeeded"]
    monkeypatch.setattr(fanout, "KEPT", -fanout.KEPT)
    revive_fan_outs.func(0)
    assert not PendingFanout.objects.exists()
    assert page(reader) == [video]


def test_a_delivery_that_never_succeeds_ends_with_a_new_generation(
    reader: User,
    author: User,
    run_jobs: Any,
    monkeypatch: pytest.MonkeyPatch,
    failed_jobs_expected: None,
) -> None:
    page(reader)
    monkeypatch.setattr(fan_out, "retry_strategy", None)
    monkeypatch.setattr(fanout, "deliver", lambda *_: 1 / 0)
    video, before = announced(author, run_jobs), generation.generation()
    for _ in range(FAN_OUT_ATTEMPTS + 1):
        revive_fan_outs.func(0)
        run_jobs()
    assert [job.status for job in jobs_of(video)] == ["failed"]
    assert generation.generation() != before
    assert PendingFanout.objects.get().delivered_at is not None
    PendingFanout.objects.all().delete()
    assert page(reader) == page(reader) == [video]


def test_a_delivery_whose_job_was_lost_gets_another(author: User, run_jobs: Any) -> None:
    video = publish(author, push=False)
    assert jobs_of(video) == []
    revive_fan_outs.func(0)
    revive_fan_outs.func(0)
    assert len(jobs_of(video)) == 1
    run_jobs()
    assert PendingFanout.objects.get().delivered_at is not None


def test_a_list_of_the_longest_kind_takes_less_than_six_kilobytes(
    reader: User, redis: Redis
) -> None:
    name, one = generation.generation(), List.of_reader("following", reader.pk)
    mark = timeline.begin(redis, name, one)
    assert mark is not None
    places = [(1_700_000_000_000_000 + n * 7919, 10**9 + n) for n in range(timeline.CAP, 0, -1)]
    timeline.finish(redis, name, one, mark, places)
    assert redis.memory_usage(one.key(name)) < 6_000


def test_postgresql_that_goes_right_after_a_follow_takes_no_message_along(
    reader: User, author: User, redis: Redis
) -> None:
    """Else the list would be without what the one who is followed posted before, for good."""
    other: User = UserFactory()
    theirs, ours = publish(other), publish(author)
    page(reader)
    with transaction.atomic():
        relationships.follow(reader, other)
        waiting, connection.run_on_commit = connection.run_on_commit, []
    with without_postgresql():
        for _, message, _ in waiting:
            message()
    assert page(reader) == page(reader) == [ours, theirs]


@pytest.mark.parametrize(
    "miss",
    [timeline.build, lambda one: timeline.newest(timeline.CIRCLES["following"], one.owner)],
    ids=["build", "read"],
)
def test_many_who_miss_at_once_have_a_list_built_once(
    miss: Callable[[List], object],
    reader: User,
    author: User,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL is read by the first of them, and takes until all others have been there."""
    video, one = VideoFactory(author=author), List.of_reader("following", reader.pk)
    begin, others, loaded = threading.Barrier(MISSING), threading.Semaphore(0), []
    load = List.load

    def load_slowly(self: List) -> list[Place]:
        loaded.append(self)
        assert all(others.acquire(timeout=10) for _ in range(MISSING - 1))
        return load(self)

    def come() -> None:
        begin.wait(10)
        miss(one)
        others.release()
        connection.close()

    monkeypatch.setattr(List, "load", load_slowly)
    threads = [threading.Thread(target=come) for _ in range(MISSING)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded == [one]
    entries = redis.lrange(one.key(generation.generation()), 0, -1)
    assert [timeline.unpack(entry)[1] for entry in entries[:-1]] == [video.pk]


def test_the_name_is_as_old_as_the_question_and_not_as_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL takes longer to answer than a name may be old, and another process begins anew."""
    now, ask = [0.0], generation._current

    def ask_slowly() -> str:
        name = ask()
        now[0] += recent.SECONDS + 0.1
        CacheGeneration.objects.update(name=new_generation())
        return name

    monkeypatch.setattr(recent, "time", SimpleNamespace(monotonic=lambda: now[0]))
    generation.forget()
    with monkeypatch.context() as patch:
        patch.setattr(generation, "_current", ask_slowly)
        old = generation.generation()
    assert generation.generation() == CacheGeneration.objects.get().name != old
