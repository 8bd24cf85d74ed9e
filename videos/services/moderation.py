"""What moderators do: hide a video from everybody but its author, and show it again."""

from django.db import transaction
from django.utils import timezone

from videos import publication, signals
from videos.captions import link_caption
from videos.models import Report, Video


@transaction.atomic
def hide_video(video_id: int) -> bool:
    """Hide a video and close its reports. Returns whether it was shown before."""
    video = publication.lock(video_id)
    if video is None:
        return False
    now = timezone.now()
    Report.objects.filter(video=video, resolved_at=None).update(resolved_at=now)
    if video.hidden_at is not None:
        return False
    Video.objects.filter(pk=video.pk).update(hidden_at=now)
    video.hidden_at = now
    _recount(video)
    signals.video_hidden.send(sender=Video, video=video)
    return True


@transaction.atomic
def show_video(video_id: int) -> bool:
    """Show a hidden video again, in its old place. Returns whether it was hidden."""
    video = publication.lock(video_id)
    if video is None or video.hidden_at is None:
        return False
    Video.objects.filter(pk=video.pk).update(hidden_at=None)
    video.hidden_at = None
    _recount(video)
    signals.video_shown.send(sender=Video, video=video)
    return True


def _recount(video: Video) -> None:
    """Tags and the author count only what everybody may see; the video is locked already."""
    link_caption(video)
    publication.recount_videos(video.author_id)
