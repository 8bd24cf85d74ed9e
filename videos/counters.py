"""What is counted of videos, comments and tags, and set right where it drifted.

Views are not here: see `feeds/counters.py`.
"""

from django.db.models import Count, F, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from tiktok_clone.common import counting
from tiktok_clone.common.counting import Counter, Drift
from videos.captions import recount_tags
from videos.models import (
    Comment,
    CommentLike,
    CommentState,
    Hashtag,
    Like,
    Save,
    Share,
    Status,
    Video,
    VideoHashtag,
    Visibility,
)

# What an author's number of videos counts, and the numbers of tags.
PUBLIC = Q(
    status=Status.READY,
    visibility=Visibility.PUBLIC,
    hidden_at=None,
    published_at__isnull=False,
)
SHOWN = Q(state=CommentState.SHOWN)
# What the numbers of tags count besides: that everybody may see the account.
OF_EVERYBODY = Q(author__is_active=True, author__deleted_at=None, author__is_private=False)

COUNTERS = (
    Counter(Video, "likes_count", Like.objects.all, "video"),
    Counter(Video, "saves_count", Save.objects.all, "video"),
    Counter(Video, "shares_count", Share.objects.all, "video"),
    Counter(Video, "comments_count", Comment.objects.counted, "video"),
    Counter(Comment, "replies_count", lambda: Comment.objects.filter(SHOWN), "parent"),
    Counter(Comment, "likes_count", CommentLike.objects.all, "comment"),
    Counter(User, "likes_count", Like.objects.all, "video__author"),
    Counter(User, "videos_count", lambda: Video.objects.filter(PUBLIC), "author"),
)


def reconcile(*, dry_run: bool = False) -> list[Drift]:
    """Set the counters of this app right that differ from their rows, and return what was."""
    drifts = counting.reconcile(COUNTERS, dry_run=dry_run)
    return drifts + counting.report(_reconcile_tags(dry_run))


def _reconcile_tags(dry_run: bool) -> list[Drift]:
    counted_videos = Video.objects.filter(PUBLIC & OF_EVERYBODY)
    per_tag = (
        VideoHashtag.objects.filter(hashtag=OuterRef("pk"), video__in=counted_videos)
        .order_by()
        .values("hashtag")
        .annotate(total=Count("pk"))
        .values("total")
    )
    counted = Coalesce(Subquery(per_tag, output_field=IntegerField()), 0)
    wrong = Hashtag.objects.annotate(counted=counted).exclude(counted=F("videos_count"))
    drifts = [
        Drift("hashtag", tag.pk, "videos_count", tag.videos_count, tag.counted) for tag in wrong
    ]
    if not dry_run:
        recount_tags(drift.pk for drift in drifts)
    return drifts
