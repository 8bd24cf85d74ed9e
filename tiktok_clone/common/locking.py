"""The weakest lock that PostgreSQL has, which Django does not know."""

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


def kept(queryset: "QuerySet[Any, Any]") -> list[tuple[Any, ...]]:
    """Return rows, none of which can be deleted before the transaction ends (FOR KEY SHARE).

    Nobody waits but who takes the full lock, as whoever deletes a row has to before anything that
    hangs on it: not those who keep it as well, and not those who change it.

    Args:
        queryset: with `values_list`; in the order in which everybody locks such rows.
    """
    try:
        sql, params = queryset.query.sql_with_params()
    except EmptyResultSet:  # as Django says where the conditions leave nothing, like `pk__in=[]`
        return []
    table = connection.ops.quote_name(queryset.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} FOR KEY SHARE OF {table}", params)
        return cursor.fetchall()
