"""Reading interactions from CSV files: what is accepted, and what is refused and how."""

from pathlib import Path

import numpy as np
import pytest

from feeds.recommender.files import read, write_lists
from feeds.recommender.interactions import DAY, matrix
from tiktok_clone.common.errors import DomainError


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


def test_ids_are_any_strings_and_the_first_line_may_name_columns_in_any_order(file) -> None:
    (rows,) = read(
        file("\ufeffts,item_id,User,note\n5,späti,7,x\n,“a, b”,ann,\n".replace("“a, b”", '"a, b"'))
    )
    assert rows.users == ["7", "ann"]
    assert rows.items == ["a, b", "späti"]
    assert list(rows.user) == [0, 1]
    assert list(rows.item) == [1, 0]
    assert rows.at is not None
    assert rows.at[0] == 5
    assert np.isnan(rows.at[1])


@pytest.mark.parametrize(
    "header",
    ["userId,itemId", "USER_ID,Item-Id", "uid,iid", "User Id,Video ID", '"user","item"', "uid,vid"],
)
def test_the_usual_names_of_columns_are_no_data(file, header: str) -> None:
    (rows,) = read(file(f"{header}\n1,2\n"))
    assert (rows.users, rows.items) == (["1"], ["2"])


def test_ids_that_look_like_names_are_data(file) -> None:
    (rows,) = read(file("user1,item1\nuser2,item2\n"))
    assert rows.users == ["user1", "user2"]


def test_a_file_without_a_header_has_the_columns_of_the_format(file) -> None:
    (rows,) = read(file("1,2,like,1700000000\n\n1,3\n"))
    assert list(rows.strength) == [1, 1]
    assert rows.at is not None
    assert rows.at[0] == 1.7e9


def test_times_are_seconds_milliseconds_or_iso(file) -> None:
    (rows,) = read(
        file("user,item,ts\n1,1,1700000000\n1,2,1700000000000\n1,3,2023-11-14T22:13:20Z\n")
    )
    assert rows.at is not None
    assert list(rows.at) == [1.7e9] * 3


def test_types_weigh_as_acts_do_here_and_unknown_ones_like_a_like(file) -> None:
    (rows,) = read(file("user,item,type\n1,1,Save\n1,2,skip\n1,3,stared\n1,4,\n"))
    np.testing.assert_allclose(rows.strength, [1.2, -0.2, 1, 1])


def test_several_files_share_their_ids(file) -> None:
    train, test = read(file("user,item\nb,y\n", "a.csv"), file("user,item\na,x\n", "b.csv"))
    assert train.users == test.users == ["a", "b"]
    assert train.items == test.items == ["x", "y"]
    assert (train.user[0], test.user[0]) == (1, 0)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("user,item\n1,2\n3\n", 3, "no item"),
        ("user,item\n,2\n", 2, "no user"),
        ("user,item,ts\n1,2,3\n1,2,soon\n", 3, "“soon” is no time"),
        ("user,item,ts\n1,2,nan\n", 2, "“nan” is no time"),
        ('user,item\n"a\nb",1\nx\n', 4, "no item"),
    ],
)
def test_a_bad_row_is_named_with_its_line(file, text: str, line: int, problem: str) -> None:
    with pytest.raises(DomainError) as refused:
        read(file(text))
    assert refused.value.code == "interactions_row"
    assert f"line {line}:" in refused.value.message
    assert problem in refused.value.message


@pytest.mark.parametrize("text", ["", "user,item\n", "\n\n"])
def test_a_file_without_rows_is_refused(file, text: str) -> None:
    with pytest.raises(DomainError, match="has no rows") as refused:
        read(file(text))
    assert refused.value.code == "interactions_file"


def test_a_file_that_is_not_there_or_no_text_is_refused(file, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00user")
    for path in (tmp_path / "nowhere.csv", tmp_path, binary):
        with pytest.raises(DomainError) as refused:
            read(path)
        assert refused.value.code == "interactions_file"


def test_rows_of_one_pair_add_up_and_old_ones_count_half_after_a_half_life(file) -> None:
    day = int(DAY)
    (rows,) = read(file(f"user,item,type,ts\n1,1,like,0\n1,1,save,{day}\n1,2,like,\n"))
    assert matrix(rows).toarray().tolist() == [[pytest.approx(2.2), 1]]
    decayed = matrix(rows, half_life=1).toarray()
    # A row without a time counts as the oldest.
    assert decayed.tolist() == [[pytest.approx(0.5 + 1.2), 0.5]]


def test_lists_are_written_with_ranks(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert write_lists(out, [("a", ["x", "y,z"]), ("b", [])]) == 2
    assert out.read_text() == 'user,item,rank\na,x,1\na,"y,z",2\n'


def test_what_is_repeated_counts_at_most_so_much_and_what_is_old_still_something(file) -> None:
    (rows,) = read(file("user,item,ts\n" + "1,1,\n" * 9 + f"1,2,0\n1,3,{int(9000 * DAY)}\n"))
    assert matrix(rows).toarray().tolist() == [[3, 1, 1]]
    assert 0 < matrix(rows, half_life=1).toarray()[0, 1] < 1e-5
