"""Affinity: one strength a person and video, true in the transaction of each act."""

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts import services as accounts
from accounts.models import Follow, User
from feeds import affinity
from feeds.models import Affinity, Impression
from feeds.services import Watched, allow_video, record_views, refuse_video
from tests.accounts.racing import at_once
from tests.factories import UserFactory, VideoFactory, befriend
from tiktok_clone.common.errors import DomainError
from videos.forgetting import forget_person
from videos.models import Comment, Video
from videos.services import comments, engagement, publishing

pytestmark = pytest.mark.django_db

SECONDS = 10.0  # how long each clip is


def strength(user: User, video: Video) -> float | None:
    held = Affinity.objects.filter(user=user, video=video).first()
    return None if held is None else held.strength


def watch(user: User, video: Video, seconds: float, completed: bool = False) -> None:
    record_views(user, [Watched(video.pk, seconds, completed)])


class TestWeights:
    """Each act alone, as the table says."""

    @pytest.fixture
    def video(self) -> Video:
        return VideoFactory(duration=SECONDS)

    def test_a_like_is_the_unit_and_taking_it_back_leaves_nothing(
        self, user: User, video: Video
    ) -> None:
        engagement.like_video(user, video.pk)
        assert strength(user, video) == 1.0
        engagement.like_video(user, video.pk)
        assert strength(user, video) == 1.0
        engagement.unlike_video(user, video.pk)
        assert strength(user, video) == 0.0

    def test_a_save_weighs_more_than_a_like(self, user: User, video: Video) -> None:
        engagement.save_video(user, video.pk)
        assert strength(user, video) == 1.2
        engagement.unsave_video(user, video.pk)
        assert strength(user, video) == 0.0

    def test_a_share_counts_once(self, user: User, video: Video) -> None:
        engagement.share_video(user, video.pk)
        engagement.share_video(user, video.pk)
        assert strength(user, video) == 1.5

    def test_comments_count_once_a_video_until_the_last_is_deleted(
        self, user: User, video: Video
    ) -> None:
        ids = [comments.add_comment(user, video.pk, text).pk for text in ("a", "b")]
        assert strength(user, video) == 0.8
        comments.delete_comment(user, ids[0])
        assert strength(user, video) == 0.8
        comments.delete_comment(user, ids[1])
        assert strength(user, video) == 0.0

    @pytest.mark.parametrize(
        ("watches", "expected"),
        [
            ([(0.0, False)], -0.2),
            ([(1.99, False)], -0.2),
            ([(2.0, False)], 0.0),
            ([(4.99, False)], 0.0),
            ([(5.0, False)], 0.2),
            ([(8.99, False)], 0.2),
            ([(9.0, False)], 0.5),
            ([(0.5, True)], 0.5),  # only its end; a player that reports no seconds
            ([(4.0, False)] * 4, 0.0),  # never half of it at once
            ([(9.0, False)] * 2, 0.8),
            ([(9.0, False), (8.99, False)], 0.5),
            ([(10.0, True)] * 2, 0.8),
            ([(10.0, True)] * 9, 0.8),
            ([(0.5, False), (10.0, True)], 0.5),  # came back to it: no skip any more
        ],
    )
    def test_watching(
        self, watches: list[tuple[float, bool]], expected: float, user: User, video: Video
    ) -> None:
        for seconds, completed in watches:
            watch(user, video, seconds, completed)
        assert strength(user, video) == expected
        together = VideoFactory(duration=SECONDS)
        record_views(user, [Watched(together.pk, *one) for one in watches])
        assert strength(user, together) == expected

    def test_half_of_a_very_short_clip_is_no_skip(self, user: User) -> None:
        video = VideoFactory(duration=2.0)
        watch(user, video, 1.0)
        assert strength(user, video) == 0.2

    def test_not_interested_outweighs_and_is_taken_back(self, user: User, video: Video) -> None:
        engagement.like_video(user, video.pk)
        refuse_video(user, video.pk)
        refuse_video(user, video.pk)
        assert strength(user, video) == -1.0
        allow_video(user, video.pk)
        allow_video(user, video.pk)
        assert strength(user, video) == 1.0

    def test_all_together_are_at_most_three(self, user: User, video: Video) -> None:
        watch(user, video, SECONDS, True)
        engagement.like_video(user, video.pk)
        engagement.save_video(user, video.pk)
        engagement.share_video(user, video.pk)
        accounts.follow(user, video.author)
        assert strength(user, video) == 3.0
        refuse_video(user, video.pk)
        assert strength(user, video) == 1.0
        allow_video(user, video.pk)
        engagement.unsave_video(user, video.pk)
        assert strength(user, video) == 3.0
        accounts.unfollow(user, video.author)
        assert strength(user, video) == 3.0
        engagement.unlike_video(user, video.pk)
        assert strength(user, video) == 2.0

    def test_ones_own_video_has_none(self, user: User) -> None:
        own = VideoFactory(author=user)
        engagement.like_video(user, own.pk)
        comments.add_comment(user, own.pk, "mine")
        watch(user, own, 8.0)
        assert not Affinity.objects.exists()
        with pytest.raises(DomainError):
            refuse_video(user, own.pk)


