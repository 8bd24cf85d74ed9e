"""Which state of their notifications a person has seen, so that asking for news costs no SQL.

Redis keeps one random word for each person who asked lately, and one for everybody. Whatever
changes somebody's list or count deletes their word when it is committed; who asks and finds
none gives them a new one *before* the database is read. So a word that somebody holds is the
present one only if nothing has changed since they read. A person's word lives for minutes, however
often it is asked for: that bounds what a process leaves behind that dies between a commit and its
message. Everybody's may live on, since it is only good beside that of a person, and as it ends
all who ask are counted for at the same moment.
"""

import secrets
from functools import partial
from typing import Any

from tiktok_clone.common.generation import after_commit, generation
from tiktok_clone.common.redis import Redis, RedisError, client

LIFE_SECONDS = 600
LIFE_OF_ALL_SECONDS = 86_400
EVERYBODY = "all"


def current(user_id: int) -> str | None:
    """Return the name of the present state of somebody's notifications; None without Redis.

    One round trip, and a second one where there is none yet.
    """
    redis, name = client(), generation()
    if redis is None or not name:
        return None
    lives = {_key(name, EVERYBODY): LIFE_OF_ALL_SECONDS, _key(name, user_id): LIFE_SECONDS}
    try:
        words: Any = redis.mget(list(lives))
        if None in words:
            words = _begin(redis, lives)
    except RedisError:
        return None
    return "-".join([name, *(word.decode() for word in words if word)])


def change(*user_ids: int) -> None:
    """Tell that the notifications of people have changed, when the transaction is committed."""
    if user_ids:
        after_commit(partial(_delete, user_ids))


def change_all() -> None:
    """The same for everybody, where too many would have to be named."""
    after_commit(partial(_delete, (EVERYBODY,)))


def _begin(redis: Redis, lives: dict[str, int]) -> Any:
    """Give words to who has none; somebody else may be faster."""
    pipe = redis.pipeline()
    for key, seconds in lives.items():
        pipe.set(key, secrets.token_hex(8), nx=True, ex=seconds)
    pipe.mget(list(lives))
    return pipe.execute()[-1]


def _delete(owners: tuple[int | str, ...], redis: Redis, name: str) -> None:
    redis.delete(*(_key(name, owner) for owner in owners))


def _key(name: str, owner: int | str) -> str:
    return f"feeds:{name}:news:{owner}"
