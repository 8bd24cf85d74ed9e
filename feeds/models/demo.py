"""Which clips are of the demo."""

from django.db import models

from tiktok_clone.common.models import Timestamped


class DemoClip(Timestamped):
    """A clip of the demo that was posted: never again, even if its author edits or deletes it."""

    name = models.CharField(max_length=40, unique=True)
    video = models.OneToOneField("videos.Video", models.SET_NULL, null=True, related_name="+")
    reacted_at = models.DateTimeField(null=True, help_text="When it had its likes and comments.")

    def __str__(self) -> str:
        return f"{self.name} of the demo"
