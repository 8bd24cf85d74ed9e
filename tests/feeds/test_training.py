"""Training on what people did on the site: what it learns, when it takes over, and when not."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from feeds.models import Affinity, ModelRun, Neighbours
from feeds.recommender import baselines, site, stored, tastes, training, tuning
from feeds.recommender.holdout import split
from feeds.recommender.interactions import DAY, Interactions
from feeds.recommender.model import Model, Parameters, train
from feeds.tasks import train_recommender
from tests.api_client import ApiClient
from tests.factories import UserFactory
from tests.feeds.scroll import FEED, ids
from tests.feeds.themes import add, settle, themed
from videos.models import VideoHashtag
from videos.services import comments, engagement

pytestmark = pytest.mark.django_db
State = ModelRun.State
WORLD = {"users": 150, "items": 100, "rows": 1500, "themes": 12, "timed": True}
THEMES, EACH, FANS = 6, 20, 25


def learn(**options: Any) -> ModelRun:
    """Train without looking for parameters."""
    run = training.learn(**{"seconds": 0, **options})
    assert run is not None
    return run


def states() -> list[str]:
    """What became of the runs, the first one first."""
    return list(ModelRun.objects.order_by("pk").values_list("state", flat=True))


def fans(chance: np.random.Generator) -> tuple[Interactions, list[list[int]]]:
    """People who each like some videos of one theme, and the places of each theme's videos."""
    themes = chance.permutation(THEMES * EACH).reshape(THEMES, EACH)
    rows = [
        (person, item)
        for person in range(THEMES * FANS)
        for item in {
            *chance.choice(themes[person % THEMES], 8, replace=False),
            *chance.choice(THEMES * EACH, 1),
        }
    ]
    user, item = np.array(rows, np.int32).T
    people, videos = range(THEMES * FANS), range(THEMES * EACH)
    at = chance.random(len(user)) * 30 * DAY
    return Interactions(people, videos, user, item, np.ones(len(user), np.float32), at), themes


class TestWhatItLearns:
    """Acts, and nothing else."""

    @pytest.fixture
    def themes(self) -> list[list[int]]:
        """The videos of each theme, other ones in each run; their fans have liked them."""
        seed = secrets.randbits(32)
        print(f"themes of seed {seed}")  # noqa: T201 - shown when the test fails
        rows, themes = fans(np.random.default_rng(seed))
        _, videos = settle(rows)
        assert not VideoHashtag.objects.exists()
        return [[videos[place] for place in theme] for theme in themes]

    def of(self, theme: list[int], reader: User) -> int:
        """How many of a reader's first twenty are of a theme."""
        return len(set(ids(ApiClient(reader).get(FEED, {"limit": 20}))) & set(theme))

    @pytest.mark.parametrize("act", ["like", "comment"])
    def test_who_acts_on_a_theme_gets_more_of_it_and_who_does_not_act_does_not(
        self, act: str, themes: list[list[int]]
    ) -> None:
        reader, control = UserFactory.create_batch(2)
        for pk in themes[0][:4]:
            if act == "like":
                engagement.like_video(reader, pk)
            else:
                comments.add_comment(reader, pk, "again!")
        before = self.of(themes[0], reader)
        learn()
        after = self.of(themes[0], reader)
        assert after >= 10
        assert after >= before + 4
        assert self.of(themes[0], control) < 9

    def test_nothing_is_learnt_from_who_does_not_want_it(self, themes: list[list[int]]) -> None:
        learn()
        known = site.read()
        User.objects.filter(pk=known.users[0]).update(profiling=False)
        User.objects.filter(pk=known.users[1]).update(taste_since=timezone.now())
        Affinity.objects.filter(user=known.users[2]).update(strength=-1)
        assert not {*known.users[:3]} & {*site.read().users}
        assert learn().people == len(known.users) - 3
        anew = Affinity.objects.filter(user=known.users[1])[0]
        Affinity.objects.filter(pk=anew.pk).update(acted_at=timezone.now() + timedelta(seconds=1))
        assert known.users[1] in site.read().users

    def test_what_is_stored_recommends_like_what_was_trained(self, themes: object) -> None:
        run, rows = learn(), site.read()
        model = train(rows, Parameters.from_json(run.parameters))
        held = stored.load(run, rows.items, np.arange(len(rows.items)))
        np.testing.assert_allclose(held.neighbours.todense(), model.neighbours.todense(), rtol=1e-6)
        np.testing.assert_allclose(held.popularity, model.popularity, rtol=1e-6)
        for weights in Neighbours.objects.values_list("weights", flat=True):
            assert weights == sorted(weights, reverse=True)
        first = rows.items[0]
        liked = tastes.Act(first, 1.0, 0.0, 0, ())
        best = tastes.neighbours(UserFactory(), run, [liked])[0][0]
        assert best == rows.items[int(model.neighbours[[0]].todense().argmax())]


