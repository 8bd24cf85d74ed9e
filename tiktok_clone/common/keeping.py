"""Whether objects may be deleted now: not while a backup copies them.

A backup takes the database as it is at one moment and then copies the objects that the rows
name, which takes a while. An object that went in between would be missing from it. So whoever
deletes asks here first and tries again later; the backup asks nobody and waits for nobody but
for a deletion that is going on. The lock belongs to a connection: a killed backup holds nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection

# Any number; advisory locks have no names.
LOCK = 7_166_001


class LostLockError(Exception):
    """The connection that held the lock broke, so objects may have been deleted meanwhile."""


@contextmanager
def objects_kept() -> Iterator[None]:
    """Have no object deleted until the end of the block; several may do so at the same time.

    Raises:
        LostLockError: at the end, when the connection to the database was lost meanwhile.
    """
    _ask("SELECT pg_advisory_lock_shared(%s)")
    try:
        yield
    finally:
        held = _let_go()
    if not held:
        raise LostLockError


@contextmanager
def deleting() -> Iterator[bool]:
    """Whether objects may be deleted within the block; where not, do it later."""
    allowed = bool(_ask("SELECT pg_try_advisory_lock(%s)"))
    try:
        yield allowed
    finally:
        if allowed:
            _ask("SELECT pg_advisory_unlock(%s)")


def _let_go() -> object:
    try:
        return _ask("SELECT pg_advisory_unlock_shared(%s)")
    except (OperationalError, InterfaceError):
        return False


def _ask(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, [LOCK])
        return cursor.fetchone()[0]
