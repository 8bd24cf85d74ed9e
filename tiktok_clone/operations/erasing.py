"""That nothing of a deleted account is left in the stores: watched until it is true, and recorded.

The books know all that somebody had. It is buried when the account is purged; here we wait until
every tombstone has ended, which is after a second look for what arrived late, and then ask the
stores themselves, folder by folder.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from feeds.models import Export
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import CLOUDINARY, naming, store
from tiktok_clone.operations.models import Erasure
from videos.models import Tombstone
from videos.publication import bury, folders_of

VERIFIED_AT_ONCE = 100
# Folders a run; at Cloudinary a folder takes three calls of those that an hour allows.
FOLDERS_A_RUN = 1000
HOSTED_FOLDERS_A_RUN = 20
FOLDERS_AT_ONCE = 200


def note(person: User) -> Erasure:
    """Begin to watch; part of the transaction that removes the account."""
    exports = Export.objects.filter(user=person).exclude(name="").values_list("name", flat=True)
    books = StoredObject.objects.filter(owner_id=person.pk)
    had = books.aggregate(count=Count("pk"), size=Sum("size_bytes"))
    return Erasure.objects.create(
        person_id=person.pk,
        requested_at=person.deleted_at or timezone.now(),
        folders=sorted(folders_of(person) | {naming.folder_of(name) for name in exports}),
        objects_count=had["count"],
        size_bytes=had["size"] or 0,
    )


def verify_all() -> None:
    """Go on with what is not verified yet, the oldest first, as far as a run goes."""
    left = {False: FOLDERS_A_RUN, True: HOSTED_FOLDERS_A_RUN}
    waiting = Erasure.objects.filter(verified_at=None).order_by("created_at")
    for erasure in waiting[:VERIFIED_AT_ONCE]:
        _verify(erasure, left)
        erasure.save(update_fields=["folders", "checked", "verified_at", "last_error"])


def _verify(erasure: Erasure, left: dict[bool, int]) -> None:
    _bury_what_came_late(erasure)
    erasure.last_error = _what_waits(erasure)
    if erasure.last_error:
        return
    for folder in erasure.folders[erasure.checked :]:
        hosted = naming.kind_of(folder) == CLOUDINARY
        if not left[hosted]:
            return
        left[hosted] -= 1
        erasure.last_error = _look_into(folder)
        if erasure.last_error:
            return
        erasure.checked += 1
    erasure.verified_at = timezone.now()


@transaction.atomic
def _bury_what_came_late(erasure: Erasure) -> None:
    """Somebody may still have been writing when the account went: the books know of that, too."""
    books = StoredObject.objects.filter(owner_id=erasure.person_id).values_list("name", flat=True)
    folders = {naming.folder_of(name) for name in books}
    late = sorted(folder for folder in folders if not _tombstones([folder]).exists())
    for folder in late:
        bury(folder)
    if late or not folders <= set(erasure.folders):
        erasure.folders, erasure.checked = sorted({*erasure.folders, *folders}), 0


def _what_waits(erasure: Erasure) -> str:
    """Say what is still to be removed; empty when all tombstones have ended."""
    errors: list[str] = []
    for batch in _batches(erasure.folders):
        errors += _tombstones(batch).values_list("last_error", flat=True)
    if not errors:
        return ""
    reason = next(filter(None, errors), "")
    return f"{len(errors)} names wait to be emptied. {reason}".strip()[:300]


def _tombstones(folders: Iterable[str]) -> QuerySet[Tombstone]:
    """Those for any of some folders, or for something in one."""
    names = Q(pk__in=[])
    for folder in folders:
        names |= Q(name=folder) | Q(name__startswith=f"{folder}/")
    return Tombstone.objects.filter(names)


def _look_into(folder: str) -> str:
    """Ask the store what is in a folder; bury what is. Returns what is wrong, if anything is."""
    try:
        found = next(iter(store(folder).listing(folder)), None)
    except OSError as error:
        return f"{folder}: {error}"[:300]
    if found is None:
        return ""
    bury(folder)
    return f"{found.name} was still there; it is removed again."[:300]


def _batches(folders: list[str]) -> Iterable[list[str]]:
    return (folders[at : at + FOLDERS_AT_ONCE] for at in range(0, len(folders), FOLDERS_AT_ONCE))
