"""Direct uploads that nobody has said anything about for long: which to look at, and how often."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from tiktok_clone.common.storage import CLOUDINARY, cloudinary_store
from videos.media.processing import original_name
from videos.models import Upload

LOOKED_AT_PER_RUN = 100


def due(now: datetime, after: timedelta) -> list[Upload]:
    """Return uploads that have been silent for so long and are to be looked at, with their clips.

    Each is looked at again when it has been silent for twice as long, and when it expires.
    """
    lifetime = timedelta(seconds=settings.UPLOAD_LIFETIME)
    silent = Upload.objects.filter(expires_at__lt=now - after + lifetime)
    waiting = silent.filter(Q(look_at=None) | Q(look_at__lte=now)).select_related("video")
    uploads = list(waiting.order_by("expires_at")[:LOOKED_AT_PER_RUN])
    for upload in uploads:
        twice = now + (now - upload.expires_at + lifetime)
        later = twice if upload.expires_at < now else min(twice, upload.expires_at)
        Upload.objects.filter(pk=upload.pk, expires_at=upload.expires_at).update(look_at=later)
    return uploads


def absent(uploads: Iterable[Upload]) -> set[int]:
    """Return the ids of those of which Cloudinary has nothing, in few calls.

    Raises:
        OSError: Cloudinary does not answer.
    """
    by_name = {original_name(each.video): each.pk for each in uploads if _is_hosted(each)}
    there = cloudinary_store().facts(by_name) if by_name else {}
    return {pk for name, pk in by_name.items() if name not in there}


def _is_hosted(upload: Upload) -> bool:
    return upload.video.store == CLOUDINARY
