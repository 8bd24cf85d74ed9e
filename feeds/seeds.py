"""What a reader holds between two pages: one frozen order and the place in it.

A seed is a signed token, so nothing is stored for it, and a changed one or one of
another reader is noticed. Only a client's own integer needs a row, which remembers the
moment at which that order started.
"""

import base64
import binascii
import re
import secrets
import struct
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from feeds.models import FeedSession, SeedSnapshot
from feeds.shuffle import MASK
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.signing import current_epoch
from videos.models import FIRST_EPOCH, SlotEpoch

LIFETIME = timedelta(days=1)
SNAPSHOT_LIFETIME = timedelta(hours=1)
NOBODY = 0  # the reader of who is not signed in; ids of people start at 1
_MODES = ("all", "following", "friends", "for-you")
_ORDERS = ("shuffle", "latest", "ranked")
_INTEGER = re.compile(r"[+-]?[0-9]{1,64}", re.ASCII)
# version, mode, order, state; reader; epoch, made; used, taken; seed; skip; key, id
_TOKEN = struct.Struct(">BBBBQIIQqQQqq")
_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# A place in an order by a key: the key and the id of the last video served.
Place = tuple[int, int]
_START, _PLACE, _END = range(3)


@dataclass(frozen=True)
class Snapshot:
    """A moment of the publications: all that came before it are committed.

    `used` counts the places of the shuffle in this epoch of the slots, `taken_at` is the time
    of the last publication.
    """

    epoch: int
    used: int
    taken_at: datetime


@dataclass(frozen=True)
class Seed:
    """One frozen order of one reader, and how far it is read.

    `place` is None at the start and for orders that need none. `skip` is what the reader
    should send along with it; `ended` says that nothing follows, whatever comes later.
    """

    mode: str
    order: str
    reader: int
    snapshot: Snapshot
    key: int
    made: int
    skip: int = 0
    place: Place | None = None
    ended: bool = False

    @property
    def signed_key(self) -> int:
        """The key as PostgreSQL's bigint."""
        return _as_signed(self.key)

    def moved(self, skip: int, place: Place | None, *, ended: bool) -> "Seed":
        """Return the same order, read further."""
        return replace(self, skip=skip, place=place, ended=ended)


def new_seed(mode: str, order: str, reader: int) -> Seed:
    """Start an order that nobody has seen, at this moment."""
    return Seed(mode, order, reader, take_snapshot(), secrets.randbits(64), int(time.time()))


def take_snapshot() -> Snapshot:
    """Return the present moment of the publications, from one row and one query.

    Publications hold the lock of that row until they are committed, one after the other.
    So what is in the snapshot is committed, and what commits later has a later time and
    a higher slot, however long its transaction was open.
    """
    row = SlotEpoch.objects.current()
    return Snapshot(row.epoch, row.places, row.last_published_at)


def resume(raw: str, mode: str, order: str | None, reader: int, skip: int) -> Seed:
    """Return the order that a request names.

    Args:
        raw: a token of ours, or an integer of the client's own.
        order: None takes the token's, or for an integer `shuffle`, in for-you `ranked`.
        reader: the id of a person, or NOBODY, who has no integers of their own.

    Raises:
        DomainError: `seed_invalid`, `seed_expired`, `seed_ended`, `seed_of_another_reader`,
            `…_mode` or `…_order`; the message says to refresh.
    """
    if _INTEGER.fullmatch(raw) and reader != NOBODY:
        default = "ranked" if mode == "for-you" else "shuffle"
        seed = _of_integer(int(raw), mode, order or default, reader, skip)
    else:
        seed = _of_token(raw, mode, order, reader)
    if not SlotEpoch.objects.current().can_read(seed.snapshot.epoch):
        raise _expired()
    if mode == "for-you" and skip and not stretches_of(seed).exists():
        raise ended()
    return seed


def stretches_of(seed: Seed) -> "QuerySet[FeedSession]":
    """Return what is ranked of an order; a client's integer may begin again after an hour."""
    return FeedSession.objects.filter(reader=seed.reader, seed=seed.signed_key, made=seed.made)


def ended() -> DomainError:
    """Return what is said of an order that its reader has ended."""
    return _refused("seed_ended", "What your recommendations go by has changed since.")


