"""The books of what is stored: a row for each object, made before the object and gone after it.

So whatever crashes in between leaves a row that says what to look for. `reconcile_media`
compares the books with the stores, both ways.
"""

from collections.abc import Iterable
from pathlib import Path

from django.db.models import Q, QuerySet
from django.utils import timezone

from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import store
from tiktok_clone.common.storage.listing import etag_of


def keep(name: str, source: Path, owner_id: int | None, etag: str = "") -> StoredObject:
    """Make a file the object of a name: the row first, then the bytes, then the row says so.

    Args:
        name: of an object, as the server chose it.
        source: a file, which stays where it is and must not be changed any more.
        owner_id: whose quota it counts against.
        etag: its MD5, for whoever has computed it already.

    Raises:
        FileExistsError: there is another object of that name.
        OSError: the store did not take it; the row stays until the name is emptied.
    """
    size, etag = source.stat().st_size, etag or etag_of(source)
    row = expect(name, owner_id, size, etag)
    store(name).save(name, source)
    confirm(row, size=size, etag=etag)
    return row


def expect(name: str, owner_id: int | None, size: int, etag: str = "") -> StoredObject:
    """Note that an object is about to come; the same again changes nothing."""
    facts = {"owner_id": owner_id, "size_bytes": size, "etag": etag}
    return StoredObject.objects.get_or_create(name=name, defaults=facts)[0]


def confirm(row: StoredObject, *, size: int, etag: str) -> None:
    """Note that it is there, complete, with its size in bytes and its MD5."""
    row.kept_at = timezone.now()
    row.size_bytes, row.etag = size, etag
    row.missing_since = None
    row.save(update_fields=["kept_at", "size_bytes", "etag", "missing_since"])


def note_derived(sizes: dict[str, int], owner_id: int | None) -> None:
    """Note objects that a store made by itself of one that is in the books: `{name: bytes}`."""
    now = timezone.now()
    rows = [
        StoredObject(name=name, owner_id=owner_id, size_bytes=size, kept_at=now)
        for name, size in sizes.items()
    ]
    StoredObject.objects.bulk_create(rows, ignore_conflicts=True)


def empty(name: str, *, look: bool = True) -> None:
    """Remove an object, or all below a prefix, and then its rows; may run any number of times.

    Args:
        look: also for what the books do not know of, where that is dear; else only if they
            know of nothing.

    Raises:
        OSError: the store did not do it; the rows stay.
    """
    rows = below(name)
    known = list(rows.values_list("name", flat=True))
    store(name).delete_prefix(name, known, look=look or not known)
    rows.filter(name__in=known).delete()


def below(name: str) -> "QuerySet[StoredObject]":
    """The rows of an object, or of all below a prefix."""
    return StoredObject.objects.filter(Q(name=name) | Q(name__startswith=f"{name}/"))


def names_below(name: str) -> Iterable[str]:
    """The names of all that the books have below a prefix."""
    return below(name).values_list("name", flat=True)
