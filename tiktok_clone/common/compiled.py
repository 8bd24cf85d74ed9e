"""Queries whose SQL is made once: for what is asked so often that making it is what costs most.

Django makes the SQL of a QuerySet anew each time that it is evaluated, which for a query with
many conditions takes several times as long as PostgreSQL takes to answer.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Expression, Field, QuerySet


class Named(Expression):
    """Stands in a QuerySet for a value that is given when the query is asked."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Leave room for the value, and itself among the parameters."""
        return "%s", (self,)


class Compiled:
    """The SQL of a QuerySet, and where the values belong in it.

    Args:
        queryset: with `values_list`, and `Named` for what differs from one time to the next.
            Whatever else it depends on must be the same each time.
    """

    def __init__(self, queryset: "QuerySet[Any, Any]") -> None:
        self._sql, self._params = queryset.query.sql_with_params()

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows, as the driver gives them.

        Args:
            values: by the names in the QuerySet, as the driver takes them (for an array a list, or
                what `bigints` returns).
        """
        given = [values[one.name] if isinstance(one, Named) else one for one in self._params]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, given)
            return cursor.fetchall()


def bigints(numbers: Iterable[int]) -> str:
    """Return numbers as PostgreSQL writes an array; for hundreds the driver takes milliseconds."""
    return f"{{{','.join(map(str, numbers))}}}"
