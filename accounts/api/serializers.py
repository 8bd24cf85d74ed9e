"""What people look like in JSON. Fields are listed one by one: nothing appears by accident."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import empty

from accounts.models import CommentsFrom, CommentsHeld, MutedWord, Session, User
from accounts.people import Relation
from accounts.receivers import ROW
from tiktok_clone.common.api import Input


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person as others see them; never an e-mail address.

    `relations` in the context (id → Relation) adds how the reader relates to them.
    """

    avatar = serializers.CharField(source="avatar_url", read_only=True)
    url = serializers.CharField(source="get_absolute_url", read_only=True)
    following = serializers.BooleanField(read_only=True, required=False)
    requested = serializers.BooleanField(read_only=True, required=False)
    followed_by = serializers.BooleanField(read_only=True, required=False)
    muted = serializers.BooleanField(read_only=True, required=False)
    blocked = serializers.BooleanField(read_only=True, required=False)

    class Meta:
        model = User
        fields = [
            "id",
            "handle",
            "name",
            "bio",
            "avatar",
            "url",
            "is_private",
            "followers_count",
            "following_count",
            "videos_count",
            "likes_count",
            "following",
            "requested",
            "followed_by",
            "muted",
            "blocked",
        ]
        read_only_fields = fields

    def to_representation(self, instance: User) -> dict[str, Any]:
        """Add the reader's relation where there is a reader."""
        shown: dict[str, Any] = super().to_representation(instance)
        relations: dict[int, Relation] = self.context.get("relations", {})
        relation = relations.get(instance.pk)
        if relation is not None:
            shown |= asdict(relation)
        return shown


class SuggestionSerializer(PersonSerializer):
    """A person to follow, and how many of the reader's people do."""

    mutual_count = serializers.IntegerField(read_only=True)

    class Meta(PersonSerializer.Meta):
        fields = [*PersonSerializer.Meta.fields, "mutual_count"]
        read_only_fields = fields


@extend_schema_serializer(many=False)
class SuggestionsSerializer(serializers.Serializer[Any]):
    """People to follow."""

    results = SuggestionSerializer(many=True, read_only=True)


@extend_schema_serializer(many=False)
class PeoplePageSerializer(serializers.Serializer[Any]):
    """A page of people; `next` and `previous` are addresses or null."""

    next = serializers.URLField(read_only=True, allow_null=True)
    previous = serializers.URLField(read_only=True, allow_null=True)
    results = PersonSerializer(many=True, read_only=True)


class MeSerializer(serializers.ModelSerializer[User]):
    """One's own account."""

    avatar = serializers.CharField(source="avatar_url", read_only=True)
    url = serializers.CharField(source="get_absolute_url", read_only=True)
    email_verified = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "id",
            "email",
            "email_verified",
            "handle",
            "name",
            "bio",
            "avatar",
            "url",
            "is_private",
            "findable_by_email",
            "follows_hidden",
            "comments_from",
            "comments_held",
            "followers_count",
            "following_count",
            "videos_count",
            "likes_count",
            "created_at",
        ]
        read_only_fields = fields

    def get_email_verified(self, user: User) -> bool:
        """Whether the address is known to be theirs."""
        return user.email_verified_at is not None


class Flag(serializers.BooleanField):
    """A switch that stays as it is when a form leaves it out (the stock one turns it off)."""

    default_empty_html = empty


class ProfileSerializer(Input):
    """What one may change of one's own profile; PUT needs name and handle."""

    name = serializers.CharField(max_length=200)
    handle = serializers.CharField(max_length=200)
    bio = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    is_private = Flag(required=False)
    findable_by_email = Flag(required=False)
    follows_hidden = Flag(required=False)
    comments_from = serializers.ChoiceField(
        CommentsFrom.choices, required=False, help_text="Who may comment on new videos."
    )
    comments_held = serializers.ChoiceField(
        CommentsHeld.choices, required=False, help_text="Whose comments wait for approval."
    )
    avatar = serializers.FileField(
        required=False, allow_null=True, write_only=True, help_text="A picture; null removes it."
    )


