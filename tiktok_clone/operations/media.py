"""The objects of the store and the rows that name them, compared."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from accounts.avatars import SIZES, folder_of, name_in
from accounts.models import User
from feeds.models import Export
from tiktok_clone.common.storage import incoming, local_store
from videos.models import Rendition, Status, Tombstone, Video

PICTURES = ("poster", "preview", "sprite")
ROWS_AT_ONCE = 2000


@dataclass
class Comparison:
    """`missing`: named by a row, not in the store. `unknown`: in the store, of no row."""

    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def object_names() -> Iterator[str]:
    """Yield the names of all objects in the store, without files on their way in."""
    root = local_store().root
    on_the_way = incoming().relative_to(root) if incoming().is_relative_to(root) else None
    for name in local_store().names():
        if on_the_way is None or not PurePosixPath(name).is_relative_to(on_the_way):
            yield name


def compare() -> Comparison:
    """Compare what the rows name with what the store has.

    An object is unknown when no row, and no tombstone, has a folder that it is in: those of
    replaced covers and the like, which a tombstone or the worker takes care of, are not.
    """
    folders = _folders()
    present = set()
    result = Comparison()
    for name in object_names():
        present.add(name)
        if folders.isdisjoint([name, *map(str, PurePosixPath(name).parents)]):
            result.unknown.append(name)
    result.missing = sorted(name for name in _named() if name not in present)
    result.unknown.sort()
    return result


def _folders() -> set[str]:
    videos = Video.objects.only("store", "uuid").iterator(ROWS_AT_ONCE)
    avatars = User.objects.exclude(avatar="").values_list("avatar", flat=True)
    return {
        *(video.folder for video in videos),
        *map(folder_of, avatars),
        *Export.objects.exclude(name="").values_list("name", flat=True),
        *Tombstone.objects.values_list("name", flat=True),
    }


def _named() -> Iterator[str]:
    """Objects that must be there for everything that is shown as ready."""
    ready = Video.objects.filter(status=Status.READY)
    for names in ready.values_list(*PICTURES).iterator(ROWS_AT_ONCE):
        yield from filter(None, names)
    renditions = Rendition.objects.filter(video__status=Status.READY)
    yield from renditions.values_list("name", flat=True).iterator(ROWS_AT_ONCE)
    # A deleted account waits to be purged, and its picture may be gone before it.
    shown = User.objects.filter(deleted_at=None).exclude(avatar="")
    for avatar in shown.values_list("avatar", flat=True):
        yield from (name_in(folder_of(avatar), size) for size in SIZES)
    yield from Export.objects.exclude(name="").values_list("name", flat=True)
