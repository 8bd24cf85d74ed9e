"""What one account may keep and post: bytes, clips, and clips in a day."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from accounts.models import User
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage.naming import CLOUDINARY, named
from videos.models import Status, Upload, Video

MEGABYTE = 2**20
CLIPS = Q(name__startswith="videos/") | Q(name__startswith=named(CLOUDINARY, "videos/"))


def stored_bytes(user_id: int) -> int:
    """How much the clips of an account take, with what it has announced to send."""
    kept = StoredObject.objects.filter(CLIPS, owner_id=user_id, kept_at__isnull=False)
    announced = Upload.objects.filter(video__author=user_id)
    return sum(rows.aggregate(total=Sum("size_bytes"))["total"] or 0 for rows in (kept, announced))


def check(user: User, size: int = 0, *, lock: bool = False) -> None:
    """Raise `quota_exceeded` (403) if another clip, of `size` bytes, would be too much.

    With `lock`, others of the same account wait until the caller's transaction ends, so that
    two at the same moment cannot both take what is left.
    """
    if lock:
        list(User.objects.select_for_update(no_key=True).filter(pk=user.pk).only("pk"))
    videos = Video.objects.filter(author=user)
    today = videos.filter(created_at__gt=timezone.now() - timedelta(days=1))
    limit = settings.QUOTA_VIDEOS_PER_DAY
    if limit and today.exclude(status=Status.REJECTED).count() >= limit:
        raise _exceeded("day", f"You may post {limit} clips in a day. Try again tomorrow.", 3600)
    limit = settings.QUOTA_VIDEOS
    if limit and videos.exclude(status=Status.REJECTED).count() >= limit:
        raise _exceeded("videos", f"You may have {limit} clips. Delete one to post another.")
    limit = settings.QUOTA_BYTES
    if limit and stored_bytes(user.pk) + size > limit:
        megabytes = limit // MEGABYTE
        raise _exceeded("bytes", f"Your clips may take {megabytes} MB. Delete some to post more.")


def _exceeded(what: str, sentence: str, retry_after: int | None = None) -> DomainError:
    return DomainError(
        "quota_exceeded",
        sentence,
        status=403,
        fields={"file": [(f"quota_{what}", sentence)]},
        retry_after=retry_after,
    )