class TestFollowing:
    """A follow belongs to what was watched just before."""

    def test_it_goes_to_the_authors_video_that_was_watched_last(self, user: User) -> None:
        first = VideoFactory(duration=SECONDS)
        second = VideoFactory(duration=SECONDS, author=first.author)
        other = VideoFactory(duration=SECONDS)
        for video in (first, second, other):
            watch(user, video, 3.0)
        accounts.follow(user, first.author)
        assert [strength(user, video) for video in (first, second, other)] == [0.0, 1.5, 0.0]
        accounts.unfollow(user, first.author)
        assert strength(user, second) == 0.0

    def test_a_block_takes_it_back_with_the_follow(self, user: User) -> None:
        video = VideoFactory(duration=SECONDS)
        watch(user, video, 3.0)
        accounts.follow(user, video.author)
        accounts.block(video.author, user)
        assert strength(user, video) == 0.0

    def test_what_was_watched_half_an_hour_ago_has_nothing_to_do_with_it(self, user: User) -> None:
        video = VideoFactory(duration=SECONDS)
        watch(user, video, 3.0)
        past = timezone.now() - timedelta(minutes=31)
        Impression.objects.update(last_at=past)
        accounts.follow(user, video.author)
        assert strength(user, video) == 0.0

    def test_in_the_middle_of_a_watch_it_comes_before_the_report(self, user: User) -> None:
        early, video = VideoFactory.create_batch(2, duration=SECONDS, author=UserFactory())
        accounts.follow(user, video.author)
        Follow.objects.update(created_at=timezone.now() - timedelta(seconds=60))
        record_views(user, [Watched(early.pk, 45.0), Watched(video.pk, 45.0)])
        assert strength(user, video) == 2.0
        assert strength(user, early) == 0.5
        watch(user, early, 45.0)
        assert Affinity.objects.filter(followed=True).count() == 1

    def test_a_watch_that_began_later_did_not_cause_it(self, user: User) -> None:
        video = VideoFactory(duration=SECONDS)
        accounts.follow(user, video.author)
        Follow.objects.update(created_at=timezone.now() - timedelta(seconds=60))
        watch(user, video, 5.0)
        assert strength(user, video) == 0.2

    def test_later_acts_keep_it(self, user: User) -> None:
        video = VideoFactory(duration=SECONDS)
        watch(user, video, 3.0)
        accounts.follow(user, video.author)
        engagement.like_video(user, video.pk)
        assert strength(user, video) == 2.5
        watch(user, video, 9.0)
        engagement.unlike_video(user, video.pk)
        assert strength(user, video) == 2.0

    def test_following_again_marks_anew(self, user: User) -> None:
        first, second = VideoFactory.create_batch(2, duration=SECONDS, author=UserFactory())
        watch(user, first, 3.0)
        accounts.follow(user, first.author)
        accounts.unfollow(user, first.author)
        watch(user, second, 3.0)
        accounts.follow(user, first.author)
        assert (strength(user, first), strength(user, second)) == (0.0, 1.5)


def test_the_time_is_that_of_the_latest_act_and_goes_back_with_it(user: User) -> None:
    video = VideoFactory(duration=SECONDS)
    engagement.save_video(user, video.pk)
    past = timezone.now() - timedelta(days=3)
    video.saves.update(created_at=past)
    engagement.like_video(user, video.pk)
    assert Affinity.objects.get().acted_at == video.likes.get().created_at
    engagement.unlike_video(user, video.pk)
    assert Affinity.objects.get().acted_at == past