def _of_token(raw: str, mode: str, order: str | None, reader: int) -> Seed:
    seed = read_token(raw)
    if seed.reader != reader:
        raise _refused("seed_of_another_reader", "This seed was made for another reader.")
    if seed.mode != mode:
        raise _refused("seed_of_another_mode", f"This seed belongs to the mode {seed.mode}.")
    if order is not None and seed.order != order:
        raise _refused("seed_of_another_order", f"This seed belongs to the order {seed.order}.")
    if time.time() - seed.made > LIFETIME.total_seconds():
        raise _expired()
    return seed


def sign(seed: Seed) -> str:
    """Return the token of a seed: about 140 characters that need no quoting in a URL."""
    state = _END if seed.ended else _PLACE if seed.place else _START
    key, video_id = seed.place or (0, 0)
    snapshot = seed.snapshot
    packed = _TOKEN.pack(
        _version(snapshot.epoch),
        _MODES.index(seed.mode),
        _ORDERS.index(seed.order),
        state,
        seed.reader,
        snapshot.epoch,
        seed.made,
        snapshot.used,
        micros(snapshot.taken_at),
        seed.key,
        seed.skip,
        key,
        video_id,
    )
    return _signer().sign(base64.urlsafe_b64encode(packed).decode().rstrip("="))


def read_token(raw: str) -> Seed:
    """Return the seed of a token.

    Raises:
        DomainError: `seed_invalid`: not signed by us, not of this version, or signed
            before the database was emptied.
    """
    try:
        text = _signer().unsign(raw)
        values = _TOKEN.unpack(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return _unpacked(*values)
    except (BadSignature, binascii.Error, struct.error, ValueError, IndexError) as error:
        raise _refused("seed_invalid", "This seed was not made here, or was changed.") from error


def _unpacked(
    version: int,
    mode: int,
    order: int,
    state: int,
    reader: int,
    epoch: int,
    made: int,
    used: int,
    taken: int,
    key: int,
    skip: int,
    place_key: int,
    place_id: int,
) -> Seed:
    if version != _version(epoch):
        raise ValueError(version)
    return Seed(
        mode=_MODES[mode],
        order=_ORDERS[order],
        reader=reader,
        snapshot=Snapshot(epoch, used, moment(taken)),
        key=key,
        made=made,
        skip=skip,
        place=(place_key, place_id) if state == _PLACE else None,
        ended=state == _END,
    )


def _version(epoch: int) -> int:
    """Return 1 where places are slots, 2 where they are not.

    So a process that knows nothing of runs refuses the tokens of later epochs, and those that
    it makes itself of such an epoch are refused here.
    """
    return 1 if epoch == FIRST_EPOCH else 2


@transaction.atomic
def _of_integer(value: int, mode: str, order: str, reader: int, skip: int) -> Seed:
    """Return the order of a client's integer, which starts at skip 0 and lives for an hour."""
    key = value & MASK
    which = {"reader_id": reader, "mode": mode, "order": order, "seed": _as_signed(key)}
    alive = timezone.now() - SNAPSHOT_LIFETIME
    SeedSnapshot.objects.filter(**which, created_at__lte=alive).delete()
    if skip == 0:
        now = take_snapshot()
        started = {"epoch": now.epoch, "used": now.used, "taken_at": now.taken_at}
        row, _ = SeedSnapshot.objects.get_or_create(**which, defaults=started)
    else:
        found = SeedSnapshot.objects.filter(**which).first()
        if found is None:
            raise _expired()
        row = found
    started_at = Snapshot(row.epoch, row.used, row.taken_at)
    # Dated from its start, so that the same request gets the same token.
    return Seed(mode, order, reader, started_at, key, int(row.created_at.timestamp()))


def _as_signed(key: int) -> int:
    return key - 2**64 if key >= 2**63 else key


def forget_old_snapshots() -> int:
    """Delete the snapshots of integers that nobody may continue any more. Returns how many."""
    old = SeedSnapshot.objects.filter(created_at__lte=timezone.now() - SNAPSHOT_LIFETIME)
    return old.delete()[0]


def micros(when: datetime) -> int:
    """Return a time as microseconds since 1970, exactly."""
    return (when - _DAWN) // _MICROSECOND


def moment(value: int) -> datetime:
    """Return the time of microseconds since 1970."""
    return _DAWN + value * _MICROSECOND


def _signer() -> Signer:
    # The epoch changes when the database is emptied: no old id meets a new row.
    return Signer(salt=f"feeds.seed.{current_epoch()}", sep=".")


def _expired() -> DomainError:
    return _refused("seed_expired", "This seed is too old.")


def _refused(code: str, why: str) -> DomainError:
    message = f"{why} Refresh the feed: leave the seed out to get a new one."
    return DomainError(code, message, fields={"seed": [(code, message)]})
