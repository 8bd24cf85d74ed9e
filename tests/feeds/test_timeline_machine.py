"""Timelines against PostgreSQL alone, whatever happens in whatever order, on a real Redis.

A few readers and authors do what people do; jobs are late, die and run again; lists are built in
the middle of all that, get lost, are evicted; Redis stops answering in three ways. After each
step, what the caches give each reader is what one query of our own gives.

What may be late: nothing, in a process that knows the present generation. One that does not know
yet that it ended (for a second, see `recent.SECONDS`) is played too, for as long as the
rows of what was pushed are kept: there, a *follow* or a new friendship may be late, as its message
goes to the new names; a publication may not, whether its job has run or not, and what somebody
may not see any more is not shown.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TestCase
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import RedisError

from accounts import services as people
from accounts.models import Block, Follow, User
from feeds import circles, fanout, timeline
from feeds.models import PendingFanout, PullAuthor
from feeds.modes import MODES
from feeds.options import Asked, seed_of
from feeds.paging import Page, make_page
from feeds.seeds import Place, micros, new_seed
from feeds.tasks import fan_out
from feeds.timeline import List
from tests.factories import befriend
from tests.feeds.caching import Later, Silence, connected, use_client
from tests.feeds.worlds import publish
from tiktok_clone.common import generation, jobs, recent, redis, signing
from tiktok_clone.common.errors import DomainError
from videos import signals
from videos.models import SlotEpoch, Video, Visibility
from videos.services import moderation, publishing

pytestmark = pytest.mark.django_db
READERS, AUTHORS, CACHED = 3, 4, 2
CAP, SLACK, OUTBOX_CAP, MANY = 7, 1, 4, 100
CIRCLES = ("following", "friends")
EXAMPLES = 25

authors, numbers = st.integers(0, AUTHORS - 1), st.integers(0, 9)
# Picked evenly, so what matters most stands here more than once. All of them may happen in the
# middle of a build too.
ACTS = [
    *["post", "post_and_push", "post_and_push", "job", "job", "job_dies", "famous"],
    *["follow", "follow", "follow", "follow_back", "follow_back", "unfollow", "block", "mute"],
    *["hidden", "shown", "deleted", "narrowed", "widened", "closed"],
    *["read", "read", "build", "build"],
    *["evict", "expire", "flush", "go_silent", "answer", "answer"],
]
acts = st.tuples(st.sampled_from(ACTS), authors, numbers)
some_acts = st.lists(acts, max_size=3)

# The oracle: what the latest order of a reader is, in words of its own.
ORDER = """
SELECT video.published_at, video.id
FROM videos_video AS video JOIN accounts_user AS author ON author.id = video.author_id
WHERE video.status = 'ready' AND video.published_at IS NOT NULL AND video.hidden_at IS NULL
  AND (video.visibility = 'public' OR video.visibility = 'friends' AND {friends})
  AND {circle}
  AND NOT EXISTS (
    SELECT FROM accounts_block
    WHERE (blocker_id, blocked_id) IN ((%(reader)s, author.id), (author.id, %(reader)s)))
  AND NOT EXISTS (
    SELECT FROM accounts_mute WHERE muter_id = %(reader)s AND muted_id = author.id)