def test_the_first_act_stays_the_first(user: User) -> None:
    video = VideoFactory(duration=SECONDS)
    engagement.like_video(user, video.pk)
    first = video.likes.get().created_at
    assert Affinity.objects.get().first_at == first
    watch(user, video, 3.0)
    engagement.unlike_video(user, video.pk)
    assert Affinity.objects.get().first_at == first, "what it was is known to a model"
    past = timezone.now() - timedelta(days=3)
    Impression.objects.update(first_at=past)
    Affinity.objects.all().delete()
    affinity.rebuild(user.pk)
    assert Affinity.objects.get().first_at == past
    Affinity.objects.update(first_at=None)  # of before it was kept
    engagement.like_video(user, video.pk)
    assert Affinity.objects.get().first_at == past


def test_what_fails_leaves_no_trace(user: User) -> None:
    video = VideoFactory(duration=SECONDS)

    def fails() -> None:
        with transaction.atomic():
            engagement.like_video(user, video.pk)
            watch(user, video, 9.0)
            assert strength(user, video) == 1.5
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not Affinity.objects.exists()


def test_replies_that_go_with_a_thread_are_taken_back_from_their_authors(
    user: User, other: User
) -> None:
    video = VideoFactory(duration=SECONDS)
    root = comments.add_comment(user, video.pk, "root")
    comments.add_comment(other, video.pk, "reply", root.pk)
    comments.delete_comment(video.author, root.pk)
    assert (strength(user, video), strength(other, video)) == (0.0, 0.0)


def test_replies_that_go_with_an_account_are_taken_back(user: User, other: User) -> None:
    video = VideoFactory(duration=SECONDS)
    root = comments.add_comment(user, video.pk, "root")
    comments.add_comment(other, video.pk, "reply", root.pk)
    forget_person(user.pk)
    assert strength(other, video) == 0.0


def test_a_deleted_video_takes_its_strengths_along(user: User) -> None:
    video = VideoFactory(duration=SECONDS)
    engagement.like_video(user, video.pk)
    publishing.delete_video(video.author, video.pk)
    assert not Affinity.objects.exists()


def test_what_is_removed_from_the_history_counts_no_more_until_it_is_watched_again(
    user: User,
) -> None:
    video = VideoFactory(duration=SECONDS)
    watch(user, video, 9.0)
    Impression.objects.update(forgotten_at=timezone.now())
    affinity.settle(user.pk, affinity.keep_videos([video.pk]))
    assert strength(user, video) == 0.0
    watch(user, video, 0.5)
    assert Impression.objects.get().forgotten_at is not None
    watch(user, video, 1.0)
    assert Impression.objects.get().forgotten_at is None
    assert strength(user, video) == 0.5


def test_rebuilding_finds_the_same_from_the_facts(user: User) -> None:
    videos = [VideoFactory(duration=SECONDS) for _ in range(3)]
    engagement.like_video(user, videos[0].pk)
    comments.add_comment(user, videos[1].pk, "words")
    watch(user, videos[1], 9.0)
    accounts.follow(user, videos[1].author)
    refuse_video(user, videos[2].pk)
    before = list(Affinity.objects.order_by("video").values())
    Affinity.objects.update(strength=99)
    assert affinity.rebuild(user.pk) == 3
    assert list(Affinity.objects.order_by("video").values()) == before
    Affinity.objects.filter(followed=False).delete()
    affinity.rebuild(user.pk)
    assert sorted(Affinity.objects.values_list("video", "strength")) == [
        (row["video_id"], row["strength"]) for row in before
    ]


def test_the_command_rebuilds_everybodys(user: User, other: User) -> None:
    video = VideoFactory(duration=SECONDS)
    for person in (user, other):
        engagement.like_video(person, video.pk)
    Affinity.objects.all().delete()
    call_command("rebuild_affinities", stdout=(out := StringIO()), stderr=StringIO())
    assert out.getvalue() == "2 affinities recomputed\n"
    assert (strength(user, video), strength(other, video)) == (1.0, 1.0)


