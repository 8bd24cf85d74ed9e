"""A clip moves to another store while it is being watched: copied, renamed, and left a while.

The copies are made under an attempt's number, as all objects are, so that no name is written
twice, however often a clip moves to and fro.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath

from django.db import transaction
from django.db.models import Case, CharField, Exists, OuterRef, Value, When
from django.db.models.functions import Cast, Concat

from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import CLOUDINARY, ledger, naming, store
from videos import publication, signals
from videos.media.processing import next_attempt, remove_leftovers
from videos.models import Rendition, Status, Video
from videos.models.video import VideoQuerySet

# A page that is open, and whoever keeps its address, goes on with the old files so long.
KEPT_FOR = timedelta(days=1)
PICTURES = ("poster", "preview", "sprite")


def movable(kind: str) -> VideoQuerySet:
    """Ready clips that are not in a kind of store, and have nothing left to be made."""
    ready = Video.objects.filter(status=Status.READY).exclude(store=kind)
    unfinished = ready.without_stills() | _with_original(ready.without_larger())
    return ready.exclude(pk__in=unfinished.values("pk"))


def staying(kind: str) -> Iterator[tuple[int, str]]:
    """Tell of clips that are not in a kind of store: the id, and why it was not moved.

    Those that were rejected have no files.
    """
    elsewhere = Video.objects.exclude(store=kind).exclude(status=Status.REJECTED).order_by("pk")
    lacks_stills = set(elsewhere.without_stills().values_list("pk", flat=True))
    lacks_larger = set(_with_original(elsewhere.without_larger()).values_list("pk", flat=True))
    for pk, status in elsewhere.values_list("pk", "status"):
        if status != Status.READY:
            yield pk, f"it is {status}"
        elif pk in lacks_stills:
            yield pk, "it has no preview yet"
        elif pk in lacks_larger:
            yield pk, "a larger size is still to be made"
        else:
            yield pk, "it could not be moved now"


def _with_original(videos: VideoQuerySet) -> VideoQuerySet:
    """Those whose original is there: of others nothing more can be made, so they may go."""
    top = Case(
        When(store=CLOUDINARY, then=Value(naming.named(CLOUDINARY, "videos/"))),
        default=Value("videos/"),
    )
    name = Concat(top, Cast("uuid", CharField()), Value("/original"))
    booked = StoredObject.objects.filter(name=OuterRef("original"))
    return videos.annotate(original=name).filter(Exists(booked))


def move_video(video_id: int, kind: str) -> bool:
    """Copy what a ready clip shows into a kind of store; its rows then name the copies.

    What breaks off leaves the clip as it was, and no copies; those of one that is killed go when
    the clip is moved the next time, or by the sweep.

    Returns:
        Whether it moved; not if it is gone, or somebody else worked on it meanwhile.

    Raises:
        OSError: a store did not do it; the clip is as it was.
    """
    video = next_attempt(video_id)
    if video is None or video.store == kind:
        return False
    folder = f"{naming.named(kind, f'videos/{video.uuid}')}/{video.attempt}"
    copies = {name: f"{folder}/{_basename(name)}" for name in _shown(video)}
    try:
        for old, new in copies.items():
            with store(old).local_copy(old) as path:
                ledger.keep(new, path, video.author_id)
        moved = _rename(video, kind, copies)
    except Exception:
        publication.bury(folder)
        raise
    if moved:
        remove_leftovers(video.pk)  # of a move that was killed
    else:
        publication.bury(folder)
    return moved


@transaction.atomic
def _rename(video: Video, kind: str, copies: dict[str, str]) -> bool:
    fresh = publication.lock(video.pk)
    if fresh is None or fresh.attempt != video.attempt or set(_shown(fresh)) != set(copies):
        return False
    old = list(ledger.names_below(fresh.folder))
    for rendition in fresh.renditions.all():
        Rendition.objects.filter(pk=rendition.pk).update(name=copies[rendition.name])
    for field in PICTURES:
        setattr(fresh, field, copies.get(getattr(fresh, field), ""))
    fresh.store = kind
    fresh.save(update_fields=[*PICTURES, "store", "updated_at"])
    for name in old:
        publication.bury(name, after=KEPT_FOR)
    signals.video_edited.send(sender=Video, video=fresh)
    return True


def _shown(video: Video) -> list[str]:
    """The names of all that the rows of a clip refer to."""
    pictures = [name for name in (video.poster, video.preview, video.sprite) if name]
    return [*pictures, *video.renditions.values_list("name", flat=True)]


def _basename(name: str) -> str:
    """What Cloudinary derived is told apart by its size alone, which is a good name as well."""
    return PurePosixPath(name).name
