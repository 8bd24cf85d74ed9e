"""What captions refer to."""

from django.conf import settings
from django.db import models

from tiktok_clone.common.models import Timestamped


class Hashtag(Timestamped):
    """A tag, folded (NFKC, case) and without the sign."""

    name = models.CharField(max_length=50, unique=True)
    videos_count = models.PositiveIntegerField(default=0, help_text="Published public videos.")

    def __str__(self) -> str:
        return f"#{self.name}"


class VideoHashtag(models.Model):
    """A tag in a caption."""

    video = models.ForeignKey("videos.Video", models.CASCADE)
    hashtag = models.ForeignKey(Hashtag, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "hashtag"], name="tag_once")]
        indexes = [models.Index(fields=["hashtag", "-video"], name="tag_videos")]

    def __str__(self) -> str:
        return f"tag {self.hashtag_id} of video {self.video_id}"


class Mention(Timestamped):
    """A person named in a caption."""

    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "user"], name="mention_once")]

    def __str__(self) -> str:
        return f"user {self.user_id} in video {self.video_id}"
