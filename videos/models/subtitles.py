"""What is said in a clip, to be read."""

from django.db import models

from tiktok_clone.common.models import Timestamped


class Subtitles(Timestamped):
    """The subtitles of a video in one language; `created_at` is when the text came."""

    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="subtitles")
    language = models.CharField(max_length=35, help_text="A BCP 47 tag, such as `en`.")
    label = models.CharField(max_length=60, help_text="As the player's menu shows it.")
    vtt = models.TextField(help_text="WebVTT.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["video", "language"], name="subtitles_once")]

    def __str__(self) -> str:
        return f"{self.language} subtitles of video {self.video_id}"
