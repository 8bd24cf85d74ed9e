"""The feed and what was watched of it, as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import (
    BrowserSessionAuthentication,
    StatelessAuthentication,
    active_user,
)
from accounts.models import User
from feeds import services, taste
from feeds.api.serializers import (
    FeedOptionsSerializer,
    FeedPageSerializer,
    NotInterestedSerializer,
    RecordedSerializer,
    RefusalSerializer,
    ViewsSerializer,
    WhySerializer,
)
from feeds.options import KNOWN, read_options, seed_of
from feeds.paging import Page, make_page
from feeds.prefetch import prepare_after
from feeds.prepared import take
from feeds.why import explain
from tiktok_clone.common.api import refuse_unknown_options
from tiktok_clone.common.errors import invalid


class FeedView(APIView):
    """`GET /videos/feed`.

    A page that was prepared costs neither a query nor a serializer, so its token is believed
    as it stands; what ends the account or the session drops what was prepared. Otherwise the
    account is looked at first.
    """

    authentication_classes = [StatelessAuthentication, BrowserSessionAuthentication]
    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="Scroll the feed",
        operation_id="videos_feed",
        auth=[{"bearer": []}, {"cookie": []}],  # type: ignore[list-item]
        parameters=[FeedOptionsSerializer],
        responses=FeedPageSerializer,
    )
    def get(self, request: Request) -> HttpResponse:
        """One page of a frozen order; echo `seed` and `next_skip` to get the next one."""
        refuse_unknown_options(request, KNOWN)
        asked = read_options(request.query_params.dict())
        reader = cast(User, request.user).pk
        page = take(reader, asked)
        if page is None:
            page = make_page(active_user(request), seed_of(asked, reader), asked.skip, asked.limit)
        response = HttpResponse(page_json(request, page), content_type="application/json")
        prepare_after(response, reader, page)
        return response


def page_json(request: Request, page: Page) -> bytes:
    """Return the contract's answer; `next` is the absolute address of the next page or null."""
    following = None
    if not page.end:
        following = request.build_absolute_uri(f"{reverse('api-feed')}?{next_options(page)}")
    facts = {name: getattr(page, name) for name in ("mode", "order", "seed", "skip", "limit")}
    facts |= {
        "count": len(page.shown),
        "next_skip": page.next_skip,
        "next": following,
        "end": page.end,
        "seen_from": page.seen_from,
    }
    cards = b",".join(card.json for card in page.shown)
    return b'%b,"results":[%b]}' % (json.dumps(facts).encode()[:-1], cards)


def next_options(page: Page) -> str:
    """Return the query of the next page."""
    options = {"mode": page.mode, "order": page.order, "seed": page.seed}
    return urlencode(options | {"skip": page.next_skip, "limit": page.limit})


class ViewsView(APIView):
    """`POST /videos/views`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="Report what was watched",
        operation_id="videos_views",
        request=ViewsSerializer,
        responses=RecordedSerializer,
    )
    def post(self, request: Request) -> Response:
        """Impressions and watch time in one batch; forms send the JSON in the field `payload`."""
        wanted = ViewsSerializer(data=_body(request))
        wanted.is_valid(raise_exception=True)
        batch = [services.Watched(**one) for one in wanted.validated_data["views"]]
        return Response({"recorded": services.record_views(cast(User, request.user), batch)})


class NotInterestedView(APIView):
    """`POST` and `DELETE /videos/:id/not-interested`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="Do not show a video any more, or less of its kind",
        operation_id="videos_not_interested_create",
        request=RefusalSerializer,
        responses=NotInterestedSerializer,
    )
    def post(self, request: Request, video_id: int) -> Response:
        """From now on it is in none of the reader's feeds; again changes nothing.

        What a creator posts, or what has a hashtag, is only not recommended any more.
        """
        wanted = RefusalSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        taste.refuse(cast(User, request.user), video_id, **wanted.validated_data)
        return Response({"not_interested": True})

    @extend_schema(
        summary="Show a video again",
        operation_id="videos_not_interested_destroy",
        parameters=[RefusalSerializer],
        responses={200: NotInterestedSerializer},
    )
    def delete(self, request: Request, video_id: int) -> Response:
        """Take it back, as it was said; again changes nothing."""
        refuse_unknown_options(request, {"what", "hashtag"})
        wanted = RefusalSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        taste.allow_of(cast(User, request.user), video_id, **wanted.validated_data)
        return Response({"not_interested": False})


class WhyView(APIView):
    """`GET /videos/:id/why`."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        summary="Say why a video is in the feeds",
        operation_id="videos_why",
        responses=WhySerializer,
    )
    def get(self, request: Request, video_id: int) -> Response:
        """The true reasons, in plain words."""
        refuse_unknown_options(request, set())
        reasons = explain(cast(User, request.user), video_id)
        return Response({"reasons": [asdict(reason) for reason in reasons]})


def _body(request: Request) -> Any:
    """Return the JSON body, or that of the form field which a beacon sends."""
    if not isinstance(request.data, Mapping) or "payload" not in request.data:
        return request.data
    try:
        return json.loads(request.data["payload"], parse_constant=_refuse)
    except (ValueError, TypeError, RecursionError) as error:
        raise invalid("payload", "invalid_json", "Must be JSON.") from error


def _refuse(constant: str) -> None:
    raise ValueError(constant)
