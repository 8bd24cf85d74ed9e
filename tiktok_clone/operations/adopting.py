"""Objects that rows name and the books lack: of a site that is older than the books."""

from collections.abc import Iterator, Mapping
from itertools import islice

from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import avatars
from accounts.models import User
from feeds.models import Export
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import Found, naming
from videos.media.processing import original_name
from videos.models import MEDIA_MISSING, Rendition, Status, Video

BATCH = 100
PICTURES = ("poster", "preview", "sprite")
Named = dict[str, int]


def unbooked(kind: str) -> Iterator[Named]:
    """Yield objects in a kind of store that rows name and the books lack, as `{name: owner id}`.

    Each is asked for when the batch before has been adopted.
    """
    pairs = ((name, owner) for name, owner in _named() if naming.kind_of(name) == kind)
    while batch := dict(islice(pairs, BATCH)):
        booked = set(StoredObject.objects.filter(name__in=batch).values_list("name", flat=True))
        if lacking := {name: owner for name, owner in batch.items() if name not in booked}:
            yield lacking


def adopt(named: Named, there: Mapping[str, Found]) -> None:
    """Write them into the books; those that a store lacks as missing from now on."""
    now = timezone.now()
    rows = [
        StoredObject(name=name, owner_id=owner, kept_at=now, missing_since=now)
        if name not in there
        else StoredObject(
            name=name,
            owner_id=owner,
            size_bytes=there[name].size,
            etag=there[name].etag,
            kept_at=there[name].since,
        )
        for name, owner in named.items()
    ]
    StoredObject.objects.bulk_create(rows, ignore_conflicts=True)


def _named() -> Iterator[tuple[str, int]]:
    """Names in rows that have no row in the books."""
    for field in PICTURES:
        lacking = Video.objects.exclude(**{field: ""}).filter(~_booked(field))
        yield from lacking.values_list(field, "author_id").iterator()
    renditions = Rendition.objects.filter(~_booked("name"))
    yield from renditions.values_list("name", "video__author_id").iterator()
    yield from _originals()
    pictures = User.objects.filter(deleted_at=None).exclude(avatar="").filter(~_booked("avatar"))
    for avatar, owner in pictures.values_list("avatar", "pk").iterator():
        folder = naming.folder_of(avatar)
        yield from ((avatars.name_in(folder, size), owner) for size in avatars.SIZES)
    ready = Export.objects.filter(ready_at__isnull=False).exclude(name="")
    yield from ready.filter(~_booked("name")).values_list("name", "user_id").iterator()


def _originals() -> Iterator[tuple[str, int]]:
    """Of clips that are still to be made of them."""
    waiting = Video.objects.filter(status__in=[Status.STORED, Status.PROCESSING, Status.FAILED])
    for video in waiting.exclude(reason_code=MEDIA_MISSING).iterator():
        yield original_name(video), video.author_id


def _booked(field: str) -> Exists:
    return Exists(StoredObject.objects.filter(name=OuterRef(field)))