ACTS: dict[str, Callable[[User, Video], Any]] = {
    "like": lambda user, video: engagement.like_video(user, video.pk),
    "unlike": lambda user, video: engagement.unlike_video(user, video.pk),
    "save": lambda user, video: engagement.save_video(user, video.pk),
    "unsave": lambda user, video: engagement.unsave_video(user, video.pk),
    "share": lambda user, video: engagement.share_video(user, video.pk),
    "comment": lambda user, video: comments.add_comment(user, video.pk, "words"),
    "refuse": lambda user, video: refuse_video(user, video.pk),
    "allow": lambda user, video: allow_video(user, video.pk),
}
SWITCHES = {  # what an act says of its fact
    "like": ("like", True), "unlike": ("like", False),
    "save": ("save", True), "unsave": ("save", False),
    "share": ("share", True),
    "refuse": ("refuse", True), "allow": ("refuse", False),
}  # fmt: skip


@dataclass
class Model:
    """One person as plain Python remembers them; times are counted in half hours."""

    time: int = 0
    facts: set[tuple[str, int]] = field(default_factory=set)
    comments: dict[int, list[int]] = field(default_factory=dict)
    watches: dict[int, list[tuple[float, bool]]] = field(default_factory=dict)
    recent: list[tuple[int, int]] = field(default_factory=list)  # (time, video)
    follows: dict[int, int] = field(default_factory=dict)  # author: time
    marks: dict[int, int] = field(default_factory=dict)  # author: video

    def strength(self, video: int) -> float:
        """The definition, in words of its own."""
        yes = sum(
            weight
            for name, weight in {"like": 1.0, "save": 1.2, "share": 1.5}.items()
            if (name, video) in self.facts
        )
        yes += 0.8 if self.comments.get(video) else 0
        yes += 1.5 if video in self.marks.values() else 0
        no = 2.0 if ("refuse", video) in self.facts else 0
        watches = self.watches.get(video, [])
        longest = max((min(seconds, SECONDS) for seconds, _ in watches), default=0)
        ends = sum(completed for _, completed in watches)
        if ends or longest >= 9:
            total = sum(min(seconds, SECONDS) for seconds, _ in watches)
            yes += 0.8 if ends > 1 or total >= 18 else 0.5
        elif longest >= 5:
            yes += 0.2
        elif watches and longest < 2:
            no += 0.2
        return round(min(yes, 3) - no, 3)


PEOPLE, CLIPS = 2, 4
people = st.integers(0, PEOPLE - 1)
clips = st.integers(0, CLIPS - 1)
seconds = st.sampled_from([0.0, 1.5, 2.0, 5.0, 8.0, 9.0, 30.0])
views = st.lists(st.tuples(clips, seconds, st.booleans()), min_size=1, max_size=4)
acts = st.one_of(
    st.tuples(st.sampled_from(sorted(ACTS)), people, clips),
    st.tuples(st.sampled_from(sorted(ACTS)), people, clips),
    st.tuples(st.just("watch"), people, views),
    st.tuples(st.sampled_from(["follow", "unfollow", "block", "unblock"]), people, clips),
    st.tuples(st.just("uncomment"), people, clips),
    st.tuples(st.just("wait"), people, clips),
)


