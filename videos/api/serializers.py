"""Input of the API, and the shapes of its answers for the schema.

Answers are built by `videos.representation`, not by these serializers, which would be
the slowest part of a page; they only describe.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.models import CommentsFrom, CommentsHeld, Reason
from tiktok_clone.common.api import Input
from videos.models import CommentState, Status, Visibility
from videos.text import CAPTION_MAX, COMMENT_MAX


class Description(serializers.Serializer[Any]):
    """Describes an answer; its fields are only for the schema."""


class AuthorSerializer(Description):
    """Who posted it."""

    id = serializers.IntegerField()
    handle = serializers.CharField()
    name = serializers.CharField()
    avatar = serializers.CharField(help_text="Address of the picture.")
    url = serializers.CharField(help_text="Path of the profile page.")


class SourceSerializer(Description):
    """One playable file."""

    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    type = serializers.CharField()
    bitrate = serializers.IntegerField(help_text="Bits a second.")


class SpriteSerializer(Description):
    """Stills of a video in one row, each from the middle of its part."""

    url = serializers.CharField()
    columns = serializers.IntegerField(help_text="How many; all have the video's shape.")


class SubtitlesSerializer(Description):
    """The subtitles in one language."""

    language = serializers.CharField(help_text="A BCP 47 tag.")
    label = serializers.CharField(help_text="The name of the language, or what was given.")  # type: ignore[assignment]
    url = serializers.CharField(help_text="Path of the WebVTT.")


class VideoSerializer(Description):
    """A video, as one reader sees it."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Status.choices)
    progress = serializers.IntegerField(help_text="Percent processed.")
    reason = serializers.CharField(allow_null=True, help_text="Why it failed and what to do.")
    reason_code = serializers.CharField(allow_null=True)
    caption = serializers.CharField()
    author = AuthorSerializer()
    hashtags = serializers.ListField(child=serializers.CharField())
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    comments_from = serializers.ChoiceField(CommentsFrom.choices, help_text="Who may comment.")
    comments_held = serializers.ChoiceField(
        CommentsHeld.choices, help_text="Whose comments wait for the author's approval."
    )
    sources = SourceSerializer(many=True, help_text="From small to large.")
    poster = serializers.CharField(allow_null=True)
    preview = serializers.CharField(allow_null=True, help_text="Three seconds as a WebP.")
    sprite = SpriteSerializer(allow_null=True)
    subtitles = SubtitlesSerializer(many=True)
    placeholder = serializers.CharField(allow_null=True, help_text="A tiny picture, data URI.")
    duration = serializers.FloatField(help_text="Seconds.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    likes_count = serializers.IntegerField()
    comments_count = serializers.IntegerField()
    saves_count = serializers.IntegerField()
    shares_count = serializers.IntegerField()
    views_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField(help_text="Path of the video's page.")
    share_url = serializers.CharField(help_text="Full address to pass on.")
    liked = serializers.BooleanField(required=False, help_text="When signed in.")
    saved = serializers.BooleanField(required=False, help_text="When signed in.")


class CommentSerializer(Description):
    """A comment, as one reader sees it."""

    id = serializers.IntegerField()
    video = serializers.IntegerField(help_text="Id of the video.")
    text = serializers.CharField()
    author = AuthorSerializer()
    parent = serializers.IntegerField(  # type: ignore[assignment]
        allow_null=True, help_text="The comment replied to."
    )
    state = serializers.ChoiceField(
        CommentState.choices,
        help_text="`held` and `hidden` ones are for their author and the video's alone.",
    )
    pinned = serializers.BooleanField(help_text="Comes first, on the first page.")
    likes_count = serializers.IntegerField()
    replies_count = serializers.IntegerField(help_text="Shown ones.")
    created_at = serializers.DateTimeField()
    liked = serializers.BooleanField(required=False, help_text="When signed in.")


@extend_schema_serializer(many=False)
class HeldCommentsPageSerializer(Description):
    """A page of comments that wait; `next` and `previous` are addresses or null."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = CommentSerializer(many=True)


class LikedSerializer(Description):
    """The state after an act."""

    liked = serializers.BooleanField()
    likes_count = serializers.IntegerField()


class SavedSerializer(Description):
    """The state after an act."""

    saved = serializers.BooleanField()
    saves_count = serializers.IntegerField()


class SharedSerializer(Description):
    """The state after an act."""

    shared = serializers.BooleanField()
    shares_count = serializers.IntegerField()
    share_url = serializers.CharField()


class ReportedSerializer(Description):
    """The state after an act."""

    reported = serializers.BooleanField()


class EditVideoSerializer(Input):
    """What an author may change; PUT needs caption and visibility. See `videos.text` for texts."""

    caption = serializers.CharField(
        allow_blank=True, trim_whitespace=False, max_length=CAPTION_MAX * 2
    )
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    comments_from = serializers.ChoiceField(CommentsFrom.choices, required=False)
    comments_held = serializers.ChoiceField(CommentsHeld.choices, required=False)


class WriteCommentSerializer(Input):
    """A new comment; with `parent` a reply."""

    text = serializers.CharField(trim_whitespace=False, max_length=COMMENT_MAX * 2)
    parent = serializers.IntegerField(  # type: ignore[assignment]
        required=False, allow_null=True, min_value=1
    )


class WriteReportSerializer(Input):
    """What is wrong with a video."""

    reason = serializers.ChoiceField(choices=Reason.choices)
    text = serializers.CharField(required=False, allow_blank=True, max_length=1000)
