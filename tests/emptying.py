"""Empties the database after a test that commits: what has rows, and nothing else.

Django truncates each of some seventy tables, whatever is in them, and then makes the permissions
anew. That took longer than most tests. Here the permissions stay.
"""

from functools import cache

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

# What migrations and `migrate` fill, and no test changes.
KEPT = {"django_content_type", "auth_permission"}
JOBS = ["procrastinate_events", "procrastinate_periodic_defers", "procrastinate_jobs"]
# From this size on rows are not deleted one by one.
LARGE_BYTES = 1 << 20


def empty_tables(_: TransactionTestCase) -> None:
    """Leave no row of the product and no job; sequences go on."""
    with transaction.atomic(), connection.cursor() as cursor:
        filled = _filled(cursor)
        if any(size > LARGE_BYTES for _, size in filled):
            cursor.execute(f"TRUNCATE {', '.join(name for name, _ in filled)} CASCADE")
            return
        # Without looking for what refers to each row, where the role may ask for that.
        cursor.execute(
            "SELECT set_config('session_replication_role', 'replica', true)"
            " WHERE current_setting('is_superuser') = 'on'"
        )
        for name, _ in filled:
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608


def _filled(cursor: CursorWrapper) -> list[tuple[str, int]]:
    """Return names and bytes of the tables that have rows, once nobody else writes to any."""
    cursor.execute(f"LOCK TABLE {', '.join(_tables())} IN ACCESS EXCLUSIVE MODE")
    questions = [
        f"SELECT '{name}', pg_relation_size('{name}') WHERE EXISTS (SELECT FROM {name})"  # noqa: S608
        for name in _tables()
    ]
    cursor.execute(" UNION ALL ".join(questions))
    return cursor.fetchall()


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [*sorted({*names} - KEPT), *JOBS]
