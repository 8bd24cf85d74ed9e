"""`evaluate_recommender` reads and writes files, without a database."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from feeds.recommender.interactions import Interactions
from tests.feeds.themes import themed

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "recommendation"


def written(path: Path, rows: Interactions) -> Path:
    pairs = zip(rows.user, rows.item, strict=True)
    lines = [f"{rows.users[user]},{rows.items[item]}" for user, item in pairs]
    path.write_text("user,item\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return written(tmp_path / "train.csv", themed(users=200, items=150, rows=2000, themes=8))


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("evaluate_recommender", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def recall(table: str, name: str) -> float:
    return float(next(line for line in table.splitlines() if line.startswith(name)).split()[3])


def test_it_prints_a_table_against_popularity_and_draws_it(train: Path, tmp_path: Path) -> None:
    table = run("--train", train, "--plot", tmp_path / "plots" / "it.png")
    assert recall(table, "ours") > recall(table, "popularity") > 0
    assert (tmp_path / "plots" / "it.png").read_bytes().startswith(b"\x89PNG")


def test_it_writes_the_best_fifty_of_each_user_of_the_training_rows(
    train: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    run("--train", train, "--recommend", out, "--tune", 0)
    consumed = {tuple(line.split(",")) for line in train.read_text().splitlines()[1:]}
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    by_user: dict[str, list[int]] = {}
    for row in rows:
        assert (row["user"], row["item"]) not in consumed
        by_user.setdefault(row["user"], []).append(int(row["rank"]))
    assert set(by_user) == {user for user, _ in consumed}
    assert all(ranks == list(range(1, 51)) for ranks in by_user.values())


def test_what_is_wrong_is_said_with_its_code(train: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("user,item\n1,2\n3\n")
    with pytest.raises(CommandError, match=r"line 3: there is no item.*\(interactions_row\)"):
        run("--train", bad)
    with pytest.raises(CommandError, match="Nobody has anything to judge by"):
        run("--train", train, "--test", train, "--tune", 0)
    with pytest.raises(CommandError, match="No such file"):
        run("--train", train, "--recommend", tmp_path / "nowhere" / "out.csv", "--tune", 0)


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared/data/recommendation beside the repository")
def test_on_the_public_set_it_is_far_above_the_floor_and_the_floor_is_as_published() -> None:
    table = run("--train", DATA / "train.csv", "--test", DATA / "val.csv", "--tune", 0)
    assert recall(table, "popularity") == pytest.approx(0.0626, abs=1e-4)
    assert recall(table, "ours") > 0.101
