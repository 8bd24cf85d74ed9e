"""A new epoch of the slots: who reads in the one before notices nothing."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from feeds.compaction import FEWEST_PLACES, NotNowError, compact
from feeds.seeds import LIFETIME, new_seed, read_token, sign, take_snapshot
from feeds.shuffle import Permutation
from feeds.tasks import compact_slots
from tests.accounts.racing import wait_for_a_lock
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import UserFactory, befriend
from tests.feeds.scroll import FEED, ORDERS, follow_up, ids, pages, scroll
from tests.feeds.test_histories import Reader, integers
from tests.feeds.test_live import STABLE, Browser, Writers, scroll_while_it_changes
from tests.feeds.worlds import PEOPLE, World, histories, publish
from tiktok_clone.common import signing
from tiktok_clone.common.errors import DomainError
from videos.models import SlotEpoch, SlotRun, Video

pytestmark = pytest.mark.django_db
SECONDS = 1.5


@pytest.fixture(autouse=True)
def _rows_that_are_always_there() -> None:
    """Made outside of the transactions that each example rolls back."""
    signing.current_epoch()
    SlotEpoch.objects.current()


def end_epoch() -> None:
    """Begin a new epoch, however early it is."""
    assert SlotEpoch.objects.compact(SlotEpoch.objects.current().epoch)


class Watched:
    """A reader of `all`, what was live all the time, and the order as it was at the first page."""

    def __init__(self, world: World, integer: int | None = None) -> None:
        self.reader = Reader(world, "all", "shuffle", integer)
        self.always = world.visible("all")
        seed = read_token(self.reader.read(1).seed)
        places = Permutation(seed.snapshot.used, seed.key).slots(0, seed.snapshot.used)
        slots = SlotRun.objects.slots(seed.snapshot.epoch, places)
        videos = dict(Video.objects.exclude(slot=None).values_list("slot", "pk"))
        self.order = [videos[slot] for slot in slots if slot in videos]

    def look(self) -> None:
        """Forget what is not live any more, as long as there is something to read."""
        if self.reader.page and not self.reader.page.end:
            self.always &= self.reader.world.visible("all") | set(self.reader.seen)

    def finish(self) -> None:
        """Read to the end, and check what must hold for the whole."""
        self.reader.finish()
        seen = self.reader.seen
        assert self.always <= set(seen), "3: live all the time, and not served"
        assert seen == [video for video in self.order if video in seen], "another sequence"
        self.reader.read(5)


def play(world: World, history: list[Any], *watched: Watched) -> None:
    """Let people act, and everybody read in turn."""
    for name, who, which in history:
        if name == "read":
            for one in watched:
                one.reader.read(who)
        else:
            world.act(name, who, which)
        for one in watched:
            one.look()


# The last slot is among them.
DELETIONS: list[Any] = [("delete", PEOPLE - 1, 3), *(("delete", n, n) for n in range(PEOPLE))]
HIDES: list[Any] = [("hide", n, 0) for n in range(PEOPLE)]
SHOWS: list[Any] = [("show", n, 0) for n in range(PEOPLE)]


@settings(max_examples=40)
@given(
    epochs=st.integers(0, 2),
    before=histories,
    during=histories,
    after=histories,
    integer=integers,
)
@example(epochs=0, before=DELETIONS, during=HIDES, after=SHOWS, integer=None)
@example(epochs=0, before=HIDES, during=SHOWS + DELETIONS, after=HIDES + SHOWS, integer=None)
@example(epochs=2, before=DELETIONS, during=[("publish", 1, 1)] * 5, after=DELETIONS, integer=7)
def test_readers_of_both_epochs(
    epochs: int, before: Any, during: Any, after: Any, integer: int | None
) -> None:
    """One begins before the compaction, one after it; both are served as if there were none."""
    with transaction.atomic():
        world = World.create()
        for n in range(4 * PEOPLE):
            world.act("publish", n % PEOPLE, n)
        for _ in range(epochs):
            play(world, [*before, ("delete", 1, 1)])
            end_epoch()
        play(world, before)
        old = Watched(world, integer)
        play(world, during, old)
        end_epoch()
        for n in range(2):
            world.act("publish", n, 1)
        new = Watched(world)
        play(world, after, old, new)
        old.finish()
        new.finish()
        transaction.set_rollback(True)


@settings(max_examples=60)
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["publish", "publish", "delete", "compact"]), st.integers(0, 30)),
        max_size=30,
    )
)
def test_places_are_the_slots_that_were_left_and_then_those_of_later(
    acts: list[tuple[str, int]],
) -> None:
    with transaction.atomic():
        author = UserFactory()
        expected: list[list[int]] = [[]]  # for each epoch, the slot of each place
        for name, which in acts:
            kept = list(Video.objects.order_by("slot").values_list("slot", flat=True))
            if name == "publish":
                publish(author)
                expected[-1].append(SlotEpoch.objects.current().used - 1)
            elif name == "compact":
                end_epoch()
                expected.append(kept)
            elif kept:
                Video.objects.filter(slot=kept[which % len(kept)]).delete()
        assert take_snapshot().used == len(expected[-1])
        # The last three: the two that seeds may have, and that of a request under way.
        for epoch, slots in list(enumerate(expected, start=1))[-3:]:
            places = random.Random(epoch).sample(range(len(slots)), len(slots))
            assert SlotRun.objects.slots(epoch, places) == [slots[place] for place in places]
        transaction.set_rollback(True)


@pytest.fixture
def clips() -> list[int]:
    """Ten videos of somebody, every second one of which is deleted again."""
    author = UserFactory()
    videos = [publish(author) for _ in range(10)]
    Video.objects.filter(pk__in=videos[::2]).delete()
    return videos[1::2]


class TestSeeds:
    """Over HTTP."""

    ASKED = {"mode": "all", "limit": 2}

    def refused(self, client: ApiClient, options: dict[str, Any]) -> str:
        answer = client.get(FEED, options, expect=400)
        assert "leave the seed out to get a new one" in answer["detail"]
        return answer["code"]

    @pytest.mark.parametrize(("mode", "order"), ORDERS)
    def test_of_the_last_epoch_goes_on(
        self, mode: str, order: str, user: User, as_user: ApiClient, clips: list[int]
    ) -> None:
        befriend(user, Video.objects.get(pk=clips[0]).author)
        page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 2})
        whole = ids(page) + scroll(as_user, **follow_up(page))
        end_epoch()
        assert ids(page) + scroll(as_user, **follow_up(page)) == whole
        assert sorted(whole) == clips

    def test_of_two_epochs_ago_is_refused(self, as_user: ApiClient, clips: list[int]) -> None:
        page = as_user.get(FEED, self.ASKED)
        end_epoch()
        end_epoch()
        assert self.refused(as_user, follow_up(page)) == "seed_expired"
        assert sorted(scroll(as_user, **self.ASKED)) == clips

    def test_an_integer_of_the_last_epoch_goes_on(
        self, as_user: ApiClient, clips: list[int]
    ) -> None:
        asked = self.ASKED | {"seed": 42}
        whole = scroll(as_user, **asked)
        end_epoch()
        assert scroll(as_user, **asked) == whole
        end_epoch()
        assert self.refused(as_user, asked | {"skip": 1}) == "seed_expired"

    def test_a_token_of_a_process_that_knows_no_runs_is_refused(
        self, user: User, clips: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        end_epoch()
        seed = new_seed("all", "shuffle", user.pk)
        assert read_token(sign(seed)) == seed
        with monkeypatch.context() as older:
            older.setattr("feeds.seeds._version", lambda _: 1)
            token = sign(seed)
        with pytest.raises(DomainError) as refused:
            read_token(token)
        assert refused.value.code == "seed_invalid"

    def test_what_is_hidden_meanwhile_has_its_place_when_it_is_shown(
        self, as_user: ApiClient, clips: list[int]
    ) -> None:
        hidden = Video.objects.filter(pk=clips[0])
        hidden.update(hidden_at=F("published_at"))
        end_epoch()
        assert sorted(scroll(as_user, **self.ASKED)) == clips[1:]
        hidden.update(hidden_at=None)
        assert sorted(scroll(as_user, **self.ASKED)) == clips

    def test_a_page_has_no_holes_and_costs_one_query_more(
        self, as_user: ApiClient, clips: list[int]
    ) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert sorted(ids(as_user.get(FEED, {"mode": "all"}))) == clips
            return len(queries)

        cost()
        before = cost()
        end_epoch()
        assert cost() == before + 1
        *_, last = pages(as_user, **self.ASKED)
        assert last["next_skip"] == len(clips)


@pytest.mark.django_db(transaction=True)
class TestMeanwhile:
    """Publications and deletions do not wait, and nothing of them is lost."""

    @pytest.fixture
    def author(self) -> User:
        return UserFactory()

    def elsewhere(self, act: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            act()
            connection.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    @pytest.mark.parametrize("at", ["LOCK TABLE", "INSERT INTO videos_slotrun"])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_others_publish_and_delete(
        self, at: str, when: str, author: User, as_user: ApiClient
    ) -> None:
        videos = [publish(author) for _ in range(6)]
        Video.objects.get(pk=videos.pop(2)).delete()
        page = as_user.get(FEED, {"mode": "all", "limit": 1})
        kept, leaving, started = ids(page)[0], next(v for v in videos if v not in ids(page)), []

        def others() -> None:
            with transaction.atomic():
                videos.append(publish(author))
                Video.objects.get(pk=leaving).delete()

        def step(execute: Any, sql: str, *rest: Any) -> Any:
            if at not in sql:
                return execute(sql, *rest)
            done = execute(sql, *rest) if when == "after" else None
            started.append(thread := self.elsewhere(others))
            thread.join(10)
            assert not thread.is_alive(), "a publication waits"
            return execute(sql, *rest) if when == "before" else done

        with connection.execute_wrapper(step):
            end_epoch()
        assert len(started) == 1
        videos.remove(leaving)
        assert sorted(scroll(as_user, mode="all", limit=2)) == videos
        begun_before = [kept, *scroll(as_user, **follow_up(page))]
        assert sorted(begun_before) == videos[:-1]

    def test_a_publication_that_commits_late(self, author: User, as_user: ApiClient) -> None:
        videos = [publish(author) for _ in range(3)]
        Video.objects.get(pk=videos.pop(0)).delete()
        stamped, waiting = threading.Event(), threading.Event()

        def late() -> None:
            with transaction.atomic():
                videos.append(publish(author))
                stamped.set()
                waiting.wait(10)

        threads = [self.elsewhere(late)]
        assert stamped.wait(10)
        threads.append(self.elsewhere(end_epoch))
        page = as_user.get(FEED, {"mode": "all", "limit": 1})
        wait_for_a_lock()
        waiting.set()
        for thread in threads:
            thread.join(10)
        assert SlotEpoch.objects.current().epoch == 2
        begun_before = ids(page) + scroll(as_user, **follow_up(page))
        assert sorted(begun_before) == videos[:-1]
        assert sorted(scroll(as_user, mode="all")) == videos

    def test_of_two_at_the_same_time_one_ends_the_epoch(self, author: User) -> None:
        publish(author)
        ended: list[bool] = []
        with transaction.atomic():
            ended.append(SlotEpoch.objects.compact(1))
            second = self.elsewhere(lambda: ended.append(SlotEpoch.objects.compact(1)))
            wait_for_a_lock()
        second.join(10)
        assert ended == [True, False]
        assert SlotEpoch.objects.current().epoch == 2

    def test_invariants_with_concurrent_writers(self, live_server: Any) -> None:
        """On a real server; the epoch ends after the first page of each scroll."""
        reader, steady = UserFactory(), UserFactory()
        fickle = UserFactory.create_batch(2)
        for author in fickle:
            publish(author)
        stable = {publish(steady) for _ in range(STABLE)}
        browser = Browser(live_server.url, reader)
        deadline = time.monotonic() + SECONDS
        with ExitStack() as stack:
            writers = stack.enter_context(Writers(reader, steady, fickle))
            while time.monotonic() < deadline:
                seen: list[int] = []
                for page in scroll_while_it_changes(browser, writers, mode="all", limit=7):
                    if not seen:
                        end_epoch()
                    seen += ids(page)
                assert len(seen) == len(set(seen)), "2: twice"
                assert stable <= set(seen), "3: live all the time, and not served"
        assert not writers.errors, writers.errors
        assert SlotEpoch.objects.current().epoch > 2


class TestWhen:
    """When it is done, by the job and by the command."""

    @pytest.fixture
    def holes(self, clips: list[int]) -> None:
        """As if many more had been published, and deleted."""
        SlotEpoch.objects.update(used=F("used") + FEWEST_PLACES)

    def command(self, *arguments: str) -> str:
        call_command("compact_slots", *arguments, stdout=(out := StringIO()))
        return out.getvalue()

    def test_few_places_are_left_as_they_are(self, clips: list[int]) -> None:
        with pytest.raises(NotNowError, match="With 10 places it is not needed"):
            compact()

    @pytest.mark.parametrize(("videos", "places", "is_due"), [(4, 5, False), (5, 7, True)])
    def test_a_fifth_may_be_empty(
        self, videos: int, places: int, is_due: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("feeds.compaction.FEWEST_PLACES", 1)
        author = UserFactory()
        for _ in range(videos):
            publish(author)
        SlotEpoch.objects.update(used=places)
        if is_due:
            compact()
        else:
            with pytest.raises(NotNowError, match="1 of 5 places are empty"):
                compact()
        assert SlotEpoch.objects.current().places == (videos if is_due else places)

    def test_what_is_hidden_is_no_hole(
        self, clips: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("feeds.compaction.FEWEST_PLACES", 1)
        compact()
        SlotEpoch.objects.update(compacted_at=None)
        Video.objects.update(hidden_at=F("published_at"))
        with pytest.raises(NotNowError, match="0 of 5 places are empty"):
            compact()

    @pytest.mark.usefixtures("holes")
    @pytest.mark.parametrize("force", [False, True])
    def test_seeds_that_are_still_good_are_not_ended(self, as_user: ApiClient, force: bool) -> None:
        page = as_user.get(FEED, {"mode": "all", "limit": 1})
        compact()
        SlotEpoch.objects.update(used=F("used") + FEWEST_PLACES)
        with pytest.raises(NotNowError, match="Seeds of epoch 1 are good until"):
            compact(force=force)
        assert as_user.get(FEED, follow_up(page))["count"] == 1
        SlotEpoch.objects.update(compacted_at=F("compacted_at") - LIFETIME)
        compact(force=force)
        assert SlotEpoch.objects.current().epoch == 3

    @pytest.mark.usefixtures("holes")
    def test_runs_of_epochs_that_nobody_reads_are_deleted(self) -> None:
        for _ in range(4):
            end_epoch()
        assert set(SlotRun.objects.values_list("epoch", flat=True)) == {3, 4, 5}

    @pytest.mark.usefixtures("holes")
    def test_the_command_says_what_it_did_or_why_not(self) -> None:
        said = "Epoch 2 has 5 places; epoch 1 had 1,010, 1,005 of them empty, and its seeds stay"
        assert said in self.command()
        with pytest.raises(CommandError, match="Seeds of epoch 1 are good until"):
            self.command("--force")

    def test_the_command_can_be_forced(self, clips: list[int]) -> None:
        with pytest.raises(CommandError, match="With 10 places it is not needed"):
            self.command()
        assert "Epoch 2 has 5 places; epoch 1 had 10, 5 of them empty" in self.command("--force")

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("holes")
    def test_the_job_does_it_when_it_is_due(self, run_jobs: RunJobs) -> None:
        for _ in range(2):
            compact_slots.defer(timestamp=0)
            run_jobs()
        assert SlotEpoch.objects.current().epoch == 2
        SlotEpoch.objects.update(compacted_at=F("compacted_at") - timedelta(days=2))
        compact_slots(timestamp=0)
        assert SlotEpoch.objects.current().epoch == 2
