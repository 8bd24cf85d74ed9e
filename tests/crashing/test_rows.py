"""That the table of crashes is covered by what runs by default."""

from tests.crashing import test_hosted_kills, test_kills
from tests.crashing.rows import Row, covered


def test_each_row_of_the_table_has_a_kill() -> None:
    assert {test_kills.__name__, test_hosted_kills.__name__}  # which were imported, and so counted
    assert covered == set(Row)
