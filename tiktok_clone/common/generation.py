"""The name that is part of every key of what is cached in Redis, and messages to those keys.

Nothing in Redis is the only copy of anything, but an old copy may be worse than none: a list
that a new video is missing from, a card of one that was deleted. So what changes a copy is
*delivered* after the commit, and where Redis cannot be reached, a new name begins instead:
no process reads what is under the old one any more.
"""

import logging
from collections.abc import Callable

from django.db import Error, transaction

from tiktok_clone.common.models import CacheGeneration, new_generation
from tiktok_clone.common.recent import Recent
from tiktok_clone.common.redis import Redis, RedisError, client

logger = logging.getLogger(__name__)


def generation() -> str:
    """Return the name to read with; asks PostgreSQL at most once a second.

    So long may a reader be served what another process has just declared old. While PostgreSQL is
    away it is the last one known; empty where there never was one.
    """
    return _name.get()


def after_commit(message: Callable[[Redis, str], object]) -> None:
    """Deliver a message to Redis when the present transaction is committed.

    Args:
        message: gets a client and the present name, and may be called from anywhere.
    """
    transaction.on_commit(lambda: deliver(message), robust=True)


def deliver(message: Callable[[Redis, str], object]) -> bool:
    """Deliver a message now; returns False where Redis was away and a new generation began instead.

    The name is asked for, not remembered: who reads with a newer one has read the database
    after the commit that the message is about. Where PostgreSQL has gone since that commit,
    the name remembered is better than no message.
    """
    redis = client()
    if redis is None:
        return True
    try:
        name = _current()
    except Error:
        name = generation()
    try:
        message(redis, name)
    except RedisError as error:
        logger.warning("A message to Redis was not delivered: %s", type(error).__name__)
        renew()
        return False
    return True


def renew() -> None:
    """Begin a new generation: everything cached so far is forgotten."""
    CacheGeneration.objects.update_or_create(id=1, defaults={"name": new_generation()})
    forget()


def forget() -> None:
    """Drop what this process remembers; the next read asks the database."""
    _name.forget()


def _current() -> str:
    row, _ = CacheGeneration.objects.get_or_create(id=1)
    return row.name


def _current_or_last() -> str:
    try:
        return _current()
    except Error:
        name = _name.last("")
        logger.warning("The cache generation could not be read; %r is used on.", name)
        return name


_name = Recent(_current_or_last)
