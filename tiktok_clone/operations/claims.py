"""Which objects belong to something: a row that names them, or a tombstone that waits for them."""

from collections.abc import Collection, Iterable
from enum import Enum
from pathlib import PurePosixPath
from uuid import UUID

from django.db.models import Q

from accounts import avatars
from accounts.models import User
from feeds.models import Export
from tiktok_clone.common.storage import naming
from videos.media.processing import original_name
from videos.models import MEDIA_MISSING, Rendition, Status, Tombstone, Video


class Claim(Enum):
    """Why an object is there."""

    ROW = "a row needs it"
    WORK = "somebody is at work on it"
    TOMBSTONE = "it waits to be removed"


def claims(names: Collection[str]) -> dict[str, Claim]:
    """Say which of some objects belong to something, and to what; the others are left out.

    Of a clip that is ready, what its rows name and the original; of one on its way, all that is
    in its folder. So what a killed attempt left beside a ready clip belongs to nobody, and neither
    does anything of a clip that was rejected.
    """
    found = dict.fromkeys(_of_unfinished_clips(names), Claim.WORK)
    found |= dict.fromkeys(_of_clips(names), Claim.ROW)
    found |= dict.fromkeys(_of_people(names) | _of_exports(names), Claim.ROW)
    found |= dict.fromkeys(_buried(names), Claim.TOMBSTONE)
    return found


def clips_of(names: Iterable[str]) -> dict[UUID, set[str]]:
    """Group the names of objects of clips by the clip's uuid."""
    groups: dict[UUID, set[str]] = {}
    for name in names:
        top, _, rest = naming.path_of(name).partition("/")
        try:
            key = UUID(rest.partition("/")[0]) if top == "videos" else None
        except ValueError:
            continue
        if key is not None:
            groups.setdefault(key, set()).add(name)
    return groups


def _of_clips(names: Iterable[str]) -> set[str]:
    asked = clips_of(names)
    videos = Video.objects.filter(uuid__in=asked).exclude(status=Status.REJECTED)
    named = set(Rendition.objects.filter(video__in=videos).values_list("name", flat=True))
    for video in videos.only("store", "uuid", "poster", "preview", "sprite"):
        named |= {video.poster, video.preview, video.sprite, original_name(video)}
    return named.intersection(names)


def _of_unfinished_clips(names: Iterable[str]) -> set[str]:
    asked = clips_of(names)
    ended = Q(status__in=[Status.READY, Status.REJECTED]) | Q(reason_code=MEDIA_MISSING)
    unfinished = Video.objects.filter(uuid__in=asked).exclude(ended).only("store", "uuid")
    return {
        name
        for video in unfinished
        for name in asked[video.uuid]
        if naming.folder_of(name) == video.folder
    }


def _of_people(names: Iterable[str]) -> set[str]:
    shown = {avatars.name_in(naming.folder_of(name)): naming.folder_of(name) for name in names}
    people = User.objects.filter(avatar__in=shown).values_list("avatar", flat=True)
    folders = {shown[avatar] for avatar in people}
    return {name for name in names if naming.folder_of(name) in folders}


def _of_exports(names: Iterable[str]) -> set[str]:
    return set(Export.objects.filter(name__in=names).values_list("name", flat=True))


def _buried(names: Iterable[str]) -> set[str]:
    """A tombstone is for an object, or for all below a prefix."""
    above = {name: [name, *map(str, PurePosixPath(name).parents)] for name in names}
    asked = {prefix for prefixes in above.values() for prefix in prefixes}
    buried = set(Tombstone.objects.filter(name__in=asked).values_list("name", flat=True))
    return {name for name, prefixes in above.items() if not buried.isdisjoint(prefixes)}
