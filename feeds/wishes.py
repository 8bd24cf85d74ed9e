"""What a reader said they do not want to come across."""

from typing import TYPE_CHECKING

from django.db.models import BigIntegerField, Exists, OuterRef

from accounts.models import User
from feeds.models import NotInterested, RefusedCreator, RefusedTag
from tiktok_clone.common.compiled import Named
from videos.models import Report, Video, VideoHashtag
from videos.models.video import VideoQuerySet

if TYPE_CHECKING:
    from accounts.models.user import Viewer


def any_reader(*, mutes_words: bool) -> User:
    """Return who stands for every reader in a query that is made once: they differ by id alone.

    Args:
        mutes_words: whether the query is for those who mute words; it is another one then.
    """
    reader = User(mutes_words=mutes_words)
    reader.pk = Named("reader", BigIntegerField())
    return reader


def wanted_by(viewer: "Viewer", videos: VideoQuerySet) -> VideoQuerySet:
    """Leave out what the reader said no to or reported, and the people whom they mute.

    A report holds for its reader whatever the moderators make of it. It is asked when a page is
    made, so it holds at once, for seeds of before too.
    """
    if viewer is None or viewer.pk is None:
        return videos
    refused = NotInterested.objects.filter(user=viewer.pk, video=OuterRef("pk"))
    reported = Report.objects.filter(user=viewer.pk, video=OuterRef("pk"))
    return videos.not_muted_by(viewer).exclude(Exists(refused)).exclude(Exists(reported))


def recommendable(viewer: "Viewer") -> VideoQuerySet:
    """What may be recommended to a reader: all that they may see and want to, less their own.

    Creators and hashtags that they want less of are not recommended. Where a feed is no
    recommendation they stay: whom one follows, what one looks for, everybody's videos.
    """
    videos = Video.objects.published().visible_to(viewer)
    if viewer is not None and viewer.pk is not None:
        videos = videos.exclude(author=viewer.pk)
        videos = videos.exclude(of_refused_creator(viewer.pk)).exclude(with_refused_tag(viewer.pk))
    return wanted_by(viewer, videos)


def of_refused_creator(reader: int) -> Exists:
    """Whether a video is by somebody of whom a reader wants less."""
    return Exists(RefusedCreator.objects.filter(user=reader, creator=OuterRef("author")))


def with_refused_tag(reader: int) -> Exists:
    """Whether a video has a hashtag of which a reader wants less."""
    refused = RefusedTag.objects.filter(user=reader).values("hashtag")
    return Exists(VideoHashtag.objects.filter(video=OuterRef("pk"), hashtag__in=refused))
