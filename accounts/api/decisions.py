"""What moderators decided about one, and appeals: `/user/decisions`, `/user/suspension/appeal`."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import services
from accounts.api.people import actor
from accounts.models import Appeal, Decision, DecisionKind, Reason
from tiktok_clone.common.api import PAGING, CursorPages, Input, refuse_unknown_options


class AppealSerializer(serializers.ModelSerializer[Appeal]):
    """What one said to a decision, and the answer."""

    class Meta:
        model = Appeal
        fields = ["text", "state", "answer", "created_at", "answered_at"]
        read_only_fields = fields


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """What moderators decided, and why."""

    kind = serializers.ChoiceField(choices=DecisionKind.choices, read_only=True)
    reason = serializers.ChoiceField(choices=Reason.choices, read_only=True)
    headline = serializers.CharField(read_only=True, help_text="What was done, for people.")
    outcome = serializers.CharField(
        read_only=True, help_text="What became of it, for people; may be empty."
    )
    subject = serializers.CharField(read_only=True, help_text="Of the caption or the comment.")
    words = serializers.CharField(read_only=True, help_text="What the moderator says to it.")
    may_appeal = serializers.BooleanField(read_only=True, source="may_be_appealed")
    appeal = AppealSerializer(read_only=True, allow_null=True, source="appeal_or_none")
    url = serializers.CharField(read_only=True, source="get_absolute_url")

    class Meta:
        model = Decision
        fields = [
            "id",
            "kind",
            "target_id",
            "subject",
            "headline",
            "reason",
            "words",
            "created_at",
            "undone_at",
            "outcome",
            "may_appeal",
            "appeal",
            "url",
        ]
        read_only_fields = fields


@extend_schema_serializer(many=False)
class DecisionPageSerializer(serializers.Serializer[Any]):
    """A page of decisions; `next` and `previous` are addresses or null."""

    next = serializers.URLField(read_only=True, allow_null=True)
    previous = serializers.URLField(read_only=True, allow_null=True)
    results = DecisionSerializer(many=True, read_only=True)


class WriteAppealSerializer(Input):
    """Why one thinks that it was a mistake."""

    text = serializers.CharField(max_length=2000, help_text="Up to 1,000 characters.")


class SuspensionAppealSerializer(WriteAppealSerializer):
    """The same by the token that signing in answered."""

    token = serializers.CharField(max_length=1000, help_text="`appeal_token` of the refusal.")


class Decisions(ViewSet):
    """What moderators decided about the account that asks."""

    @extend_schema(parameters=PAGING, responses=DecisionPageSerializer)
    def list(self, request: Request) -> Response:
        """All of them with their appeals, the latest first."""
        refuse_unknown_options(request, {"cursor", "limit"})
        pages = CursorPages()
        rows = pages.paginate_queryset(services.decisions_about(actor(request)), request, self)
        return pages.get_paginated_response(DecisionSerializer(rows or [], many=True).data)

    @extend_schema(responses=DecisionSerializer)
    def retrieve(self, request: Request, decision_id: int) -> Response:
        """One of them. 404 for those about others."""
        refuse_unknown_options(request, set())
        return Response(DecisionSerializer(services.find_own(actor(request), decision_id)).data)

    @extend_schema(request=WriteAppealSerializer, responses={201: DecisionSerializer})
    def appeal(self, request: Request, decision_id: int) -> Response:
        """Say once that it was a mistake. 409 `appealed_already`, or `decision_undone`."""
        found = services.find_own(actor(request), decision_id)
        return _appealed(found, WriteAppealSerializer(data=request.data))


class Suspension(ViewSet):
    """For people who cannot sign in, as their account is suspended."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(request=SuspensionAppealSerializer, responses={201: DecisionSerializer})
    def appeal(self, request: Request) -> Response:
        """Appeal with the `appeal_token` that came with `account_suspended` when signing in."""
        wanted = SuspensionAppealSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return _appealed(services.find_suspension(wanted.validated_data["token"]), wanted)


def _appealed(decision: Decision, wanted: WriteAppealSerializer) -> Response:
    wanted.is_valid(raise_exception=True)
    services.appeal(decision, wanted.validated_data["text"])
    found = services.find_own(decision.person, decision.pk)
    return Response(DecisionSerializer(found).data, status=status.HTTP_201_CREATED)
