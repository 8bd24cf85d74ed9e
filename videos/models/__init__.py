"""What is published and what people do with it."""

from videos.models.comment import Comment, CommentLike, CommentState
from videos.models.engagement import Like, Save, Share
from videos.models.hashtag import Hashtag, Mention, VideoHashtag
from videos.models.report import Report
from videos.models.slot import FIRST_EPOCH, SlotEpoch, SlotRun, Stamp
from videos.models.subtitles import Subtitles
from videos.models.tombstone import Tombstone
from videos.models.upload import MediaEvent, Reservation, Upload, UploadPiece
from videos.models.video import MEDIA_MISSING, TRANSITIONS, Rendition, Status, Video, Visibility

__all__ = [
    "FIRST_EPOCH",
    "MEDIA_MISSING",
    "TRANSITIONS",
    "Comment",
    "CommentLike",
    "CommentState",
    "Hashtag",
    "Like",
    "MediaEvent",
    "Mention",
    "Rendition",
    "Report",
    "Reservation",
    "Save",
    "Share",
    "SlotEpoch",
    "SlotRun",
    "Stamp",
    "Status",
    "Subtitles",
    "Tombstone",
    "Upload",
    "UploadPiece",
    "Video",
    "VideoHashtag",
    "Visibility",
]