ORDER BY 1 DESC, 2 DESC
"""
FRIENDS = """EXISTS (
    SELECT FROM accounts_friendship
    WHERE low_id = least(author.id, %(reader)s) AND high_id = greatest(author.id, %(reader)s))"""
FOLLOWED = """EXISTS (
    SELECT FROM accounts_follow WHERE follower_id = %(reader)s AND followee_id = author.id)"""
ORDERS = {
    "following": ORDER.format(friends=FRIENDS, circle=FOLLOWED),
    "friends": ORDER.format(friends=FRIENDS, circle=FRIENDS),
}


def expected(reader: User, circle: str) -> list[Place]:
    """What PostgreSQL alone gives."""
    with connection.cursor() as cursor:
        cursor.execute(ORDERS[circle], {"reader": reader.pk})
        return [(micros(time), pk) for time, pk in cursor.fetchall()]


class DiedError(Exception):
    """A process ended here."""


class Builders(Later):
    """Each list waits once, however many rounds a page took."""

    def submit(self, work: Callable[[], object]) -> bool:
        waits = any(work.args == other.args for other in self.waiting)
        return not waits and super().submit(work)


class Timelines(RuleBasedStateMachine):
    """Most acts are (who, which): an author, and a number that picks the reader, video or job."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.builders = Builders()
        self.patch.setattr(timeline, "_builders", lambda: self.builders)
        self.patch.setattr(timeline.List, "load", self.load())
        self.patch.setattr(jobs, "enqueue", self.enqueue)
        self.meanwhile: list[list[Any]] = []
        self.jobs: list[dict[str, int]] = []
        self.scrolls: dict[tuple[int, str], Page] = {}
        self.have_read: set[int] = set()
        self.silence: Silence | None = None
        connected().flushdb()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        generation.renew()
        self.name, self.stale = generation.generation(), ""
        self.grown: set[int] = set()
        self.behind: set[int] = set()
        self.settle_in()

    def settle_in(self) -> None:
        """Each reader follows two authors, one of them a friend; two readers have their lists."""
        everybody = User.objects.bulk_create(
            User(email=f"m{n}@example.org", handle=f"machine{n}", name="M", password="!")
            for n in range(READERS + AUTHORS)
        )
        self.readers, self.authors = everybody[:READERS], everybody[READERS:]
        User.objects.update(followers_count=READERS, following_count=AUTHORS)
        for number, reader in enumerate(self.readers):
            befriend(reader, self.authors[number])
            Follow.objects.create(follower=reader, followee=self.authors[number + 1])
        for author in self.authors * 2:
            publish(author)
        for number in range(CACHED):
            for circle in CIRCLES:
                self.turn_the_page(number, circle, limit=2, anew=True, built=True)

    def teardown(self) -> None:
        self.patch.undo()
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)
        generation.forget()

    def load(self) -> Callable[[List], list[Place]]:
        """What PostgreSQL has for a list, with what happens around that query."""
        real = List.load

        def load(one: List) -> list[Place]:
            before, after = self.meanwhile or ([], [])
            self.meanwhile = []
            self.do(before)
            places = real(one)
            self.do(after)
            return places

        return load

    def do(self, acts: list[Any]) -> None:
        for name, who, which in acts:
            getattr(self, name)(who, which)

    def enqueue(self, job: Any, **values: Any) -> None:
        """Jobs of the feed wait here; the others are nobody's business."""
        if job is fan_out:
            self.jobs.append({"after": 0, **values})

    def act(self, service: Callable[..., object], *given: object, **more: object) -> None:
        """Do it, and what waits for its commit; what is refused does nothing."""
        with TestCase.captureOnCommitCallbacks(execute=True), suppress(DomainError):
            service(*given, **more)

    def reader(self, which: int) -> User:
        return self.readers[which % READERS]

    def some_of(self, who: int, which: int) -> list[int]:
        """One of the author's clips, if there is any."""
        found = list(Video.objects.filter(author=self.authors[who]).order_by("-pk"))
        return [found[which % len(found)].pk] if found else []

    @rule(act=acts)
    def happens(self, act: tuple[str, int, int]) -> None:
        """One rule for all, or Hypothesis would leave most of them out of most runs."""
        self.do([act])

    # What people do.

    def post(self, who: int, which: int) -> None:
        """Publish; now and then for friends, or for nobody yet. Its job is late."""
        author = User.objects.get(pk=self.authors[who].pk)
        kinds = {0: Visibility.FRIENDS, 9: Visibility.PRIVATE}
        visibility = kinds.get(which, Visibility.PUBLIC)

        def publish_it() -> None:
            with transaction.atomic():
                video = Video.objects.get(pk=publish(author, visibility))
                if visibility != Visibility.PRIVATE:
                    signals.video_published.send(sender=Video, video=video)

        self.act(publish_it)

    def post_and_push(self, who: int, which: int) -> None:
        self.post(who, which)
        while self.jobs:
            self.job(who, which)

    def follow(self, who: int, which: int) -> None:
        self.grown.add(self.reader(which).pk)
        self.act(people.follow, self.reader(which), self.authors[who])

    def follow_back(self, who: int, which: int) -> None:
        self.grown.add(self.reader(which).pk)
        self.act(people.follow, self.authors[who], self.reader(which))

    def unfollow(self, who: int, which: int) -> None:
        self.act(people.unfollow, self.reader(which), self.authors[who])

    def block(self, who: int, which: int) -> None:
        """Or take it back."""
        pair = self.pair(who, which)
        blocked = Block.objects.filter(blocker=pair[0], blocked=pair[1]).exists()
        self.act(people.unblock if blocked else people.block, *pair)

    def pair(self, who: int, which: int) -> tuple[User, User]:
        reader, author = self.reader(which), self.authors[who]
        return (reader, author) if which % 2 else (author, reader)

    def mute(self, who: int, which: int) -> None:
        service = people.mute if which % 2 else people.unmute
        self.act(service, self.reader(which), self.authors[who])

    def hidden(self, who: int, which: int) -> None:
        for video in self.some_of(who, which):
            self.act(moderation.hide_video, video)

    def shown(self, who: int, which: int) -> None:
        for video in Video.objects.filter(author=self.authors[who]).exclude(hidden_at=None):
            self.act(moderation.show_video, video.pk)

    def deleted(self, who: int, which: int) -> None:
        for video in self.some_of(who, which):
            self.act(publishing.delete_video, self.authors[who], video)

    def widened(self, who: int, which: int) -> None:
        """What was for few becomes public: where it was for nobody, with a new time."""
        for video in Video.objects.filter(author=self.authors[who]).exclude(visibility="public"):
            self.edit(who, video.pk, Visibility.FRIENDS if which == 0 else Visibility.PUBLIC)

    def narrowed(self, who: int, which: int) -> None:
        for video in self.some_of(who, which):
            self.edit(who, video, Visibility.FRIENDS if which % 2 else Visibility.PRIVATE)

    def edit(self, who: int, video: int, visibility: str) -> None:
        self.act(publishing.edit_video, self.authors[who], video, visibility=visibility)

    def closed(self, who: int, which: int) -> None:
        """Private, or public again."""
        self.act(people.update_profile, self.authors[who], {"is_private": which % 3 == 0})

    def famous(self, who: int, which: int) -> None:
        """Many more begin to follow, or stop; it counts at the next publication."""
        row = User.objects.filter(pk=self.authors[who].pk)
        count = row.values_list("followers_count", flat=True).get()
        row.update(followers_count=count - MANY if count >= MANY else count + MANY)

    # What machines do.

    def job_dies(self, who: int, which: int) -> None:
        self.job(who, which, dies=True)

    def job(self, who: int, which: int, *, dies: bool = False) -> None:
        """A part of any job runs. One that dies before it is noted as done runs again."""
        if not self.jobs:
            return
        wanted = self.jobs.pop(which % len(self.jobs))
        with pytest.MonkeyPatch.context() as patch, suppress(DiedError):
            if dies:
                self.jobs.append(wanted)
                patch.setattr(fanout, "_finish", die)
            self.act(fan_out.func, **wanted)

    @rule(which=numbers, before=some_acts, after=some_acts)
    @precondition(lambda self: self.builders.waiting)
    def build_while(self, which: int, before: list[Any], after: list[Any]) -> None:
        """A list is built, and much happens meanwhile, another build too."""
        self.meanwhile = [before, after]
        self.build(0, which)
        self.meanwhile = []

    def build(self, who: int, which: int) -> None:
        if self.builders.waiting:
            work = self.builders.waiting.pop(which % len(self.builders.waiting))
            with suppress(RedisError):
                work()

    def flush(self, who: int, which: int) -> None:
        connected().flushdb()

    def evict(self, who: int, which: int) -> None:
        """Redis is short of memory."""
        of_now = [key for key in lists() if self.name.encode() in key]
        if of_now:
            connected().delete(of_now[which % len(of_now)])

    def expire(self, who: int, which: int) -> None:
        """Whoever was building a list took too long, or died."""
        for key in lists():
            if not is_ready(key):
                connected().delete(key)

    def go_silent(self, who: int, which: int) -> None:
        if self.silence is None:
            self.silence = Silence(("down", "deaf", "frozen")[which % 3])
            use_client(self.patch, self.silence.client)

    def answer(self, who: int, which: int) -> None:
        if self.silence is not None:
            use_client(self.patch, connected())
            self.silence.end()
            self.silence = None

    @rule()
    def time_passes(self) -> None:
        """More than what is waited for: rows of what was pushed, and old outboxes, go."""
        PendingFanout.objects.exclude(delivered_at=None).delete()
        PullAuthor.objects.exclude(ended_at=None).update(
            ended_at=timezone.now() - timedelta(minutes=2)
        )
        self.expire(0, 0)
        self.stale = ""

    # What readers see.

    @rule(
        which=numbers,
        circle=st.sampled_from(CIRCLES),
        limit=st.integers(1, 4),
        anew=st.booleans(),
        built=st.sampled_from([True, True, False]),
    )
    def turn_the_page(self, which: int, circle: str, limit: int, anew: bool, built: bool) -> None:
        """Ask as the API does, for the first page or the one after the last."""
        reader = self.reader(which)
        self.have_read.add(reader.pk)
        before = None if anew else self.scrolls.get((reader.pk, circle))
        goes_on = (before.seed, before.next_skip) if before else (None, 0)
        asked = Asked(circle, "latest", *goes_on, limit)
        seed = seed_of(asked, reader.pk)
        page = make_page(reader, seed, asked.skip, limit)
        start = seed.place or (micros(seed.snapshot.taken_at), 2**63)
        rest = [place for place in expected(reader, circle) if place < start]
        if before is not None and before.end:
            rest = []
        assert [card.video for card in page.shown] == [pk for _, pk in rest[:limit]]
        assert page.end == (len(rest) <= limit)
        self.scrolls[reader.pk, circle] = page
        while built and self.builders.waiting:
            self.build(0, which)

    def read(self, who: int, which: int) -> None:
        self.turn_the_page(which, CIRCLES[who % 2], limit=2, anew=True, built=False)

    @invariant()
    def all_readers_find_what_postgresql_has(self) -> None:
        self.look_at_generations()
        for reader in self.readers:
            for circle in CIRCLES:
                whole = expected(reader, circle)
                assert found(reader, circle, whole) == whole
                if self.stale and reader.pk not in self.behind:
                    with known_as(self.stale):
                        assert found(reader, circle, whole) == whole, "in a process that is behind"

    def look_at_generations(self) -> None:
        name = generation.generation()
        if name != self.name:
            self.name, self.stale, self.behind = name, self.name, set()
        self.behind |= self.grown
        self.grown = set()

    @invariant()
    def caches_obey_their_bounds(self) -> None:
        kept: dict[bytes, set[int]] = {}
        for key in lists():
            _, name, kind, *circle, owner = key.split(b":")
            cap = OUTBOX_CAP if kind == b"outbox" else CAP
            assert connected().llen(key) <= cap + SLACK + 1, "with its mark"
            assert connected().ttl(key) > 0
            if circle:
                assert int(owner) in self.have_read
            if circle and is_ready(key):
                kept.setdefault(name, set()).add(int(owner))
        assert all(len(who) <= CACHED for who in kept.values())


