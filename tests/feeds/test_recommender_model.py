"""What the model recommends: never what one has, better than popularity, always the same."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from feeds.recommender import baselines, tuning
from feeds.recommender.evaluation import Row, judge, trial
from feeds.recommender.holdout import FEWEST, last_day, last_rows, random_rows, split
from feeds.recommender.interactions import DAY, FOREVER, Interactions, matrix
from feeds.recommender.model import Model, Parameters, profiles_of, recommend, train
from feeds.recommender.walk import Walk
from tests.feeds.themes import themed

WORLD = {"users": 600, "items": 400, "rows": 6000, "themes": 40}


def lists_of(model: Model, rows: Interactions, count: int = 50) -> np.ndarray:
    return recommend(model, profiles_of(rows), matrix(rows), count)


def judged(model: Model, rows: Interactions, test: Interactions) -> Row:
    return judge("it", model.recommender(rows), trial(rows, test))[0]


def shuffled(rows: Interactions) -> Interactions:
    """Break every theme; how much each person likes and each item is liked stays."""
    return replace(rows, item=np.random.default_rng(9).permutation(rows.item))


def reordered(rows: Interactions) -> Interactions:
    order = np.random.default_rng(3).permutation(len(rows))
    at = None if rows.at is None else rows.at[order]
    return replace(
        rows, user=rows.user[order], item=rows.item[order], strength=rows.strength[order], at=at
    )


@pytest.mark.parametrize("count", [1, 50, 400])
def test_what_one_has_is_never_recommended_and_nothing_twice(count: int) -> None:
    rows = themed(**WORLD)
    had = matrix(rows)
    for user, found in enumerate(lists_of(train(rows), rows, count)):
        listed = found[found >= 0]
        assert len(set(listed)) == len(listed)
        assert not set(listed) & set(had[[user]].indices)


def test_a_page_is_filled_up_by_popularity_until_nothing_is_left() -> None:
    rows = themed(**WORLD)
    likes = matrix(rows)
    liked = likes.sum(axis=0) > 0
    lists = lists_of(train(rows, Parameters(Walk(k=3))), rows, 400)
    left = liked.sum() - np.diff(likes.indptr)
    np.testing.assert_array_equal((lists >= 0).sum(axis=1), left)


def test_somebody_without_history_gets_what_is_popular() -> None:
    rows = themed(**WORLD)
    newcomer = replace(rows, users=[*rows.users, "new"])
    found = lists_of(train(newcomer), newcomer, 10)[-1]
    likes = np.bincount(rows.item, minlength=400)
    assert list(likes[found]) == sorted(likes, reverse=True)[:10]


def test_refused_items_speak_for_nothing_and_are_not_recommended() -> None:
    rows = themed(**WORLD)
    against = replace(rows, strength=np.where(rows.user == 0, -1, 1).astype(np.float32))
    found = lists_of(train(against), against)[0]
    popular = lists_of(baselines.popular(against), against)[0]
    np.testing.assert_array_equal(found, popular)
    assert not set(found) & set(rows.item[rows.user == 0])


@pytest.mark.parametrize("timed", [False, True])
def test_it_beats_popularity_and_finds_nothing_when_the_signal_is_broken(timed: bool) -> None:
    rows, test = split(themed(**WORLD, timed=timed), seed=1)
    best = tuning.tune(rows).best
    ours, floor = (
        judged(each, rows, test) for each in (train(rows, best), baselines.popular(rows))
    )
    broken = judged(train(shuffled(rows), best), rows, test)
    assert ours.recall[20] > 1.3 * floor.recall[20]
    assert ours.ndcg[20] > 1.3 * floor.ndcg[20]
    assert broken.ndcg[20] < 0.7 * ours.ndcg[20]


def test_item_knn_beats_popularity_too() -> None:
    rows, test = split(themed(**WORLD), seed=1)
    knn, floor = (
        judged(baselines.item_knn(rows), rows, test),
        judged(baselines.popular(rows), rows, test),
    )
    assert knn.ndcg[20] > floor.ndcg[20]


@pytest.mark.parametrize("timed", [False, True])
def test_the_order_of_rows_changes_nothing(timed: bool) -> None:
    rows = themed(**WORLD, timed=timed)
    parameters = Parameters(half_life=30.0)
    lists = [lists_of(train(each, parameters), each) for each in (rows, reordered(rows))]
    np.testing.assert_array_equal(*lists)
    assert (
        matrix(split(rows)[1]).toarray().tolist()
        == matrix(split(reordered(rows))[1]).toarray().tolist()
    )


def test_equal_times_are_as_good_as_none() -> None:
    rows = themed(**WORLD)
    same = replace(rows, at=np.full(len(rows), 7.0))
    parameters = Parameters(half_life=7.0)
    np.testing.assert_array_equal(
        lists_of(train(same, parameters), same), lists_of(train(rows, parameters), rows)
    )
    kept, held_out = split(same)
    assert len(kept) + len(held_out) == len(rows)
    assert len(held_out)


def test_a_profile_has_the_last_positives() -> None:
    rows = Interactions(
        users=["a"],
        items=list("vwxyz"),
        user=np.zeros(6, np.int32),
        item=np.array([0, 1, 2, 3, 4, 0], np.int32),
        strength=np.array([1, 1, -1, 1, 1, 1], np.float32),
        at=np.array([1, 2, 9, np.nan, 3, 8]) * DAY,
    )
    assert sorted(profiles_of(rows, most=2).indices) == [0, 4]
    assert sorted(profiles_of(rows, most=9).indices) == [0, 1, 3, 4]


def test_random_rows_take_about_the_share_and_never_the_only_row() -> None:
    rows = themed(**WORLD)
    chosen = random_rows(rows)
    counts, taken = (np.bincount(part, minlength=600) for part in (rows.user, rows.user[chosen]))
    assert chosen.mean() == pytest.approx(0.1, abs=0.02)
    assert not taken[counts < 2].any()
    assert (taken < np.maximum(counts, 1)).all()


def test_tuning_finds_that_one_step_is_enough_where_people_have_much_in_common() -> None:
    rows, test = split(themed(**WORLD), seed=1)
    found = tuning.tune(rows)
    assert found.best.walk.steps == 1
    assert found.tried[found.best] > found.tried[Parameters()]
    tuned, untuned = (judged(train(rows, each), rows, test) for each in (found.best, Parameters()))
    assert tuned.ndcg[20] > untuned.ndcg[20]


def test_tuning_ends_with_its_budget_and_reports_each_trial() -> None:
    told: list[Parameters] = []
    found = tuning.tune(themed(**WORLD), seconds=0, report=lambda each, _ndcg: told.append(each))
    assert told == list(found.tried) == [found.best] == [Parameters()]
    nothing = themed(**(WORLD | {"rows": 1}))
    assert tuning.tune(nothing).best == Parameters()


def test_what_only_gets_worse_is_not_followed_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the exponent against popularity .1 is better than 0, .2 worse, more is not tried."""

    def ndcg(_search: object, parameters: Parameters) -> np.ndarray:
        return np.linspace(0.1, 0.2, 100) - abs(parameters.walk.beta - 0.1)

    monkeypatch.setattr(tuning._Search, "_ndcg", ndcg)
    found = tuning.tune(themed(**WORLD))
    assert found.best.walk.beta == 0.1
    assert {each.walk.beta for each in found.tried} == {0.0, 0.1, 0.2}