@dataclass
class Site:
    """Two people, two authors with two clips each, and what the model says of each person."""

    persons: list[User]
    clips: list[Video]
    models: list[Model]

    @classmethod
    def create(cls) -> "Site":
        authors = UserFactory.create_batch(2)
        made = [VideoFactory(author=authors[n // 2], duration=SECONDS) for n in range(CLIPS)]
        return cls(UserFactory.create_batch(PEOPLE), made, [Model() for _ in range(PEOPLE)])

    def act(self, name: str, who: int, what: Any) -> None:
        """Do it on the site; if that goes well, the model does it too."""
        user, model = self.persons[who], self.models[who]
        if name == "watch":
            self._watch(user, model, what)
        elif name == "wait":
            self._wait()
        else:
            clip = self.clips[what]
            done = getattr(self, f"_{name}", None)
            if done is not None:
                done(user, model, clip)
            else:
                self._simple(name, user, model, clip)

    def _simple(self, name: str, user: User, model: Model, clip: Video) -> None:
        try:
            ACTS[name](user, clip)
        except DomainError:
            return
        fact, is_on = SWITCHES[name]
        (model.facts.add if is_on else model.facts.discard)((fact, clip.pk))

    def _comment(self, user: User, model: Model, clip: Video) -> None:
        try:
            comment = ACTS["comment"](user, clip)
        except DomainError:
            return
        model.comments.setdefault(clip.pk, []).append(comment.pk)

    def _uncomment(self, user: User, model: Model, clip: Video) -> None:
        held = model.comments.get(clip.pk)
        if held:
            comments.delete_comment(clip.author, held.pop())

    def _watch(self, user: User, model: Model, what: list[tuple[int, float, bool]]) -> None:
        batch = [Watched(self.clips[n].pk, sec, done) for n, sec, done in what]
        before = set(Impression.objects.filter(user=user).values_list("video", "times"))
        record_views(user, batch)
        after = set(Impression.objects.filter(user=user).values_list("video", "times"))
        seen = {pk for pk, _ in after - before}  # what a block hides is left out
        authors = {clip.pk: clip.author_id for clip in self.clips}
        for one in batch:
            if one.video in seen:
                watched = (one.seconds, one.completed)
                model.watches.setdefault(one.video, []).append(watched)
        for author in set(authors.values()):
            own = [one.video for one in batch if one.video in seen and authors[one.video] == author]
            fresh = model.follows.get(author) == model.time and author not in model.marks
            if own and fresh:
                model.marks[author] = own[-1]
        # In one batch all are of the same moment; then the later clip counts as the last.
        model.recent += [(model.time, pk) for pk in sorted(seen)]

    def _follow(self, user: User, model: Model, clip: Video) -> None:
        author = clip.author_id
        try:
            accounts.follow(user, User.objects.get(pk=author))
        except DomainError:
            return
        if author in model.follows:
            return
        model.follows[author] = model.time
        own = {one.pk for one in self.clips if one.author_id == author}
        now = [pk for time, pk in model.recent if time == model.time and pk in own]
        if now:
            model.marks[author] = now[-1]

    def _unfollow(self, user: User, model: Model, clip: Video) -> None:
        accounts.unfollow(user, User.objects.get(pk=clip.author_id))
        model.follows.pop(clip.author_id, None)
        model.marks.pop(clip.author_id, None)

    def _block(self, user: User, model: Model, clip: Video) -> None:
        accounts.block(clip.author, user)
        model.follows.pop(clip.author_id, None)
        model.marks.pop(clip.author_id, None)

    def _unblock(self, user: User, model: Model, clip: Video) -> None:
        accounts.unblock(clip.author, user)

    def _wait(self) -> None:
        """Half an hour goes by."""
        ago = timedelta(minutes=31)
        Impression.objects.update(last_at=F("last_at") - ago)
        Follow.objects.update(created_at=F("created_at") - ago)
        Affinity.objects.update(acted_at=F("acted_at") - ago)
        for model in self.models:
            model.time += 1

    def check(self) -> None:
        """What is stored is what the model says, and rebuilding changes nothing."""
        for user, model in zip(self.persons, self.models, strict=True):
            held = {
                pk: round(strength, 3)
                for pk, strength in Affinity.objects.filter(user=user).values_list(
                    "video", "strength"
                )
            }
            for clip in self.clips:
                assert held.get(clip.pk, 0) == model.strength(clip.pk)
            marked = Affinity.objects.filter(user=user, followed=True)
            assert set(marked.values_list("video", flat=True)) == set(model.marks.values())


@settings(max_examples=60)
@example(
    history=[
        ("watch", 0, [(0, 2.0, False), (1, 9.0, False)]),
        ("follow", 0, 0),
        ("like", 0, 1),
        ("watch", 0, [(1, 9.0, True)]),
        ("refuse", 0, 1),
        ("block", 0, 0),
    ],
    undone=set(),
)
@given(history=st.lists(acts, max_size=30), undone=st.sets(st.integers(0, 30), max_size=4))
def test_any_history_ends_with_what_the_model_says(history: list[Any], undone: set[int]) -> None:
    with transaction.atomic():
        site = Site.create()
        for number, (name, who, what) in enumerate(history):
            if number in undone and name in ACTS:
                with transaction.atomic():  # it fails in the end
                    with contextlib.suppress(DomainError):
                        ACTS[name](site.persons[who], site.clips[what])
                    transaction.set_rollback(True)
            else:
                site.act(name, who, what)
            site.check()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_acts_at_the_same_moment_lose_nothing() -> None:
    persons = UserFactory.create_batch(3)
    clips = [VideoFactory(duration=SECONDS) for _ in range(3)]
    for person in persons:
        record_views(person, [Watched(clip.pk, 3.0) for clip in clips])
    chance = random.Random(7)

    def one(person: User, clip: Video) -> list[Callable[[], Any]]:
        return [
            lambda: engagement.like_video(person, clip.pk),
            lambda: engagement.unlike_video(person, clip.pk),
            lambda: engagement.save_video(person, clip.pk),
            lambda: comments.add_comment(person, clip.pk, "words"),
            lambda: watch(person, clip, 9.5, True),
            lambda: accounts.follow(person, User.objects.get(pk=clip.author_id)),
            lambda: accounts.unfollow(person, User.objects.get(pk=clip.author_id)),
            lambda: refuse_video(person, clip.pk),
        ]

    for _ in range(6):
        todo = [act for person in persons for clip in clips for act in one(person, clip)]
        found = at_once(*chance.sample(todo, 12))
        assert [error for error in found if isinstance(error, Exception)] == []
    before = sorted(Affinity.objects.values_list("user", "video", "strength"))
    for person in persons:
        affinity.rebuild(person.pk)
    assert sorted(Affinity.objects.values_list("user", "video", "strength")) == before


@pytest.mark.django_db(transaction=True)
def test_a_follow_and_a_like_at_the_same_moment_both_count() -> None:
    for _ in range(12):
        person, clip = UserFactory(), VideoFactory(duration=SECONDS)
        watch(person, clip, 3.0)
        author = User.objects.get(pk=clip.author_id)
        at_once(
            lambda: accounts.follow(person, author),  # noqa: B023 - done before the next round
            lambda: engagement.like_video(person, clip.pk),  # noqa: B023
        )
        assert strength(person, clip) == 2.5


@pytest.mark.django_db(transaction=True)
def test_a_follow_while_the_video_is_deleted_waits_for_nobody_in_a_circle() -> None:
    for _ in range(8):
        person, clip = UserFactory(), VideoFactory(duration=SECONDS)
        watch(person, clip, 3.0)
        author = User.objects.get(pk=clip.author_id)
        found = at_once(
            lambda: accounts.follow(person, author),  # noqa: B023
            lambda: publishing.delete_video(author, clip.pk),  # noqa: B023
        )
        assert [error for error in found if isinstance(error, Exception)] == []
        assert not Affinity.objects.filter(user=person).exists()


class TestCosts:
    """An act costs two statements more for the affinity, whatever else there is."""

    def cost(self, act: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as captured:
            act()
        return len([query for query in captured if "feeds_affinity" in query["sql"]])

    def test_of_each_act(self, user: User) -> None:
        video = VideoFactory(duration=SECONDS)
        befriend(user, video.author)
        for name in ("like", "unlike", "save", "unsave", "share", "comment", "refuse", "allow"):
            assert self.cost(lambda name=name: ACTS[name](user, video)) == 2, name
        for name in ("unlike", "unsave", "share", "allow"):
            assert self.cost(lambda name=name: ACTS[name](user, video)) == 0, "nothing happened"
        assert self.cost(lambda: comments.delete_comment(user, Comment.objects.get().pk)) == 2

    def test_of_a_batch(self, user: User) -> None:
        few, many = [
            [Watched(VideoFactory(duration=SECONDS).pk, 5.0) for _ in range(count)]
            for count in (1, 20)
        ]
        assert self.cost(lambda: record_views(user, few)) == 2
        assert self.cost(lambda: record_views(user, many)) == 2

    def test_of_a_follow(self, user: User) -> None:
        video = VideoFactory(duration=SECONDS)
        assert self.cost(lambda: accounts.follow(user, video.author)) == 1
        assert self.cost(lambda: accounts.unfollow(user, video.author)) == 1
        watch(user, video, 3.0)
        assert self.cost(lambda: accounts.follow(user, video.author)) == 3
        assert self.cost(lambda: accounts.unfollow(user, video.author)) == 3
