"""Input of the feed's API, and the shapes of its answers for the schema."""

from math import isfinite
from typing import Any

from rest_framework import serializers

from feeds import taste
from feeds.options import DEFAULT_LIMIT, DEFAULT_MODE, LARGEST_LIMIT
from feeds.recommender import explaining
from feeds.services import LARGEST_BATCH
from tiktok_clone.common.api import Input
from videos.api.serializers import AuthorSerializer, Description, VideoSerializer


class FeedOptionsSerializer(Description):
    """The query options of a feed request; checked by `feeds.options`."""

    mode = serializers.ChoiceField(
        choices=["for-you", "all", "following", "followed", "friends"],
        default=DEFAULT_MODE,
        required=False,
    )
    order = serializers.ChoiceField(
        choices=["ranked", "shuffle", "latest"],
        required=False,
        help_text="For following and friends: shuffle when a seed is passed, else latest."
        " For-you is ranked, all is shuffled.",
    )
    seed = serializers.CharField(
        required=False,
        help_text="What the previous page returned, or any integer. Leave it out to refresh.",
    )
    skip = serializers.IntegerField(
        default=0, min_value=0, required=False, help_text="next_skip of the previous page."
    )
    limit = serializers.IntegerField(
        default=DEFAULT_LIMIT, min_value=1, max_value=LARGEST_LIMIT, required=False
    )


class FeedAuthorSerializer(AuthorSerializer):
    """Who posted it, and whether the reader follows them."""

    following = serializers.BooleanField()


class FeedCardSerializer(VideoSerializer):
    """A video as the reader sees it in the feed."""

    author = FeedAuthorSerializer()


class FeedPageSerializer(Description):
    """A page of the feed."""

    mode = serializers.ChoiceField(choices=["for-you", "all", "following", "friends"])
    order = serializers.ChoiceField(choices=["ranked", "shuffle", "latest"])
    seed = serializers.CharField(help_text="Pass it, with next_skip, to get the next page.")
    skip = serializers.IntegerField()
    limit = serializers.IntegerField()
    count = serializers.IntegerField(help_text="How many results; less than limit only at the end.")
    next_skip = serializers.IntegerField()
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")
    end = serializers.BooleanField(help_text="Nothing comes after this page.")
    seen_from = serializers.IntegerField(
        allow_null=True,
        help_text="For-you, where all that is new has been shown: index in results from which on"
        " come the clips that were seen before, longest ago first. Null on all other pages.",
    )
    results = FeedCardSerializer(many=True)


class SecondsField(serializers.FloatField):
    """A finite time; the plain field lets `"nan"` through and breaks on huge numbers."""

    def to_internal_value(self, data: Any) -> float:
        """Return seconds."""
        try:
            seconds = super().to_internal_value(data)
        except OverflowError:
            self.fail("invalid")
        if not isfinite(seconds):
            self.fail("invalid")
        return seconds


class WatchedSerializer(Input):
    """One impression."""

    video = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    seconds = SecondsField(min_value=0, default=0, help_text="How long it was on.")
    completed = serializers.BooleanField(default=False, help_text="It reached its end.")


class ViewsSerializer(Input):
    """A batch of impressions."""

    views = serializers.ListField(child=WatchedSerializer(), max_length=LARGEST_BATCH)


class RecordedSerializer(Description):
    """How many impressions were recorded."""

    recorded = serializers.IntegerField()


class RefusalSerializer(Input):
    """What not to be interested in."""

    what = serializers.ChoiceField(
        choices=[taste.VIDEO, taste.CREATOR, taste.HASHTAG],
        default=taste.VIDEO,
        help_text="The video alone, or all that its creator posts, or all with a hashtag of it.",
    )
    hashtag = serializers.CharField(
        default="", max_length=100, help_text="Which one, for what: hashtag."
    )


class NotInterestedSerializer(Description):
    """The state after an act."""

    not_interested = serializers.BooleanField()


class ReasonSerializer(Description):
    """One reason."""

    mode = serializers.ChoiceField(
        choices=["for-you", "all", "following", "friends"],
        allow_null=True,
        help_text="The feed that it speaks of; null for all of them.",
    )
    code = serializers.ChoiceField(
        choices=[
            *explaining.CODES,
            "following",
            "friend",
            "shuffled",
            "own",
            "not_interested",
            "reported",
            "muted",
            "muted_word",
            "less_of_creator",
            "less_of_hashtag",
            "not_published",
            "in_no_feed",
        ]
    )
    text = serializers.CharField(help_text="For people.")
    less = serializers.ChoiceField(
        choices=["video", "creator", "hashtag"],
        allow_null=True,
        help_text="What not to be interested in to get less of it; null where it is no taste.",
    )
    hashtag = serializers.CharField(allow_null=True, help_text="Which one, for less: hashtag.")


class WhySerializer(Description):
    """Why a video is in the reader's feeds, or why in none."""

    reasons = ReasonSerializer(many=True)


class ExportSerializer(Description):
    """A copy of all that one has here."""

    state = serializers.ChoiceField(choices=["none", "running", "ready", "failed"])
    requested_at = serializers.DateTimeField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    size_bytes = serializers.IntegerField()
    download_url = serializers.CharField(
        allow_null=True, help_text="Where its owner gets the ZIP, once it is ready."
    )
