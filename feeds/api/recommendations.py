"""What one's recommendations are made of, and how one changes that, as JSON."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api.serializers import Flag
from accounts.models import User
from feeds import taste
from tiktok_clone.common.api import Input, refuse_unknown_options
from videos.api.serializers import AuthorSerializer, Description
from videos.representation import represent_author

NAME = OpenApiParameter(
    "name", str, OpenApiParameter.PATH, description="A handle, or a hashtag without the #."
)
STRENGTH = "From 0 to 1: how much the feed goes by it."


class LearnedHashtagSerializer(Description):
    """A hashtag whose clips one cares for."""

    name = serializers.CharField()
    strength = serializers.FloatField(help_text=STRENGTH)


class LearnedCreatorSerializer(AuthorSerializer):
    """A person whose clips one cares for."""

    strength = serializers.FloatField(help_text=STRENGTH)


class RefusedVideoSerializer(Description):
    """A clip that one does not want to see."""

    id = serializers.IntegerField()
    caption = serializers.CharField()
    author = AuthorSerializer()
    url = serializers.CharField(help_text="Path of its page.")


class RecommendationsSerializer(Description):
    """What recommendations are made of; the strongest and the latest come first."""

    profiling = serializers.BooleanField(
        help_text="Whether the feed learns from what one does. Without it, nothing is learned."
    )
    since = serializers.DateTimeField(
        allow_null=True, help_text="When all that was learned was forgotten last."
    )
    hashtags = LearnedHashtagSerializer(many=True)
    creators = LearnedCreatorSerializer(many=True)
    refused_videos = RefusedVideoSerializer(many=True)
    refused_creators = AuthorSerializer(many=True)
    refused_hashtags = serializers.ListField(child=serializers.CharField())


class ProfilingSerializer(Input):
    """The switch."""

    profiling = Flag()


class Recommendations(ViewSet):
    """`/user/recommendations`, and what was refused at `/user/refusals`."""

    permission_classes = [IsAuthenticated]
    parser_classes = [JSONParser]

    @extend_schema(
        summary="What your recommendations are made of",
        operation_id="user_recommendations",
        responses=RecommendationsSerializer,
    )
    def retrieve(self, request: Request) -> Response:
        """What the feed has learned, and what was refused."""
        refuse_unknown_options(request, set())
        return Response(_represent(cast(User, request.user)))

    @extend_schema(
        summary="Let the feed learn from what you do, or not",
        operation_id="user_recommendations_profiling",
        request=ProfilingSerializer,
        responses=RecommendationsSerializer,
    )
    def partial_update(self, request: Request) -> Response:
        """Switched off, all that was learned is deleted; on again, it follows from your acts."""
        wanted = ProfilingSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        user = cast(User, request.user)
        taste.set_profiling(user, wanted.validated_data["profiling"])
        return Response(_represent(user))

    @extend_schema(
        summary="Reset your recommendations",
        operation_id="user_recommendations_reset",
        request=None,
        responses=RecommendationsSerializer,
    )
    def reset(self, request: Request) -> Response:
        """What you did up to now says nothing any more. What you refused stays refused."""
        user = cast(User, request.user)
        taste.reset(user)
        return Response(_represent(user))

    @extend_schema(
        summary="Remove something learned",
        parameters=[NAME],
        responses={204: None},
    )
    def forget(self, request: Request, what: str, name: str) -> Response:
        """It comes back if you go on caring for it. Again changes nothing."""
        taste.forget_one(cast(User, request.user), what, name)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Take back that you want less of something",
        parameters=[NAME],
        responses={204: None},
    )
    def allow(self, request: Request, what: str, name: str) -> Response:
        """It may be recommended again. Again changes nothing."""
        taste.allow(cast(User, request.user), what, name)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _represent(user: User) -> dict[str, Any]:
    learned, refused = taste.learned(user), taste.refused(user)
    return {
        "profiling": user.profiling,
        "since": user.taste_since,
        "hashtags": [
            {"name": tag.name, "strength": round(much, 3)} for tag, much in learned.hashtags
        ],
        "creators": [
            represent_author(person) | {"strength": round(much, 3)}
            for person, much in learned.creators
        ],
        "refused_videos": [
            {
                "id": video.pk,
                "caption": video.caption,
                "author": represent_author(video.author),
                "url": video.get_absolute_url(),
            }
            for video in refused.videos
        ],
        "refused_creators": [represent_author(person) for person in refused.creators],
        "refused_hashtags": [tag.name for tag in refused.hashtags],
    }