def test_about_the_last_day_is_held_out_but_neither_too_much_nor_too_little() -> None:
    def days(count: int, a_day: int) -> np.ndarray:
        return np.arange(count * a_day) * DAY / a_day

    assert last_day(days(50, 100)) == 0.1  # a tenth at most
    assert last_day(days(50, 4000)) == pytest.approx(1 / 50, abs=1e-5)
    assert last_day(days(500, 100)) == FEWEST / 50_000
    assert last_day(np.array([np.nan, 5.0])) == 0.1


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([900, 97, 3], 100),  # after the border there are 3 rows only: those at the border, too
        ([900, 60, 40], 100),
        ([500, 497, 3], 0),  # with those at the border it would be half of all rows
        ([1000], 0),
        ([850, 150], 150),
    ],
)
def test_of_rows_with_the_same_time_all_or_none_are_held_out(
    groups: list[int], expected: int
) -> None:
    at = np.repeat(np.arange(len(groups), dtype=float), groups)
    assert last_rows(at, 0.1).sum() == expected


def test_where_the_last_time_is_that_of_most_rows_random_ones_are_held_out() -> None:
    rows = themed(**WORLD)
    at = np.where(np.arange(len(rows)) < 3, 2.0, 1.0)
    _, held_out = split(replace(rows, at=at))
    assert len(held_out) == pytest.approx(0.1 * len(rows), rel=0.2)


def test_a_handful_of_readers_changes_no_parameters() -> None:
    rows = themed(users=15, items=100, rows=400, themes=3)
    found = tuning.tune(rows)
    assert not found.tried
    assert found.best == Parameters()


def test_only_what_may_count_is_sorted_and_equal_ones_go_by_popularity_then_id() -> None:
    chance = np.random.default_rng(5)
    liked, items = 8, 300
    near = (chance.integers(1, 4, (items, items)) / 4).astype(np.float32)
    popular = (chance.integers(1, 3, items) / 2).astype(np.float32)
    model = Model(range(items), sparse.csr_array(near), popular, Parameters())
    profile = np.zeros((1, items), np.float32)
    profile[0, :liked] = 1
    scores = (profile @ near)[0]
    naive = sorted(range(liked, items), key=lambda item: (-scores[item], -popular[item], item))
    for count in (1, 7, 50, items):
        found = recommend(model, sparse.csr_array(profile), sparse.csr_array(profile), count)[0]
        assert list(found[found >= 0]) == naive[:count]


@pytest.mark.parametrize("half_life", [FOREVER, 30.0])
def test_parameters_survive_as_json(half_life: float) -> None:
    parameters = Parameters(Walk(alpha=0.6, k=100), half_life)
    assert Parameters.from_json(json.loads(json.dumps(parameters.to_json()))) == parameters
    assert Parameters.from_json({"factors": 64}) == Parameters()
