"""What one account may keep and post: bytes, clips, and clips in a day.

Whoever reserves a clip writes down in that transaction how many bytes are to come, and that one
was begun; so nobody gets more by sending several at once, or by deleting what was posted.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

from accounts.models import User
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage.naming import CLOUDINARY, named
from videos.models import Reservation, Status, Tombstone, Video

MEGABYTE = 2**20
DAY = timedelta(days=1)
CLIPS = Q(name__startswith="videos/") | Q(name__startswith=named(CLOUDINARY, "videos/"))


def stored_bytes(user_id: int) -> int:
    """How much the clips of an account take, with what is announced, or on its way.

    Without what waits under its own name to be removed: after a clip has moved, the files that
    it had before.
    """
    leaving = Tombstone.objects.filter(name=OuterRef("name"))
    booked = StoredObject.objects.filter(CLIPS, ~Exists(leaving), owner_id=user_id)
    return booked.aggregate(total=Sum("size_bytes"))["total"] or 0


def check(user: User, size: int = 0, *, lock: bool = False) -> None:
    """Raise `quota_exceeded` (403) if another clip, of `size` bytes, would be too much.

    With `lock`, others of the same account wait until the caller's transaction ends, so that
    two at the same moment cannot both take what is left.
    """
    if lock:
        list(User.objects.select_for_update(no_key=True).filter(pk=user.pk).only("pk"))
    videos = Video.objects.filter(author=user)
    today = Reservation.objects.filter(author=user, created_at__gt=timezone.now() - DAY)
    limit = settings.QUOTA_VIDEOS_PER_DAY
    if limit and today.count() >= limit:
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