class SignUpSerializer(Input):
    """What signing up takes."""

    email = serializers.CharField(max_length=1000)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    handle = serializers.CharField(max_length=1000)
    name = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    invitation = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="The code of an invitation, where signing up needs one.",
    )


class SignInSerializer(Input):
    """E-mail address and password."""

    email = serializers.CharField(max_length=1000)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class RefreshSerializer(Input):
    """A refresh token."""

    refresh = serializers.CharField(max_length=4000)


class TokensSerializer(serializers.Serializer[Any]):
    """A new pair of tokens."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class SignedInSerializer(TokensSerializer):
    """Who signed in, and the tokens."""

    user = MeSerializer(read_only=True)


class PasswordSerializer(Input):
    """The present password and the next."""

    current_password = serializers.CharField(max_length=1000, trim_whitespace=False)
    new_password = serializers.CharField(max_length=1000, trim_whitespace=False)


class ResetSerializer(Input):
    """Where to send the link."""

    email = serializers.CharField(max_length=1000)


class ResetConfirmSerializer(Input):
    """The two parts of the link, and the next password."""

    uid = serializers.CharField(max_length=100)
    token = serializers.CharField(max_length=200)
    new_password = serializers.CharField(max_length=1000, trim_whitespace=False)


class FollowStateSerializer(serializers.Serializer[Any]):
    """What the follow button shows; `requested` while a private account has not answered."""

    following = serializers.BooleanField(read_only=True)
    requested = serializers.BooleanField(read_only=True)
    followers_count = serializers.IntegerField(read_only=True)


class MuteStateSerializer(serializers.Serializer[Any]):
    """Whether the person is muted."""

    muted = serializers.BooleanField(read_only=True)


class MutedWordSerializer(serializers.ModelSerializer[MutedWord]):
    """A word, a phrase or a hashtag (with its sign) that one mutes."""

    class Meta:
        model = MutedWord
        fields = ["id", "text", "created_at"]
        read_only_fields = fields


@extend_schema_serializer(many=False)
class MutedWordPageSerializer(serializers.Serializer[Any]):
    """A page of muted words; `next` and `previous` are addresses or null."""

    next = serializers.URLField(read_only=True, allow_null=True)
    previous = serializers.URLField(read_only=True, allow_null=True)
    results = MutedWordSerializer(many=True, read_only=True)


class WriteMutedWordSerializer(Input):
    """What to mute."""

    text = serializers.CharField(
        max_length=1000, help_text="A word, some words, or a hashtag with its sign."
    )


class FollowRequestSerializer(serializers.Serializer[Any]):
    """Somebody who asks to follow."""

    id = serializers.IntegerField(read_only=True)
    person = PersonSerializer(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


@extend_schema_serializer(many=False)
class FollowRequestPageSerializer(serializers.Serializer[Any]):
    """A page of requests; `next` and `previous` are addresses or null."""

    next = serializers.URLField(read_only=True, allow_null=True)
    previous = serializers.URLField(read_only=True, allow_null=True)
    results = FollowRequestSerializer(many=True, read_only=True)


class BlockStateSerializer(serializers.Serializer[Any]):
    """Whether the person is blocked."""

    blocked = serializers.BooleanField(read_only=True)


class SessionSerializer(serializers.ModelSerializer[Session]):
    """Where one is signed in."""

    current = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = ["id", "kind", "user_agent", "ip", "created_at", "last_used_at", "current"]
        read_only_fields = fields

    def get_current(self, session: Session) -> bool:
        """Whether it is the one that asks."""
        return str(session.pk) == self.context.get("current")


@extend_schema_serializer(many=False)
class SessionsSerializer(serializers.Serializer[Any]):
    """All live sessions."""

    results = SessionSerializer(many=True, read_only=True)


def current_session_id(request: Any) -> str | None:
    """The session that a request belongs to: by its access token, or by its cookie."""
    if request.auth is not None:
        return str(request.auth["sid"])
    browser = getattr(request, "session", None)
    return browser.get(ROW) if browser is not None else None