def test_quality_falls_when_a_signal_breaks() -> None:
    rows, _ = fans(np.random.default_rng(0))
    settle(rows)
    whole = learn().metrics
    assert whole["ours"]["ndcg"]["20"] > 2 * whole["popularity"]["ndcg"]["20"] > 0
    assert 0 < whole["ours"]["coverage"] <= 1
    assert 0.1 < whole["ours"]["top_share"] < 1
    # Every other act is given to a wrong video: likes that are kept under the wrong id.
    rows = site.read()
    wrong = np.random.default_rng(1).random(len(rows)) < 0.5
    item = np.where(wrong, np.random.default_rng(2).permutation(rows.item), rows.item)
    broken = training.figures(replace(rows, item=item), Parameters())
    assert broken["ours"]["ndcg"]["20"] < 0.8 * whole["ours"]["ndcg"]["20"]


def test_the_figures_are_of_rows_that_parameters_were_not_chosen_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settle(themed(**WORLD))
    tuned_on: list[Interactions] = []
    tune = tuning.tune

    def recorded(rows: Interactions, *arguments: Any, **options: Any) -> Any:
        tuned_on.append(rows)
        return tune(rows, *arguments, **options)

    monkeypatch.setattr(tuning, "tune", recorded)
    assert learn().metrics["ours"]["readers"] > 20
    rows = site.read()
    _, judged = split(rows)
    assert len(judged) > 100
    assert len(tuned_on[0]) == len(rows) - len(judged)
    assert tuned_on[0].at.max() <= judged.at.min()


