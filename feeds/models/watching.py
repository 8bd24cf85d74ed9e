"""What people watched, and how strongly each act speaks for a video."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from feeds.models.wishes import RemovedTaste
from videos.models import VideoHashtag

# Watched in all, from which an impression is a view. Less is a swipe past.
VIEW_SECONDS = 1.0
WATCHED = models.Q(completed__gt=0) | models.Q(seconds__gte=VIEW_SECONDS)


class Impression(models.Model):
    """That a person was shown a video, and how much of it they watched."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="impressions")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="impressions")
    times = models.PositiveIntegerField(default=1)
    seconds = models.FloatField(default=0, help_text="Watched in all.")
    completed = models.PositiveIntegerField(default=0, help_text="Times watched to the end.")
    longest = models.FloatField(
        default=0, db_default=0, help_text="Seconds of the longest single watch."
    )
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(auto_now=True)
    forgotten_at = models.DateTimeField(null=True, help_text="Taken out of the history.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "video"], name="impression_once")]
        indexes = [
            models.Index(fields=["user", "-last_at"], name="impression_recent"),
            models.Index(fields=["last_at"], name="impression_by_age"),
        ]

    def __str__(self) -> str:
        return f"video {self.video_id} seen by {self.user_id}"


class AffinityQuerySet(models.QuerySet["Affinity"]):
    """Strengths, by what may be done with them."""

    def learnable(self) -> Self:
        """Those that speak for a video, of people who let us learn, less what they took out.

        The same as `affinity.COUNTED` says.
        """
        since = Q(user__taste_since=None) | Q(acted_at__gt=F("user__taste_since"))
        tags = VideoHashtag.objects.filter(video=OuterRef(OuterRef("video"))).values("hashtag")
        removed = RemovedTaste.objects.filter(
            Q(creator=OuterRef("video__author")) | Q(hashtag__in=tags),
            user=OuterRef("user"),
            removed_at__gte=OuterRef("acted_at"),
        )
        return self.filter(since, ~Exists(removed), strength__gt=0, user__profiling=True)


class Affinity(models.Model):
    """How much a person cares for a video: the sum of what they did with it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="affinities")
    video = models.ForeignKey("videos.Video", models.CASCADE, related_name="affinities")
    strength = models.FloatField(default=0, help_text="See the weights in feeds/affinity.py.")
    followed = models.BooleanField(default=False, help_text="Followed its author after watching.")
    acted_at = models.DateTimeField(help_text="The latest act.")
    first_at = models.DateTimeField(
        null=True, help_text="The first act; none for rows of before it was kept."
    )

    objects = AffinityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "affinities"
        constraints = [models.UniqueConstraint(fields=["user", "video"], name="affinity_once")]
        indexes = [models.Index(fields=["user", "-acted_at"], name="affinity_recent")]

    def __str__(self) -> str:
        return f"{self.strength:+.1f} of {self.user_id} for video {self.video_id}"
