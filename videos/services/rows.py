"""Facts that exist at most once: inserting and deleting that tell whether a row changed."""

from typing import Any

from django.db import connection, models
from django.utils import timezone


def insert_once(model: type[models.Model], **columns: Any) -> bool:
    """Insert a row unless a unique constraint has it already. Returns whether it was inserted.

    `bulk_create(ignore_conflicts=True)` does the same but does not tell, and
    `get_or_create` needs four statements. `columns` are column names with their values;
    `created_at` is set here.
    """
    values = {"created_at": timezone.now(), **columns}
    quote = connection.ops.quote_name
    names = ", ".join(quote(name) for name in values)
    marks = ", ".join(["%s"] * len(values))
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608
            list(values.values()),
        )
        return bool(cursor.rowcount)


def delete_row(model: type[models.Model], **columns: Any) -> bool:
    """Delete the row with these values. Returns whether there was one."""
    deleted, _ = model._default_manager.filter(**columns).delete()
    return bool(deleted)