def die(*_: object) -> None:
    raise DiedError


def lists() -> list[bytes]:
    """The keys of all lists, of earlier generations too; by length, as ids get longer."""
    keys = connected().keys("feeds:*:timeline:*") + connected().keys("feeds:*:outbox:*")
    return sorted(keys, key=lambda key: (len(key), key))


def is_ready(key: bytes) -> bool:
    mark: Any = connected().lindex(key, -1)
    return bool(mark[:1] == b"F")


def found(reader: User, circle: str, shown: list[Place]) -> list[Place]:
    """The candidates that come from the caches, the first ones and then the rest.

    Only of videos that may be shown, but wherever they are. It renews and builds nothing.
    """
    seed, mode = new_seed(circle, "latest", reader.pk), MODES[circle]["latest"]
    real = timeline._read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timeline, "_read", lambda redis, name, _, lists: real(redis, name, 0, lists))
        patch.setattr(timeline, "_builders", Builders)
        source = mode.source(seed, 0)
        candidates = source(None, 3)
        if len(candidates) == 3:
            candidates += source(candidates[-1].place, 1000)
    ids = {pk for _, pk in shown}
    return [one.place for one in candidates if one.name in ids]


@contextmanager
def known_as(name: str) -> Iterator[None]:
    """A process that has not heard yet of the latest generation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "generation", lambda: name)
        yield


@pytest.fixture
def small(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.REDIS_TIMEOUT = 10  # it is away when the machine says so
    redis._client.cache_clear()
    settings.FEED_CACHED_READERS = CACHED
    settings.FEED_PUSH_MAX_FOLLOWERS = MANY // 2
    small: list[tuple[Any, str, Any]] = [
        (timeline, "CAP", CAP),
        (timeline, "SLACK", SLACK),
        (timeline, "OUTBOX_CAP", OUTBOX_CAP),
        (timeline, "MERGED_OUTBOXES", 2),
        (circles, "MERGED_PEOPLE", 2),
        (fanout, "BATCH", 2),
        (fanout, "BATCHES", 1),
        (fanout, "KEPT", timedelta(hours=1)),  # it ends when the machine says so
    ]
    for module, name, value in small:
        monkeypatch.setattr(module, name, value)
    # Rows that are always there are made outside of what each example rolls back.
    monkeypatch.setattr(recent, "SECONDS", 1e9)
    signing.current_epoch()
    SlotEpoch.objects.current()
    yield
    redis._client.cache_clear()


@pytest.mark.usefixtures("small")
def test_timelines() -> None:
    hits = timeline.COUNTED.labels("hit")._value
    before = hits.get()
    hypothesis = hypothesis_settings(max_examples=EXAMPLES, stateful_step_count=25)
    run_state_machine_as_test(Timelines, settings=hypothesis)
    assert hits.get() - before > 10 * EXAMPLES, "too few hits to prove anything"