class TestTakingOver:
    """One model is in service, and only a good one replaces it."""

    @pytest.fixture
    def world(self) -> Callable[[int], None]:
        """A site with a model in service; call it to have more happen, by the same themes."""
        rows = themed(**WORLD)
        chance = np.random.default_rng(5).random(len(rows))
        at = timezone.now().timestamp() - DAY
        people, videos = settle(rows.rows(chance < 0.7), at)
        learn()

        def more(part: int = 0) -> None:
            low = 0.7 + 0.15 * part
            these = rows.rows((chance >= low) & (chance < low + 0.15))
            add(replace(these, at=these.at / 1000), people, videos, at + DAY * (part + 1) / 3)

        return more

    def break_old_acts(self) -> None:
        """Have every old act name another video, as a broken release might."""
        held = list(Affinity.objects.order_by("pk"))
        videos = sorted({one.video_id for one in held})
        chance = np.random.default_rng(6)
        Affinity.objects.all().delete()
        pairs = {(one.user_id, videos[chance.integers(len(videos))]): one for one in held}
        Affinity.objects.bulk_create(
            Affinity(user_id=user, video_id=video, strength=1, acted_at=one.acted_at)
            for (user, video), one in pairs.items()
        )

    def test_the_new_one_takes_over_and_the_last_one_is_kept(
        self, world: Callable[..., None]
    ) -> None:
        first = ModelRun.objects.in_service()
        world(0)
        second = learn()
        assert states() == [State.KEPT, State.IN_SERVICE]
        assert second.metrics["duel"]["run"] == first.pk
        world(1)
        third = learn()
        assert ModelRun.objects.in_service() == third
        assert states() == [State.RETIRED, State.KEPT, State.IN_SERVICE]
        held = set(Neighbours.objects.values_list("run", flat=True))
        assert held == {second.pk, third.pk}
        assert third.cpu_seconds > 0
        assert third.peak_bytes > 2**20
        assert third.rows == Affinity.objects.count()

    def test_the_figures_of_what_is_long_gone_go_too(self, world: object) -> None:
        long_ago = timezone.now() - stored.FIGURES_KEPT - timedelta(days=1)
        ModelRun.objects.create(state=State.REFUSED, created_at=long_ago)
        ModelRun.objects.update(created_at=long_ago)
        learn(force=True)
        assert states() == [State.KEPT, State.IN_SERVICE]

    def test_a_worse_one_is_refused_by_what_happened_since(
        self, world: Callable[..., None]
    ) -> None:
        first = ModelRun.objects.in_service()
        self.break_old_acts()
        world(0)
        run = learn()
        duel = run.metrics["duel"]
        assert run.state == State.REFUSED
        assert duel["ours"] < 0.95 * duel["theirs"]
        assert f"{duel['ours']:.4f}; that of training {first.pk}" in run.reason
        assert ModelRun.objects.in_service() == first
        assert not run.neighbours.exists()
        assert first.neighbours.exists()
        with pytest.raises(CommandError, match=r"Refused: NDCG@20 is"):
            command("--force", "--tune", "0")

    def test_what_is_watched_again_does_not_speak_for_the_old_one(
        self, world: Callable[..., None]
    ) -> None:
        """The one in service has learnt these pairs by heart, whatever their latest act is."""
        old = ModelRun.objects.in_service()
        again = timezone.now() + timedelta(hours=1)
        some = Affinity.objects.order_by("pk").values("pk")[::3]
        world(0)
        Affinity.objects.filter(pk__in=[one["pk"] for one in some]).update(acted_at=again)
        rows = site.read()
        duel = training._duel(rows, old, train(rows))
        new = Affinity.objects.filter(first_at__gt=old.learnt_until)
        answers = duel.task.held_out.tocoo()
        pairs = {
            (rows.users[duel.task.users[row]], rows.items[col])
            for row, col in zip(answers.row, answers.col, strict=True)
        }
        assert pairs == set(new.values_list("user", "video"))

    def test_a_broken_model_is_refused_also_when_little_has_happened(
        self, world: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def worse(rows: Interactions, parameters: Parameters) -> Model:
            return replace(baselines.popular(rows), parameters=parameters)

        monkeypatch.setattr(training, "train", worse)
        assert learn(force=True).state == State.REFUSED

    def test_with_few_readers_nothing_is_judged(
        self, world: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(training, "FEWEST_READERS", 1000)
        self.break_old_acts()
        run = learn(force=True)
        assert run.state == State.IN_SERVICE
        assert "duel" not in run.metrics

    def test_there_is_never_a_second_one_in_service(self, world: object) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            ModelRun.objects.create(state=State.IN_SERVICE)

    @pytest.mark.parametrize("after", [0, 30, None])
    def test_a_crash_leaves_the_old_one_and_no_rows(
        self, world: Callable[..., None], after: int | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After some rows, or when everything is written and only the swap is missing."""
        first = ModelRun.objects.in_service()
        before = list(Neighbours.objects.order_by("pk").values())
        world(0)
        if after is None:
            monkeypatch.setattr(ModelRun, "finish", crashing_at(State.IN_SERVICE, ModelRun.finish))
        else:
            monkeypatch.setattr(stored, "_rows", breaking_after(after, stored._rows))
        with pytest.raises(RuntimeError, match="the disk is full"):
            learn()
        assert states() == [State.IN_SERVICE, State.FAILED]
        assert ModelRun.objects.order_by("pk").last().reason == "RuntimeError: the disk is full"
        assert ModelRun.objects.in_service() == first
        assert list(Neighbours.objects.order_by("pk").values()) == before
        monkeypatch.undo()
        learn()
        assert states() == [State.KEPT, State.FAILED, State.IN_SERVICE]

    def test_a_stored_model_is_read_in_terms_of_other_videos(self) -> None:
        settle(themed(**WORLD))
        run = learn()
        rows = site.read()
        trained = train(rows, Parameters.from_json(run.parameters))
        kept = np.arange(len(rows.items)) % 3 > 0
        others = [*np.array(rows.items)[kept].tolist(), max(rows.items) + 1]
        sources = np.arange(0, len(others), 2, dtype=np.int32)
        model = stored.load(run, others, sources)
        near = trained.neighbours.toarray()[kept][:, kept]
        near[1::2] = 0
        np.testing.assert_allclose(model.neighbours.toarray()[:-1, :-1], near, rtol=1e-6)
        assert not model.neighbours[[-1]].nnz + model.neighbours[:, [-1]].nnz
        expected = [*trained.popularity[kept], 0]
        np.testing.assert_allclose(model.popularity, expected, rtol=1e-6)

    def test_one_that_was_killed_has_failed(self, world: object) -> None:
        ModelRun.objects.create()
        assert training.learn(seconds=0) is None
        assert states() == [State.IN_SERVICE, State.FAILED]


def crashing_at(state: str, finish: Callable[..., None]) -> Callable[..., None]:
    """Have a run that ends so fail right after it has been written."""

    def crash(run: ModelRun, became: str, *reason: str) -> None:
        finish(run, became, *reason)
        if became == state:
            raise RuntimeError("the disk is full")

    return crash


def breaking_after(count: int, rows: Callable[[Model], Any]) -> Callable[[Model], Any]:
    """Fail after some rows."""

    def some(model: Model) -> Any:
        for number, row in enumerate(rows(model)):
            if number == count:
                raise RuntimeError("the disk is full")
            yield row

    return some


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("train_recommender", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


class TestTheJob:
    """Hourly, and by hand."""

    def test_it_runs_twice_and_the_second_time_does_nothing(self) -> None:
        settle(themed(**WORLD))
        train_recommender(timestamp=0)
        held = list(ModelRun.objects.values())
        train_recommender(timestamp=3600)
        assert list(ModelRun.objects.values()) == held
        assert states() == [State.IN_SERVICE]
        assert command() == "Nothing has changed since the last training.\n"
        assert "in service" in command("--force", "--tune", "0")

    def test_any_change_is_one(self) -> None:
        settle(themed(**WORLD))
        learn()
        one = Affinity.objects.order_by("pk")[0]
        for change in (
            lambda: Affinity.objects.filter(pk=one.pk).update(strength=0.5),
            lambda: Affinity.objects.filter(pk=one.pk).update(acted_at=timezone.now()),
            lambda: Affinity.objects.filter(pk=one.pk).delete(),
            lambda: User.objects.filter(pk=one.user_id).update(profiling=False),
        ):
            change()
            assert training.learn(seconds=0) is not None
            assert training.learn(seconds=0) is None

    @pytest.mark.parametrize("count", [0, 1, 2, 10])
    def test_a_site_where_little_has_happened(self, count: int) -> None:
        rows = themed(users=4, items=6, rows=400, themes=2, timed=True)
        chosen = np.arange(len(rows)) < count
        settle(rows.rows(chosen))
        run = training.learn()
        assert (run is None) == (count == 0)
        assert states() == [State.IN_SERVICE] * (count > 0)
        assert Neighbours.objects.count() == len({*rows.item[chosen].tolist()})

    def test_when_everybody_has_left_nothing_of_them_is_served(self) -> None:
        settle(themed(**WORLD))
        learn()
        Affinity.objects.all().delete()
        run = learn()
        assert (run.state, run.rows, run.neighbours.count()) == (State.IN_SERVICE, 0, 0)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    """One training at a time, over all processes."""

    def test_the_second_one_waits_for_its_next_hour(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settle(themed(**WORLD))
        begun, go_on = threading.Event(), threading.Event()
        read = site.read

        def slowly() -> Interactions:
            begun.set()
            assert go_on.wait(20)
            return read()

        def first() -> None:
            training.learn(seconds=0)
            connection.close()

        monkeypatch.setattr(site, "read", slowly)
        thread = threading.Thread(target=first)
        thread.start()
        assert begun.wait(20)
        with pytest.raises(training.BusyError):
            training.learn(seconds=0)
        with pytest.raises(CommandError, match="Another training runs"):
            command()
        train_recommender(timestamp=0)
        go_on.set()
        thread.join(30)
        assert states() == [State.IN_SERVICE]
        assert training.learn(seconds=0) is None, "the lock is free again"
