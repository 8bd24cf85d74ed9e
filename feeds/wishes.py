"""What a reader said they do not want to come across."""

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from feeds.models import NotInterested, RefusedCreator, RefusedTag
from videos.models import Video, VideoHashtag
from videos.models.video import VideoQuerySet

if TYPE_CHECKING:
    from accounts.models.user import Viewer


def wanted_by(viewer: "Viewer", videos: VideoQuerySet) -> VideoQuerySet:
    """Leave out what the reader said no to, and the people whom they mute.

    It is asked when a page is made, so it holds at once, for seeds of before too.
    """
    if viewer is None or viewer.pk is None:
        return videos
    refused = NotInterested.objects.filter(user=viewer.pk, video=OuterRef("pk"))
    return videos.not_muted_by(viewer).exclude(Exists(refused))


def recommendable(viewer: "Viewer") -> VideoQuerySet:
    """What may be recommended to a reader: all that they may see and want to, less their own.

    Whom and what they refused as a creator or hashtag is in the other feeds nevertheless, where
    they follow it.
    """
    videos = Video.objects.published().visible_to(viewer)
    if viewer is None or viewer.pk is None:
        return wanted_by(viewer, videos)
    creators = RefusedCreator.objects.filter(user=viewer.pk, creator=OuterRef("author"))
    tagged = VideoHashtag.objects.filter(
        video=OuterRef("pk"),
        hashtag__in=RefusedTag.objects.filter(user=viewer.pk).values("hashtag"),
    )
    videos = videos.exclude(author=viewer.pk).exclude(Exists(creators)).exclude(Exists(tagged))
    return wanted_by(viewer, videos)
