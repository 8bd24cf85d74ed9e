"""Input of the notifications' API, and the shapes of its answers for the schema."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.api.serializers import Flag
from feeds.models import Kind
from feeds.notifications import ALWAYS
from tiktok_clone.common.api import Input
from videos.api.serializers import AuthorSerializer, Description

NAMED_MAX = 100


class ToldVideoSerializer(Description):
    """The video that it is about."""

    id = serializers.IntegerField()
    caption = serializers.CharField(allow_blank=True)
    poster = serializers.CharField(allow_null=True)
    url = serializers.CharField(help_text="Path of its page.")


class ToldCommentSerializer(Description):
    """The comment that it is about, the latest one of a group."""

    id = serializers.IntegerField()
    text = serializers.CharField()


class GroupSerializer(Description):
    """What you are told of one thing on one day (UTC)."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    summary = serializers.CharField(help_text="For people: anna and 12 others liked your clip.")
    people = AuthorSerializer(many=True, help_text="The latest, up to three.")
    people_count = serializers.IntegerField()
    count = serializers.IntegerField(help_text="Notifications in it.")
    unread = serializers.IntegerField(help_text="Unread ones of them.")
    latest_at = serializers.DateTimeField()
    video = ToldVideoSerializer(allow_null=True)
    comment = ToldCommentSerializer(allow_null=True)
    url = serializers.CharField(allow_null=True, help_text="Path of the page to look at it.")


@extend_schema_serializer(many=False)
class GroupPageSerializer(Description):
    """A page of groups; `next` is an address or null."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True, help_text="Always null: begin anew.")
    results = GroupSerializer(many=True)


class RowSerializer(Description):
    """One notification."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    person = AuthorSerializer(allow_null=True)
    text = serializers.CharField(allow_blank=True, help_text="The reason, or the message.")
    read = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    video = ToldVideoSerializer(allow_null=True)
    comment = ToldCommentSerializer(allow_null=True)
    url = serializers.CharField(allow_null=True, help_text="Path of the page to look at it.")


@extend_schema_serializer(many=False)
class RowsPageSerializer(Description):
    """A page of a group; `next` and `previous` are addresses or null."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = RowSerializer(many=True)


class UnreadStateSerializer(Description):
    """How many are unread."""

    unread = serializers.IntegerField(help_text="1000 stands for so many and more.")


class UnreadSerializer(UnreadStateSerializer):
    """How many are unread, and how a page goes on asking."""

    token = serializers.CharField(
        allow_null=True, help_text="For a page that asked by its cookie: a Bearer token for this."
    )


class ReadSerializer(Input):
    """What to mark as read; at least one of the three."""

    notifications = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        max_length=NAMED_MAX,
        required=False,
        default=list,
    )
    groups = serializers.ListField(
        child=serializers.CharField(max_length=80),
        max_length=NAMED_MAX,
        required=False,
        default=list,
    )
    all = serializers.BooleanField(required=False, default=False)


class SwitchesSerializer(Input):
    """Whether you are told of a kind, for each kind."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """One for each kind that has a switch."""
        return {str(kind): Flag(help_text=kind.label) for kind in Kind if kind not in ALWAYS}


class BellStateSerializer(Description):
    """Whether the bell is on."""

    bell = serializers.BooleanField()
